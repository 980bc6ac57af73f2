{{ config(tags=['slo']) }}

with source as (
    select * from {{ source('slo', 'oebot_measurements') }}
    where monitor = 'oebot'
),

renamed as (
    select {{ slo_measurement_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by slo_id, hour_start_at order by reported_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
