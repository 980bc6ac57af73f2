{{ config(severity='warn') }}
{#- The newest full week has about as many incidents as the four before it have on average. A warning: a bad week is
    possible, a source that lost half of its incidents is too. Weeks end at the newest incident, not at the clock. -#}

with weeks as (
    select
        workspace,
        floor(datediff('day', incident_date, max(incident_date) over (partition by workspace)) / 7) as weeks_ago
    from {{ ref('fct_ops__incidents') }}
    where not is_deleted
),

counted as (
    select
        workspace,
        count_if(weeks_ago = 0) as newest_week,
        count_if(weeks_ago between 1 and 4) / 4 as usual_week
    from weeks
    group by workspace
)

select workspace, newest_week, usual_week
from counted
where usual_week >= {{ var('row_count_minimum') }}
    and abs(newest_week - usual_week) > usual_week * {{ var('row_count_variance_percent') }} / 100
