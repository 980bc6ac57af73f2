{{
    config(
        tags=['ai_dx_metrics'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='metric_key',
        tmp_relation_type='table',
        cluster_by=['usage_date'],
        on_schema_change='append_new_columns',
    )
}}
{#- A row whose estimate is by a constant that is no longer in force is built anew with the batch, however old it is. -#}

with metrics as (
    select * from {{ ref('int_ai_telemetry__tool_daily_metrics') }}
    {{ ingested_since_lookback(
        or_where='metric_key in (select metric_key from ' ~ this ~ ' where ' ~ estimated_by_another_version() ~ ')'
    ) }}
),

final as (
    select
        -- ids
        metric_key,
        tool,
        actor_key,
        model,

        -- text
        actor_kind,
        estimation_method,
        estimator_version,

        -- numbers
        requests,
        sessions,
        accepted_lines,
        input_tokens,
        cache_read_tokens,
        cache_write_tokens,
        output_tokens,
        tokens_reported,
        tokens_estimated,
        tokens_total,
        cost_usd,
        credits,

        -- booleans
        is_active,
        is_deleted,
        is_late,
        is_restated,
        dq_valid,

        -- times
        usage_date,
        restated_at,

        -- meta
        dq_flags,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from metrics
)

select * from final
