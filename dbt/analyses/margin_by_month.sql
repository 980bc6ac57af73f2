{#- Sales, discounts, refunds and margin by currency and month. Margins are over the lines whose cost is known; the share
    of the net amount that these are says how much of the shop a margin speaks for. -#}

select
    currency,
    cast(date_trunc('month', order_date) as date) as order_month,
    count(distinct order_id) as orders,
    sum(quantity) as pieces,
    sum(gross_amount) as gross_amount,
    sum(discount_amount) as discount_amount,
    sum(net_amount) as net_amount,
    sum(refunded_amount) as refunded_amount,
    sum(margin_amount) as margin_amount,
    sum(margin_after_refunds_amount) as margin_after_refunds_amount,
    cast({{ safe_divide('sum(margin_amount)', 'sum(iff(margin_amount is null, 0, net_amount))') }} as number(10, 4))
        as margin_rate,
    cast({{ safe_divide('sum(iff(margin_amount is null, 0, net_amount))', 'sum(net_amount)') }} as number(10, 4))
        as net_share_with_cost
from {{ ref('fct_ecommerce__order_items') }}
where is_sale
group by currency, cast(date_trunc('month', order_date) as date)
order by currency, order_month
