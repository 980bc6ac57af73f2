{{
    config(
        tags=['ops_incidents'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='incident_update_key',
        tmp_relation_type='table',
        on_schema_change='append_new_columns',
    )
}}
{#- A row says nothing of the updates before and after it: they may come later, and would leave it as it was. -#}

with updates as (
    select * from {{ ref('stg_incident_io__incident_updates') }}
    {{ ingested_since_lookback() }}
),

final as (
    select
        -- ids
        sha2(concat_ws('|', workspace, update_id), 256) as incident_update_key,
        sha2(concat_ws('|', workspace, incident_id), 256) as incident_key,
        workspace,
        update_id,
        incident_id,
        merged_into_incident_id,

        -- text
        status_name,
        status_category,
        severity_name,
        updater_kind,
        updater_email_hash,

        -- numbers
        severity_rank,

        -- times
        created_at,

        -- meta
        _window_id,
        _run_id,
        _ingested_at,
        _anchor_at
    from updates
)

select * from final
