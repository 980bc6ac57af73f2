{{ config(tags=['ecommerce']) }}

with source as (
    select * from {{ source('ecommerce', 'products') }}
    where _source = 'ecommerce_products'
),

renamed as (
    select
        -- ids
        variant_id,
        product_id,
        inventory_item_id,
        sku,

        -- text
        title,
        variant_title,
        product_type,
        vendor,
        status,

        -- numbers
        {{ money('price') }} as price,
        {{ money('cost_price') }} as cost_price,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('cost_updated_at') }} as cost_updated_at,
        {{ utc('updated_at') }} as updated_at,
    {{ ecommerce_meta_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('variant_id') }}
),

final as (
    select * from deduplicated
)

select * from final
