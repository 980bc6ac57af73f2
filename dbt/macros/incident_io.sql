{#- What a workspace's registry block says, as SQL. The workspaces are the var incident_io_workspaces. -#}

{% macro incident_io_workspace(workspace) -%}
  {%- for block in var('incident_io_workspaces') if block.name == workspace -%}
    {{ return(block) }}
  {%- endfor -%}
  {{ exceptions.raise_compiler_error("The registry has no incident.io workspace named '" ~ workspace ~ "'.") }}
{%- endmacro %}


{#- An instant by the workspace's own name for it, in UTC; a typed NULL where the workspace has none. -#}
{% macro incident_timestamp(workspace, stamp) -%}
  {%- set own_name = incident_io_workspace(workspace).timestamps.get(stamp) -%}
  {%- if own_name is none -%}
    cast(null as timestamp_ntz)
  {%- else -%}
    {{ utc("cast(cast(workspace_timestamps['" ~ own_name | replace("'", "''") ~ "'] as varchar) as timestamp_tz)") }}
  {%- endif -%}
{%- endmacro %}


{#- The temperature of the workspace's severity rank; NULL for a rank that the registry does not name. -#}
{% macro incident_temperature(workspace, severity_rank) -%}
  case {{ severity_rank }}
    {%- for step in incident_io_workspace(workspace).temperatures %}
    when {{ step.severity_rank }} then '{{ step.temperature }}'
    {%- endfor %}
  end
{%- endmacro %}


{#- The columns of a staging model of this family, from the RAW table's: types cast, personal values hashed, the
    instants taken by the workspace's own names. The payload stays behind: it holds what hash_pii hides. -#}
{% macro incident_io_columns(workspace) %}
    -- ids
    workspace,
    incident_id,
    reference as incident_reference,
    status_id,
    severity_id,

    -- text
    name as incident_name,
    summary,
    visibility,
    mode as incident_mode,
    status_name,
    status_category,
    severity_name,
    incident_type_name,
    creator_kind,
    {{ hash_pii('creator_email') }} as creator_email_hash,
    {{ hash_pii('lead_email') }} as lead_email_hash,
    permalink,

    -- numbers
    cast(severity_rank as integer) as severity_rank,
    cast(workload_minutes_total as float) as workload_minutes_total,
    cast(workload_minutes_working as float) as workload_minutes_working,
    cast(workload_minutes_late as float) as workload_minutes_late,
    cast(workload_minutes_sleeping as float) as workload_minutes_sleeping,
    cast(ttd_sec as integer) as ttd_sec,
    cast(ttr_sec as integer) as ttr_sec,
    cast(tts_sec as integer) as tts_sec,
    cast(impact_duration_sec as integer) as impact_duration_sec,

    -- booleans
    has_debrief,

    -- times, all UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('last_activity_at') }} as last_activity_at,
    {%- for stamp in incident_io_stamps() %}
    {{ incident_timestamp(workspace, stamp) }} as {{ stamp }},
    {%- endfor %}

    -- nested
    affected_services,

    -- meta
    dq_valid,
    dq_flags,
    _is_deleted,
    _source,
    _window_id,
    _source_file,
    _run_id,
    {{ utc('_observed_at') }} as _observed_at,
    {{ utc('_ingested_at') }} as _ingested_at,
    {{ utc('_anchor_at') }} as _anchor_at
{% endmacro %}


{#- The canonical instants that a workspace may map to a name of its own. -#}
{% macro incident_io_stamps() -%}
  {{ return(['impact_started_at', 'detected_at', 'responded_at', 'fixed_at', 'resolved_at']) }}
{%- endmacro %}


{#- The RAW table of an entity that means the same in every workspace: the entries of all workspaces are one table. -#}
{% macro incident_io_table(entity) -%}
  {{ source('incident_io', var('incident_io_workspaces')[0].name ~ '_' ~ entity) }}
{%- endmacro %}


{#- What every staging model of this family ends with. -#}
{% macro incident_io_meta() -%}
    -- meta
    dq_valid,
    dq_flags,
    _is_deleted,
    _source,
    _window_id,
    _source_file,
    _run_id,
    {{ utc('_observed_at') }} as _observed_at,
    {{ utc('_ingested_at') }} as _ingested_at,
    {{ utc('_anchor_at') }} as _anchor_at
{%- endmacro %}
