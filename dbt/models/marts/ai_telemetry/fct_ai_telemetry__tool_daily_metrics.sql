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
        {{- ai_tool_metric_columns() }}
    from metrics
)

select * from final
