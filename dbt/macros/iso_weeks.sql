{#- Weeks are ISO 8601: Monday to Sunday, and a week belongs to the year of its Thursday. Not date_trunc('week'), whose
    first day is a parameter of the session. -#}

{#- The Monday of a date's week. -#}
{% macro week_start(date) -%}
  cast(dateadd('day', 1 - dayofweekiso({{ date }}), {{ date }}) as date)
{%- endmacro %}


{#- A date's week as text: 2026-W53. -#}
{% macro iso_week(date) -%}
  cast(yearofweekiso({{ date }}) as varchar) || '-W' || lpad(cast(weekiso({{ date }}) as varchar), 2, '0')
{%- endmacro %}
