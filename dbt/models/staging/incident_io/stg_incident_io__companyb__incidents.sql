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
    qualify row_number() over (partition by incident_id order by updated_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
