{#- Where an order stands, in one word, from the shop's three columns for it. What was undone outweighs what was done: a
    cancelled order that had been paid is cancelled, a refunded one that was sent is refunded. `unknown` for words that the
    shop did not have when this was written. -#}
{% macro normalize_order_status(financial_status, fulfillment_status, cancelled_at) -%}
  {%- set paid = "coalesce(lower(trim(" ~ financial_status ~ ")), '')" -%}
  {%- set sent = "coalesce(lower(trim(" ~ fulfillment_status ~ ")), '')" -%}
  case
        when {{ cancelled_at }} is not null or {{ sent }} = 'restocked' or {{ paid }} in ('voided', 'expired')
            then 'cancelled'
        when {{ paid }} = 'refunded' then 'refunded'
        when {{ paid }} = 'partially_refunded' then 'partially_refunded'
        when {{ sent }} = 'fulfilled' then 'fulfilled'
        when {{ sent }} = 'partial' then 'partially_fulfilled'
        when {{ paid }} = 'paid' then 'paid'
        when {{ paid }} in ('pending', 'authorized', 'partially_paid') then 'pending'
        else 'unknown'
    end
{%- endmacro %}


{#- An amount of money: exact, to six decimals. -#}
{% macro money(amount) -%}
  cast({{ amount }} as number(38, 6))
{%- endmacro %}


{#- What every staging model of the shop ends with. -#}
{% macro ecommerce_meta_columns() %}
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
{%- endmacro %}
