{#- The cut of an incremental mart: what was loaded since `lookback_days` before the newest load that the mart has seen.
    Further back than that load, because transactions commit out of order. Everything when the mart is empty. -#}
{% macro ingested_since_lookback() -%}
  {%- if is_incremental() -%}
    where _ingested_at >= (
        select coalesce(dateadd('day', -{{ var('lookback_days') }}, max(_ingested_at)), to_timestamp_ntz('1970-01-01'))
        from {{ this }}
    )
  {%- endif -%}
{%- endmacro %}
