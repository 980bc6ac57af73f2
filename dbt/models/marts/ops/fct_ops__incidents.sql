{{
    config(
        tags=['ops_incidents'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='incident_key',
        tmp_relation_type='table',
        cluster_by=['incident_date'],
        on_schema_change='append_new_columns',
    )
}}

with incidents as (
    select * from {{ ref('int_ops__incidents_unioned') }}
    {{ ingested_since_lookback() }}
),

final as (
    select
        -- ids
        incident_key,
        workspace,
        incident_id,
        incident_reference,

        -- text
        incident_name,
        visibility,
        incident_mode,
        status_name,
        status_category,
        severity_name,
        temperature,
        incident_type_name,
        creator_kind,
        creator_email_hash,
        lead_email_hash,
        permalink,

        -- numbers
        severity_rank,
        time_to_detect_sec,
        time_to_respond_sec,
        time_to_resolve_sec,
        time_detect_to_resolve_sec,
        impact_duration_min,
        ttd_sec,
        ttr_sec,
        tts_sec,
        workload_minutes_total,
        workload_minutes_working,
        workload_minutes_late,
        workload_minutes_sleeping,

        -- booleans
        has_debrief,
        is_deleted,
        dq_valid,

        -- times
        incident_date,
        created_at,
        updated_at,
        last_activity_at,
        impact_started_at,
        detected_at,
        responded_at,
        fixed_at,
        resolved_at,

        -- meta
        dq_flags,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from incidents
)

select * from final
