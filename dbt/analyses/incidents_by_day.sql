-- One row per workspace and day from its first incident to its last, days without incidents included.

with days as (
    {{ date_spine_filter(
        "(select min(incident_date) from " ~ ref('fct_ops__incidents') ~ ")",
        "(select max(incident_date) from " ~ ref('fct_ops__incidents') ~ ")",
    ) }}
),

spans as (
    select workspace, min(incident_date) as first_date, max(incident_date) as last_date
    from {{ ref('fct_ops__incidents') }}
    group by workspace
)

select spans.workspace, days.date_day as incident_date, count(fact.incident_key) as incidents
from spans
inner join days on days.date_day between spans.first_date and spans.last_date
left join {{ ref('fct_ops__incidents') }} as fact
    on fact.workspace = spans.workspace and fact.incident_date = days.date_day and not fact.is_deleted
group by spans.workspace, days.date_day
order by spans.workspace, days.date_day
