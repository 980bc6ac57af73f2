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
    qualify row_number() over (partition by incident_id order by updated_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
