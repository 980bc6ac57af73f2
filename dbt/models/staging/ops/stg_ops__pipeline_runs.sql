{{ config(tags=['every_build']) }}

with source as (
    select * from {{ source('ops', 'pipeline_runs') }}
),

renamed as (
    select
        -- ids
        run_id,
        pipeline as pipeline_name,
        source.source as source_name,
        window_id,

        -- text
        step,
        status,
        error as error_type,

        -- numbers
        cast(revision as integer) as revision,
        cast(first_part as integer) as first_part,
        cast(last_part as integer) as last_part,
        cast(seconds as float) as seconds,
        cast(records_read as integer) as records_read,
        cast(records_kept as integer) as records_kept,
        cast(records_rejected as integer) as records_rejected,
        cast(records_skipped as integer) as records_skipped,
        cast(rows_landed as integer) as rows_landed,
        cast(rows_loaded as integer) as rows_loaded,

        -- booleans
        is_full,

        -- times, all UTC
        {{ utc('window_end') }} as window_end,
        {{ utc('started_at') }} as started_at,
        {{ utc('finished_at') }} as finished_at,
        {{ utc('watermark_start') }} as watermark_start,
        {{ utc('watermark_end') }} as watermark_end,

        -- meta
        {{ utc('recorded_at') }} as _ingested_at
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by run_id order by finished_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
