{{ config(severity='error') }}
{#- Every snapshot of a listing is in the fact as RAW has it. A day that was loaded after the newest load that the fact has
    seen came while dbt was running and is left to the next build. -#}

with raw_listings as (
    select
        provider,
        listing_id,
        cast(fetched_on as date) as fetched_on,
        {{ utc('fetched_at') }} as fetched_at,
        price,
        {{ utc('_ingested_at') }} as _ingested_at
    from {{ source('market', 'coinmarketcap_listings') }}
    where provider = 'coinmarketcap'
)

select raw_listings.provider, raw_listings.listing_id, raw_listings.fetched_on
from raw_listings
left join {{ ref('fct_market__listings') }} as fact
    on fact.provider = raw_listings.provider
    and fact.listing_id = raw_listings.listing_id
    and fact.fetched_on = raw_listings.fetched_on
where (
        fact.listing_day_key is null
        or fact.fetched_at is distinct from raw_listings.fetched_at
        or fact.price is distinct from raw_listings.price
    )
    and raw_listings._ingested_at <= (
        select coalesce(max(_ingested_at), to_timestamp_ntz('9999-12-31')) from {{ ref('fct_market__listings') }}
    )
