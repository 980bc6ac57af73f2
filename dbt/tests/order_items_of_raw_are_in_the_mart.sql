{{ config(severity='error') }}
{#- Every line that the shop has is in the fact, in the version that RAW has, deleted or not as RAW says. What was loaded
    after the newest load that the fact has seen came while dbt was running and is left to the next build. -#}

select landed.line_item_id
from {{ source('ecommerce', 'order_items') }} as landed
left join {{ ref('fct_ecommerce__order_items') }} as fact on fact.line_item_id = landed.line_item_id
where (
        fact.line_item_id is null
        or fact.order_updated_at < {{ utc('landed.order_updated_at') }}
        or landed._is_deleted and not fact.is_deleted
    )
    and {{ utc('landed._ingested_at') }} <= (
        select coalesce(max(_ingested_at), to_timestamp_ntz('9999-12-31')) from {{ ref('fct_ecommerce__order_items') }}
    )
