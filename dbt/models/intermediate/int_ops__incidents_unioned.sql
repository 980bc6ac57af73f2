{{ config(tags=['ops_incidents']) }}

{%- set impact_began_at = 'coalesce(impact_started_at, created_at)' -%}
{%- set impact_ended_at = 'coalesce(fixed_at, resolved_at)' -%}
{#- An order of instants that cannot be: its time is NULL and the incident carries the flag. -#}
{%- set rules = {
    'detected_before_created': seconds_from('created_at', 'detected_at') ~ ' < 0',
    'responded_before_detected': seconds_from('detected_at', 'responded_at') ~ ' < 0',
    'resolved_before_detected': seconds_from('detected_at', 'resolved_at') ~ ' < 0',
    'resolved_before_created': seconds_from('created_at', 'resolved_at') ~ ' < 0',
    'impact_ended_before_start': seconds_from(impact_began_at, impact_ended_at) ~ ' < 0',
} %}

with incidents as (
    {%- for workspace in var('incident_io_workspaces') %}
    select
        sha2(concat_ws('|', workspace, incident_id), 256) as incident_key,
        workspace,
        incident_id,
        incident_reference,
        incident_name,
        visibility,
        incident_mode,
        status_name,
        status_category,
        severity_name,
        incident_type_name,
        creator_kind,
        creator_email_hash,
        lead_email_hash,
        permalink,
        severity_rank,
        {{ incident_temperature(workspace.name, 'severity_rank') }} as temperature,
        workload_minutes_total,
        workload_minutes_working,
        workload_minutes_late,
        workload_minutes_sleeping,
        ttd_sec,
        ttr_sec,
        tts_sec,
        impact_duration_sec,
        has_debrief,
        created_at,
        updated_at,
        last_activity_at,
        impact_started_at,
        detected_at,
        responded_at,
        fixed_at,
        resolved_at,
        affected_services,
        dq_valid,
        dq_flags,
        _is_deleted,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from {{ ref('stg_incident_io__' ~ workspace.name ~ '__incidents') }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
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
        {{ time_from('created_at', 'detected_at') }} as time_to_detect_sec,
        {{ time_from('detected_at', 'responded_at') }} as time_to_respond_sec,
        {{ time_from('created_at', 'resolved_at') }} as time_to_resolve_sec,
        {{ time_from('detected_at', 'resolved_at') }} as time_detect_to_resolve_sec,
        cast({{ time_from(impact_began_at, impact_ended_at) }} / 60 as number(18, 2)) as impact_duration_min,
        ttd_sec,
        ttr_sec,
        tts_sec,
        impact_duration_sec,
        workload_minutes_total,
        workload_minutes_working,
        workload_minutes_late,
        workload_minutes_sleeping,

        -- booleans
        has_debrief,
        _is_deleted as is_deleted,
        dq_valid
        {%- for condition in rules.values() %}
            and not coalesce({{ condition }}, false)
        {%- endfor %} as dq_valid,

        -- times
        cast(created_at as date) as incident_date,
        created_at,
        updated_at,
        last_activity_at,
        impact_started_at,
        detected_at,
        responded_at,
        fixed_at,
        resolved_at,

        -- nested
        affected_services,

        -- meta
        {{ with_dq_flags('dq_flags', rules) }} as dq_flags,
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from incidents
)

select * from final
