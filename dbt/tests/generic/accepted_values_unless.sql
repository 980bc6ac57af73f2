{#- The column holds one of the values; it may be NULL only where the condition `unless` says so. -#}
{% test accepted_values_unless(model, column_name, values, unless) %}
    select {{ column_name }} as value_found, count(*) as rows_found
    from {{ model }}
    where coalesce({{ column_name }} not in ('{{ values | join("', '") }}'), not ({{ unless }}))
    group by {{ column_name }}
{% endtest %}
