{{ config(tags=['slo']) }}

with source as (
    select * from {{ source('slo', 'vantage_objectives') }}
    where monitor = 'vantage'
),

renamed as (
    select {{ slo_objective_columns() }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('slo_id') }}
),

final as (
    select * from deduplicated
)

select * from final
