{#- What is true of every line: the net amount is not above the gross one; the amounts follow from each other to the cent;
    a margin is known exactly where the net amount and the cost are. -#}
{% test order_item_amounts_hold(model) %}
    select line_item_id
    from {{ model }}
    where net_amount > gross_amount
        or gross_amount <> unit_price * quantity
        or net_amount <> gross_amount - discount_amount
        or margin_amount is distinct from net_amount - cost_amount
        or cost_amount is distinct from unit_cost * quantity
        or (is_sale and (is_test or is_cancelled or is_deleted))
{% endtest %}
