{{ config(tags=['slo']) }}

with source as (
    select * from {{ source('slo', 'vantage_measurements') }}
    where monitor = 'vantage'
),

renamed as (
    select {{ slo_measurement_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('slo_id, hour_start_at', version='reported_at') }}
),

final as (
    select * from deduplicated
)

select * from final
