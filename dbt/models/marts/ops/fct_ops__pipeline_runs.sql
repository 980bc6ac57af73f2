{{
    config(
        tags=['every_build'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='run_id',
        tmp_relation_type='table',
        cluster_by=['run_date'],
        on_schema_change='append_new_columns',
    )
}}

with runs as (
    select * from {{ ref('stg_ops__pipeline_runs') }}
    {{ ingested_since_lookback() }}
),

final as (
    select
        -- ids
        run_id,
        pipeline_name,
        source_name,
        window_id,

        -- text
        step,
        status,
        error_type,

        -- numbers
        revision,
        first_part,
        last_part,
        seconds,
        records_read,
        records_kept,
        records_rejected,
        records_skipped,
        records_read - records_kept - records_rejected - records_skipped as records_unaccounted,
        rows_landed,
        rows_loaded,

        -- booleans
        is_full,

        -- times
        cast(started_at as date) as run_date,
        window_end,
        started_at,
        finished_at,
        watermark_start,
        watermark_end,

        -- meta
        _ingested_at,
        started_at as _anchor_at
    from runs
)

select * from final
