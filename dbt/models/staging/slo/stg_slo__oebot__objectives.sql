{{ config(tags=['slo']) }}

with source as (
    select * from {{ source('slo', 'oebot_objectives') }}
    where monitor = 'oebot'
),

renamed as (
    select {{ slo_objective_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by slo_id order by updated_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
