{{ config(tags=['slo']) }}

{%- for monitor in var('slo_monitors') %}
select
    objective_key,
    monitor,
    slo_id,
    objective_name,
    service,
    team,
    indicator,
    target,
    window_kind,
    window_days,
    is_retired or _is_deleted as is_retired,
    created_at,
    updated_at,
    _ingested_at
from {{ ref(monitor.objectives_model) }}
{% if not loop.last %}union all{% endif %}
{%- endfor %}
