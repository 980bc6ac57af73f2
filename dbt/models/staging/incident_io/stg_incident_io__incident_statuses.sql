{{ config(tags=['ops_incidents']) }}

with source as (
    select * from {{ incident_io_table('incident_statuses') }}
),

renamed as (
    select
        -- ids
        workspace,
        status_id,

        -- text
        name as status_name,
        description,
        category as status_category,

        -- numbers
        cast(rank as integer) as status_rank,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('updated_at') }} as updated_at,

        {{ incident_io_meta() | indent(4) }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by workspace, status_id, _ingested_at order by updated_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
