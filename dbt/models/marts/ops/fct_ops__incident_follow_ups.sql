{{ config(tags=['ops_incidents'], materialized='table') }}
{#- A table, since ages grow without any change of a row, and a severity may change long after the follow-up. -#}

with follow_ups as (
    select * from {{ ref('stg_incident_io__follow_ups') }}
),

incidents as (
    select workspace, incident_id, incident_key, severity_name, severity_rank, temperature, incident_date, is_deleted
    from {{ ref('fct_ops__incidents') }}
),

final as (
    select
        -- ids
        sha2(concat_ws('|', follow_ups.workspace, follow_ups.follow_up_id), 256) as follow_up_key,
        incidents.incident_key,
        follow_ups.workspace,
        follow_ups.follow_up_id,
        follow_ups.incident_id,

        -- text
        follow_ups.title,
        follow_ups.status,
        follow_ups.priority_name,
        follow_ups.category_name,
        follow_ups.assignee_team_name,
        follow_ups.creator_email_hash,
        follow_ups.assignee_email_hash,
        follow_ups.external_issue_permalink,
        incidents.severity_name,
        incidents.temperature,

        -- numbers
        incidents.severity_rank,
        iff(
            follow_ups.status = 'completed', {{ time_from('follow_ups.created_at', 'follow_ups.completed_at') }}, null
        ) as time_to_complete_sec,
        iff(
            follow_ups.status = 'outstanding', {{ time_from('follow_ups.created_at', as_of()) }}, null
        ) as open_for_sec,

        -- booleans
        follow_ups.status = 'outstanding' as is_open,
        follow_ups.status = 'completed' as is_completed,
        follow_ups._is_deleted
            or follow_ups.status = 'deleted'
            or coalesce(incidents.is_deleted, false) as is_deleted,

        -- times
        incidents.incident_date,
        follow_ups.created_at,
        follow_ups.updated_at,
        follow_ups.completed_at,

        -- meta
        follow_ups.dq_valid,
        follow_ups.dq_flags,
        follow_ups._window_id,
        follow_ups._run_id,
        follow_ups._ingested_at
    from follow_ups
    left join incidents
        on incidents.workspace = follow_ups.workspace and incidents.incident_id = follow_ups.incident_id
)

select * from final
