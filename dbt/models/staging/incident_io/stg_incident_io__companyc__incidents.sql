{{ config(tags=['ops_incidents']) }}
{#- This workspace does not record when a fix was in: fixed_at is always NULL. -#}

with source as (
    select * from {{ source('incident_io', 'companyc_incidents') }}
    where workspace = 'companyc'
),

renamed as (
    select {{ incident_io_columns('companyc') }}
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
