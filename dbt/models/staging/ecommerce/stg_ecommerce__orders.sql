{{ config(tags=['ecommerce']) }}

with source as (
    select * from {{ source('ecommerce', 'orders') }}
    where _source = 'ecommerce_orders'
),

renamed as (
    select
        -- ids
        order_id,
        order_name,
        customer_id,

        -- text
        {{ normalize_order_status('financial_status', 'fulfillment_status', 'cancelled_at') }} as order_status,
        financial_status,
        fulfillment_status,
        cancel_reason,
        {{ hash_pii('email') }} as email_hash,
        {{ hash_pii('phone') }} as phone_hash,
        currency,
        source_name,
        tags,

        -- numbers
        {{ money('subtotal_price') }} as subtotal_price,
        {{ money('total_discounts') }} as total_discounts,
        {{ money('total_shipping') }} as total_shipping,
        {{ money('total_tax') }} as total_tax,
        {{ money('total_price') }} as total_price,
        {{ money('current_total_price') }} as current_total_price,
        {{ money('refunded_amount') }} as refunded_amount,

        -- booleans
        is_test,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('processed_at') }} as processed_at,
        {{ utc('updated_at') }} as updated_at,
        {{ utc('closed_at') }} as closed_at,
        {{ utc('cancelled_at') }} as cancelled_at,
    {{ ecommerce_meta_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('order_id') }}
),

final as (
    select * from deduplicated
)

select * from final
