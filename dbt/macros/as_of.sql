{#- The instant that ages are measured up to, in UTC: the newest window's end that is being built, so that a month built
    again is as old as it was; the clock where nobody says. -#}
{% macro as_of() -%}
  {%- set given = env_var('DBT_AS_OF', '') -%}
  {{ utc("to_timestamp_tz('" ~ given ~ "')" if given else 'current_timestamp()') }}
{%- endmacro %}
