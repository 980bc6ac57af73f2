{{
    config(
        tags=['market'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='listing_day_key',
        tmp_relation_type='table',
        cluster_by=['fetched_on'],
        on_schema_change='append_new_columns',
    )
}}
{#- A later snapshot of a day may lack a listing that an earlier one had: its row stays and says so. The newest load of
    any row of the day is the row's, so that an incremental mart sees when its day got another snapshot. -#}

with listings as (
    select
        *,
        fetched_at = max(fetched_at) over (partition by provider, fetched_on) as is_in_newest_snapshot,
        max(_ingested_at) over (partition by provider, fetched_on) as day_ingested_at
    from {{ ref('stg_market__coinmarketcap__listings') }}
),

snapshots as (
    select
        -- ids
        sha2(concat_ws('|', provider, listing_id, to_char(fetched_on, 'YYYY-MM-DD')), 256) as listing_day_key,
        provider,
        listing_id,
        symbol,
        listing_slug,

        -- text
        listing_name,
        currency,

        -- numbers
        market_rank,
        market_pairs,
        circulating_supply,
        total_supply,
        max_supply,
        price,
        volume_24h,
        market_cap,
        market_cap_dominance,
        fully_diluted_market_cap,
        percent_change_1h,
        percent_change_24h,
        percent_change_7d,
        percent_change_30d,

        -- booleans
        is_supply_infinite,
        is_in_newest_snapshot,
        dq_valid,

        -- times
        fetched_on,
        fetched_at,
        listed_at,
        last_updated_at,

        -- nested
        tags,

        -- meta
        dq_flags,
        _window_id,
        _run_id,
        day_ingested_at as _ingested_at,
        _anchor_at
    from listings
),

final as (
    select * from snapshots
    {{ ingested_since_lookback() }}
)

select * from final
