{{ config(tags=['ops_incidents']) }}

with source as (
    select * from {{ incident_io_table('incident_updates') }}
),

renamed as (
    select
        -- ids
        workspace,
        update_id,
        incident_id,
        status_id,
        severity_id,
        merged_into_incident_id,

        -- text
        status_name,
        status_category,
        severity_name,
        message,
        updater_kind,
        {{ hash_pii('updater_email') }} as updater_email_hash,

        -- numbers
        cast(severity_rank as integer) as severity_rank,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,

        {{ incident_io_meta() | indent(4) }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by workspace, update_id, _ingested_at order by created_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
