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
    qualify row_number() over (partition by incident_id order by updated_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
