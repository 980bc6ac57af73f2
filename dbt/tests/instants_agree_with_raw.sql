{{ config(severity='error') }}
{#- The extraction maps a workspace's instants in Python, staging maps them in SQL: both must say the same. -#}

{%- for workspace in var('incident_io_workspaces') %}
select staged.workspace, staged.incident_id
from {{ ref('stg_incident_io__' ~ workspace.name ~ '__incidents') }} as staged
inner join {{ source('incident_io', workspace.source_table) }} as landed
    on landed.workspace = staged.workspace and landed.incident_id = staged.incident_id
where {% for stamp in incident_io_stamps() -%}
    staged.{{ stamp }} is distinct from {{ utc('landed.' ~ stamp) }}
    {%- if not loop.last %}
    or {% endif %}
    {%- endfor %}
{% if not loop.last %}union all{% endif %}
{%- endfor %}
