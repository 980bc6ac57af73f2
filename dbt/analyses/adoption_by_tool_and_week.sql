-- One row per tool and ISO week (UTC, named by its Monday) with use: how many engineers were active, how many requests,
-- lines and tokens there were, reported and estimated apart, and what it cost where the tool tells. Engineers are persons,
-- whatever spellings they go by; requests, tokens and cost include programs with keys of their own.

select
    fact.tool,
    {{ week_start('fact.usage_date') }} as week_start,
    {{ iso_week('fact.usage_date') }} as iso_week,
    count(distinct iff(actors.is_person, actors.person_key, null)) as active_engineers,
    count(distinct iff(actors.is_person and not actors.is_mapped, actors.person_key, null)) as of_these_unmapped,
    sum(fact.requests) as requests,
    sum(fact.accepted_lines) as accepted_lines,
    sum(fact.tokens_reported) as tokens_reported,
    sum(fact.tokens_estimated) as tokens_estimated,
    sum(fact.tokens_total) as tokens_total,
    sum(fact.cost_usd) as cost_usd,
    sum(fact.credits) as credits
from {{ ref('fct_ai_telemetry__tool_daily_metrics') }} as fact
inner join {{ ref('dim_ai_telemetry__actors') }} as actors on actors.actor_key = fact.actor_key
where fact.is_active and not fact.is_deleted
group by fact.tool, {{ week_start('fact.usage_date') }}, {{ iso_week('fact.usage_date') }}
order by fact.tool, week_start
