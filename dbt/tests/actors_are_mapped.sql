{{ config(severity='warn') }}
{#- The list of accounts knows everybody who used a tool. A warning: who is not on it is counted as a person without a team
    until they are entered. -#}

select actor_key, actor_kind, first_usage_date, last_usage_date
from {{ ref('dim_ai_telemetry__actors') }}
where is_person and not is_mapped and last_usage_date is not null
