{{ config(tags=['ops_incidents']) }}
{#- This workspace has no instant of detection: the start of the impact stands for it. -#}

with source as (
    select * from {{ source('incident_io', 'companya_incidents') }}
    where workspace = 'companya'
),

renamed as (
    select {{ incident_io_columns('companya') }}
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
