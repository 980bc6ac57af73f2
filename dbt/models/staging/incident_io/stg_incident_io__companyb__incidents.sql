{{ config(tags=['ops_incidents']) }}
{#- "Identified at" is what this workspace calls the instant of detection. -#}

with source as (
    select * from {{ source('incident_io', 'companyb_incidents') }}
    where workspace = 'companyb'
),

renamed as (
    select {{ incident_io_columns('companyb') }}
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('incident_id') }}
),

final as (
    select * from deduplicated
)

select * from final
