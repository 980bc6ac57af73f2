{#- No NULL in any of the columns, in one query. Fails with one row a column that has some. -#}
{% test columns_not_null(model, columns) %}
    {%- for column in columns %}
    select '{{ column }}' as column_name, count(*) as null_rows
    from {{ model }}
    where {{ column }} is null
    having count(*) > 0
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{% endtest %}
