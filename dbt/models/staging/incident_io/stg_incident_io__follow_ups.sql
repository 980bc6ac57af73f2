{{ config(tags=['ops_incidents']) }}

with source as (
    select * from {{ incident_io_table('follow_ups') }}
),

renamed as (
    select
        -- ids
        workspace,
        follow_up_id,
        incident_id,
        priority_id,
        assignee_team_id,

        -- text
        title,
        description,
        status,
        priority_name,
        category_name,
        creator_kind,
        {{ hash_pii('creator_email') }} as creator_email_hash,
        {{ hash_pii('assignee_email') }} as assignee_email_hash,
        assignee_team_name,
        external_issue_provider,
        external_issue_permalink,

        -- numbers
        cast(priority_rank as integer) as priority_rank,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('updated_at') }} as updated_at,
        {{ utc('completed_at') }} as completed_at,

        -- nested
        labels,

        {{ incident_io_meta() | indent(4) }}
    from source
),

deduplicated as (
    select * from renamed
    qualify row_number() over (partition by workspace, follow_up_id, _ingested_at order by updated_at desc, _observed_at desc) = 1
),

final as (
    select * from deduplicated
)

select * from final
