{#- A key's versions do not overlap, and one of them, the newest, is open. -#}
{% test versions_follow_one_another(model, key) %}
    with versions as (
        select
            {{ key }},
            dbt_valid_from,
            dbt_valid_to,
            lead(dbt_valid_from) over (partition by {{ key }} order by dbt_valid_from, dbt_valid_to nulls last) as next_from,
            count_if(dbt_valid_to is null) over (partition by {{ key }}) as open_versions
        from {{ model }}
    )

    select {{ key }}, dbt_valid_from, dbt_valid_to
    from versions
    where open_versions <> 1
        or dbt_valid_to < dbt_valid_from
        or dbt_valid_to > next_from
        or dbt_valid_to is null and next_from is not null
{% endtest %}
