{{ config(severity='warn') }}
{#- A discount does not raise the price. A warning: the shop is asked; the fact has no net amount and no margin for such a
    line. -#}

select line_item_id, order_id, total_discount
from {{ source('ecommerce', 'order_items') }}
where unit_price * quantity - total_discount > unit_price * quantity
    and not _is_deleted
