{#- None of the columns is below zero. Fails with one row a column that is. -#}
{% test not_negative(model, columns) %}
    {%- for column in columns %}
    select '{{ column }}' as column_name, count(*) as negative_rows
    from {{ model }}
    where {{ column }} < 0
    having count(*) > 0
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{% endtest %}
