{{ config(tags=['ops_incidents']) }}

with source as (
    select * from {{ incident_io_table('events') }}
),

renamed as (
    select
        -- ids
        workspace,
        webhook_id,
        incident_id,
        follow_up_id,

        -- text
        event_type,

        -- times, all UTC
        {{ utc('received_at') }} as received_at,

        {{ incident_io_meta() | indent(4) }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by workspace, webhook_id, _ingested_at order by received_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
