{#- An instant with offset as UTC without one: dates taken from it are UTC dates whatever the session's time zone. -#}
{% macro utc(instant) -%}
  cast(convert_timezone('UTC', {{ instant }}) as timestamp_ntz)
{%- endmacro %}


{#- Whole seconds from one instant to another, both cut to the second, as the extraction counts them; may be negative. -#}
{% macro seconds_from(start, end) -%}
  datediff('second', {{ start }}, {{ end }})
{%- endmacro %}


{#- The same as a time that may be averaged: NULL when either instant is unknown or the order is wrong. -#}
{% macro time_from(start, end) -%}
  iff({{ seconds_from(start, end) }} >= 0, {{ seconds_from(start, end) }}, null)
{%- endmacro %}
