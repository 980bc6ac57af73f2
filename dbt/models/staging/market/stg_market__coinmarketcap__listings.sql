{{ config(tags=['market']) }}
{#- Every type is stated: a limit of units may be NULL in any row, the first one too, and is a number all the same. -#}

with source as (
    select * from {{ source('market', 'coinmarketcap_listings') }}
    where provider = 'coinmarketcap'
),

renamed as (
    select
        -- ids
        provider,
        cast(listing_id as integer) as listing_id,
        symbol,
        slug as listing_slug,

        -- text
        name as listing_name,
        currency,

        -- numbers
        cast(rank as integer) as market_rank,
        cast(market_pairs as integer) as market_pairs,
        cast(circulating_supply as float) as circulating_supply,
        cast(total_supply as float) as total_supply,
        cast(max_supply as float) as max_supply,
        cast(price as float) as price,
        cast(volume_24h as float) as volume_24h,
        cast(market_cap as float) as market_cap,
        cast(market_cap_dominance as float) as market_cap_dominance,
        cast(fully_diluted_market_cap as float) as fully_diluted_market_cap,
        cast(percent_change_1h as float) as percent_change_1h,
        cast(percent_change_24h as float) as percent_change_24h,
        cast(percent_change_7d as float) as percent_change_7d,
        cast(percent_change_30d as float) as percent_change_30d,

        -- booleans
        is_supply_infinite,

        -- times, all UTC
        cast(fetched_on as date) as fetched_on,
        {{ utc('fetched_at') }} as fetched_at,
        {{ utc('listed_at') }} as listed_at,
        {{ utc('last_updated_at') }} as last_updated_at,

        -- nested
        tags,

        -- meta
        dq_valid,
        dq_flags,
        _is_deleted,
        _source,
        _window_id,
        _source_file,
        _run_id,
        {{ utc('_observed_at') }} as _observed_at,
        {{ utc('_ingested_at') }} as _ingested_at,
        {{ utc('_anchor_at') }} as _anchor_at
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('listing_id, fetched_on', version='fetched_at') }}
),

final as (
    select * from deduplicated
)

select * from final
