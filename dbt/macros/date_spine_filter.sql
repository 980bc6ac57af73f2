{#- The body of a CTE with one row a period (column date_<datepart>) from start_date to end_date, both included, so that
    a series shows its empty periods. Both ends are SQL expressions of type date; dbt asks the warehouse at compile time
    how many periods lie between them. -#}
{% macro date_spine_filter(start_date, end_date, datepart='day') -%}
  select cast(date_{{ datepart }} as date) as date_{{ datepart }}
  from (
    {{ dbt.date_spine(datepart, start_date, dbt.dateadd(datepart, 1, end_date)) }}
  ) as spine
  where date_{{ datepart }} between {{ start_date }} and {{ end_date }}
{%- endmacro %}
