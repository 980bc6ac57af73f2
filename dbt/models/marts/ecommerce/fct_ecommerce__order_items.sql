{{
    config(
        tags=['ecommerce'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='line_item_id',
        tmp_relation_type='table',
        cluster_by=['order_date'],
        on_schema_change='append_new_columns',
    )
}}
{#- A line changes with its order, and with a cost that becomes known after the order: a row's _ingested_at is the newest
    load of the three, and the cut by it finds all of them. A line with a negative discount has no net amount: it would be
    above the gross one, and margins would be made of it. -#}

with lines as (
    select
        items.line_item_id,
        items.order_id,
        items.product_id,
        items.variant_id,
        items.sku,
        orders.customer_id,
        items.title,
        items.variant_title,
        items.vendor,
        items.currency,
        orders.order_status,
        items.quantity,
        items.refunded_quantity,
        items.unit_price,
        items.total_discount,
        items.refunded_subtotal,
        costs.cost_price,
        {{ money('items.unit_price * items.quantity') }} as gross_amount,
        items.total_discount < 0 as is_discount_negative,
        items.is_test,
        items.order_cancelled_at is not null as is_cancelled,
        items._is_deleted or coalesce(orders._is_deleted, false) as is_deleted,
        items.dq_flags,
        items.order_created_at,
        items.order_updated_at,
        items._window_id,
        items._run_id,
        greatest(
            items._ingested_at,
            coalesce(orders._ingested_at, items._ingested_at),
            coalesce(costs._ingested_at, items._ingested_at)
        ) as _ingested_at,
        items._anchor_at
    from {{ ref('stg_ecommerce__order_items') }} as items
    left join {{ ref('stg_ecommerce__orders') }} as orders on orders.order_id = items.order_id
    left join {{ ref('int_ecommerce__variant_costs') }} as costs
        on costs.variant_id = items.variant_id
        and items.order_created_at >= costs.valid_from
        and items.order_created_at < costs.valid_to
),

flagged as (
    select
        line_item_id,
        order_id,
        product_id,
        variant_id,
        sku,
        customer_id,
        title,
        variant_title,
        vendor,
        currency,
        order_status,
        quantity,
        refunded_quantity,
        unit_price,
        total_discount,
        refunded_subtotal,
        cost_price,
        gross_amount,
        iff(is_discount_negative, null, {{ money('gross_amount - total_discount') }}) as net_amount,
        {{ money('cost_price * quantity') }} as cost_amount,
        is_test,
        is_cancelled,
        is_deleted,
        {{ with_dq_flags('dq_flags', {'net_above_gross': 'is_discount_negative'}) }} as dq_flags,
        order_created_at,
        order_updated_at,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from lines
),

final as (
    select
        -- ids
        line_item_id,
        order_id,
        product_id,
        variant_id,
        sku,
        customer_id,

        -- text
        title,
        variant_title,
        vendor,
        currency,
        order_status,

        -- numbers
        quantity,
        refunded_quantity,
        unit_price,
        gross_amount,
        total_discount as discount_amount,
        net_amount,
        refunded_subtotal as refunded_amount,
        cost_price as unit_cost,
        cost_amount,
        {{ money('net_amount - cost_amount') }} as margin_amount,
        {{ money('net_amount - cost_amount - refunded_subtotal') }} as margin_after_refunds_amount,

        -- booleans
        not (is_test or is_cancelled or is_deleted) as is_sale,
        is_test,
        is_cancelled,
        is_deleted,
        to_json(dq_flags) = '[]' as dq_valid,

        -- times
        cast(order_created_at as date) as order_date,
        order_created_at,
        order_updated_at,

        -- meta
        dq_flags,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from flagged
)

select * from final
{{ ingested_since_lookback() }}
