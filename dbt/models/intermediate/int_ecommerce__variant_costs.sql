{{ config(tags=['ecommerce']) }}
{#- The snapshot's versions, of which many leave the cost as it was, by the cost alone. A new cost holds from the change of
    the inventory item on, which may lie before a change of the title that the same version brought. The first cost counts
    from the beginning of time: what was sold before the first run cost something too. -#}

with versions as (
    select
        variant_id,
        cost_price,
        cost_updated_at,
        dbt_valid_from,
        row_number() over (partition by variant_id order by dbt_valid_from, dbt_valid_to nulls last) as version_number,
        lag(cost_price) over (partition by variant_id order by dbt_valid_from, dbt_valid_to nulls last) as cost_before,
        _ingested_at
    from {{ ref('snp_ecommerce__products') }}
    -- a correction that bears the same date as what it corrects leaves a version of no length
    where dbt_valid_to is null or dbt_valid_to > dbt_valid_from
),

costs as (
    select
        variant_id,
        cost_price,
        version_number,
        iff(version_number = 1, to_timestamp_ntz('0001-01-01 00:00:00'), least(cost_updated_at, dbt_valid_from))
            as valid_from,
        _ingested_at
    from versions
    where version_number = 1 or cost_price is distinct from cost_before
),

final as (
    select
        variant_id,
        row_number() over (partition by variant_id order by valid_from, version_number) as cost_number,
        cost_price,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by variant_id order by valid_from, version_number),
            to_timestamp_ntz('9999-12-31 00:00:00')
        ) as valid_to,
        _ingested_at
    from costs
)

select * from final
