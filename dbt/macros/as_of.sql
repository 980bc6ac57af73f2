{#- The instant that ages are measured up to, in UTC: the newest window's end that is being built, so that a month built
    again is as old as it was; the clock where nobody says. Asked only when a model runs: dbt would parse again what it
    kept of a file whose variable changed, and this one does with every window. -#}
{% macro as_of() -%}
  {%- set given = env_var('DBT_AS_OF', '') if execute else '' -%}
  {{ utc("to_timestamp_tz('" ~ given ~ "')" if given else 'current_timestamp()') }}
{%- endmacro %}
