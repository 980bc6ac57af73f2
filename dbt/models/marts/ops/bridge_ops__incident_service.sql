{{
    config(
        tags=['ops_incidents'],
        materialized='incremental',
        incremental_strategy='merge_hashdiff',
        unique_key='incident_service_key',
        tmp_relation_type='table',
        on_schema_change='append_new_columns',
    )
}}
{#- A batch holds the pairs of every changed incident, and once more those pairs of theirs that are gone, without a
    HASHDIFF: one MERGE deletes these, updates pairs whose HASHDIFF differs, leaves the others untouched. Deleting by
    incident and inserting again would miss an incident that lost its last service (it brings no row into the batch)
    and would rewrite every pair of the lookback in each run. -#}

with incidents as (
    select
        incident_key,
        workspace,
        incident_id,
        incident_date,
        affected_services,
        is_deleted,
        _ingested_at,
        _anchor_at
    from {{ ref('int_ops__incidents_unioned') }}
    {{ ingested_since_lookback() }}
),

named as (
    select
        incidents.incident_key,
        incidents.workspace,
        incidents.incident_id,
        incidents.incident_date,
        cast(service.value['id'] as varchar) as service_id,
        cast(service.value['name'] as varchar) as service_name,
        incidents._ingested_at,
        incidents._anchor_at
    from incidents, lateral flatten(input => incidents.affected_services) as service
    where not incidents.is_deleted
      and cast(service.value['id'] as varchar) is not null
),

pairs as (
    select
        sha2(concat_ws('|', incident_key, service_id), 256) as incident_service_key,
        incident_key,
        workspace,
        incident_id,
        service_id,
        service_name,
        incident_date,
        sha2(concat_ws('|', coalesce(service_name, ''), to_char(incident_date, 'YYYY-MM-DD')), 256) as hashdiff,
        _ingested_at,
        _anchor_at
    from named
    qualify row_number() over (partition by incident_key, service_id order by service_name) = 1
),

{% if is_incremental() -%}
gone as (
    select
        present.incident_service_key,
        present.incident_key,
        present.workspace,
        present.incident_id,
        present.service_id,
        present.service_name,
        present.incident_date,
        cast(null as varchar) as hashdiff,
        present._ingested_at,
        present._anchor_at
    from {{ this }} as present
    inner join incidents on present.incident_key = incidents.incident_key
    left join pairs on present.incident_service_key = pairs.incident_service_key
    where pairs.incident_service_key is null
),

{% endif -%}
final as (
    select * from pairs
    {%- if is_incremental() %}
    union all
    select * from gone
    {%- endif %}
)

select * from final
