{{ config(severity='error') }}
{#- Every incident that the sources still have is in the fact, in the version that RAW has. What was loaded after the
    newest load that the fact has seen came while dbt was running and is left to the next build. -#}

with raw_incidents as (
    {%- for workspace in var('incident_io_workspaces') %}
    select workspace, incident_id, {{ utc('updated_at') }} as updated_at, {{ utc('_ingested_at') }} as _ingested_at
    from {{ source('incident_io', workspace.source_table) }}
    where workspace = '{{ workspace.name }}' and not _is_deleted
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select raw_incidents.workspace, raw_incidents.incident_id
from raw_incidents
left join {{ ref('fct_ops__incidents') }} as fact
    on fact.workspace = raw_incidents.workspace and fact.incident_id = raw_incidents.incident_id
where (fact.incident_key is null or fact.updated_at < raw_incidents.updated_at)
    and raw_incidents._ingested_at <= (
        select coalesce(max(_ingested_at), to_timestamp_ntz('9999-12-31')) from {{ ref('fct_ops__incidents') }}
    )
