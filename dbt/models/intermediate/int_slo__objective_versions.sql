{{ config(tags=['slo']) }}
{#- By whole days: a day is judged by the last version of the day, its beginning included. The snapshot knows an objective
    from its first run on; the first version counts from the beginning of time. A target that is no share is unknown. -#}

with versions as (
    select
        objective_key,
        objective_name,
        service,
        team,
        indicator,
        target,
        window_kind,
        window_days,
        cast(dbt_valid_from as date) as valid_from,
        cast(dbt_valid_to as date) as valid_to,
        row_number() over (partition by objective_key order by dbt_valid_from, dbt_valid_to nulls last) as version_number,
        _ingested_at
    from {{ ref('snp_slo__objectives') }}
    -- a correction that bears the same date as what it corrects leaves a version of no length
    where dbt_valid_to is null or dbt_valid_to > dbt_valid_from
),

final as (
    select
        objective_key,
        version_number,
        objective_name,
        service,
        team,
        indicator,
        iff(target > 0 and target <= 1, target, null) as target,
        window_kind,
        window_days,
        iff(version_number = 1, to_date('0001-01-01'), valid_from) as valid_from,
        coalesce(valid_to, to_date('9999-12-31')) as valid_to,
        _ingested_at
    from versions
)

select * from final
