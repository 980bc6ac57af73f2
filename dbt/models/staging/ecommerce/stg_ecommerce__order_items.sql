{{ config(tags=['ecommerce']) }}

with source as (
    select * from {{ source('ecommerce', 'order_items') }}
    where _source = 'ecommerce_order_items'
),

renamed as (
    select
        -- ids
        line_item_id,
        order_id,
        product_id,
        variant_id,
        sku,

        -- text
        title,
        variant_title,
        vendor,
        currency,

        -- numbers
        cast(quantity as integer) as quantity,
        cast(current_quantity as integer) as current_quantity,
        cast(refunded_quantity as integer) as refunded_quantity,
        {{ money('unit_price') }} as unit_price,
        {{ money('total_discount') }} as total_discount,
        {{ money('refunded_subtotal') }} as refunded_subtotal,

        -- booleans
        product_exists,
        is_test,

        -- times, all UTC
        {{ utc('order_created_at') }} as order_created_at,
        {{ utc('order_cancelled_at') }} as order_cancelled_at,
        {{ utc('order_updated_at') }} as order_updated_at,
    {{ ecommerce_meta_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('line_item_id', version='order_updated_at') }}
),

final as (
    select * from deduplicated
)

select * from final
