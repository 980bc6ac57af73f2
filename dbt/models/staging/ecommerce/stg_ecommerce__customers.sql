{{ config(tags=['ecommerce']) }}

with source as (
    select * from {{ source('ecommerce', 'customers') }}
    where _source = 'ecommerce_customers'
),

renamed as (
    select
        -- ids
        customer_id,

        -- text
        {{ hash_pii('email') }} as email_hash,
        {{ hash_pii('first_name') }} as first_name_hash,
        {{ hash_pii('last_name') }} as last_name_hash,
        {{ hash_pii('phone') }} as phone_hash,
        {{ hash_pii('city') }} as city_hash,
        state,
        province,
        country_code,
        currency,
        tags,

        -- numbers
        cast(orders_count as integer) as orders_count,
        {{ money('total_spent') }} as total_spent,

        -- booleans
        accepts_marketing,
        is_verified_email,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('updated_at') }} as updated_at,
    {{ ecommerce_meta_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('customer_id') }}
),

final as (
    select * from deduplicated
)

select * from final
