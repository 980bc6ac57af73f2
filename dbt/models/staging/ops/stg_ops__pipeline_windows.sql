{{ config(tags=['every_build']) }}

with source as (
    select * from {{ source('ops', 'pipeline_windows') }}
),

renamed as (
    select
        -- ids
        pipeline as pipeline_name,
        source.source as source_name,
        window_id,

        -- text
        status,

        -- numbers
        cast(rows_landed as integer) as rows_landed,
        cast(rows_rejected as integer) as rows_rejected,

        -- times, all UTC
        {{ utc('window_start') }} as window_start,
        {{ utc('window_end') }} as window_end,
        {{ utc('closed_at') }} as closed_at
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by pipeline_name, window_id, source_name order by closed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
