{{ config(tags=['ai_dx_metrics']) }}
{#- A snapshot knows a person from its first run on; what was used before that run was used by somebody of some team all
    the same. So a person's first version counts from the beginning of time, and the last one to its end. -#}

with versions as (
    select
        {{ hash_pii('engineer_id') }} as engineer_key,
        team,
        cast(dbt_valid_from as date) as valid_from,
        cast(dbt_valid_to as date) as valid_to,
        row_number() over (partition by engineer_id order by dbt_valid_from, dbt_valid_to nulls last) as version_number
    from {{ ref('dim_engineer') }}
    -- a correction that bears the same date as what it corrects leaves a version of no length
    where dbt_valid_to is null or dbt_valid_to > dbt_valid_from
),

final as (
    select
        engineer_key,
        team,
        version_number,
        iff(version_number = 1, to_date('0001-01-01'), valid_from) as valid_from,
        coalesce(valid_to, to_date('9999-12-31')) as valid_to
    from versions
)

select * from final
