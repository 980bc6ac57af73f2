{#- Where every objective stands at its newest day: its window's attainment against the target, what is left of the error
    budget, how fast it was spent last, and the incident that burnt most of it in the window. -#}

with newest as (
    select *
    from {{ ref('fct_slo__daily_attainment') }}
    qualify row_number() over (partition by objective_key order by measured_date desc) = 1
),

rates as (
    select objective_key, hour_start_at, burn_rate_1h, burn_rate_6h, burn_rate_3d
    from {{ ref('fct_slo__burn_rates') }}
    qualify row_number() over (partition by objective_key order by hour_start_at desc) = 1
),

worst as (
    select newest.objective_key, burnt.incident_key, burnt.bad_events
    from newest
    inner join {{ ref('bridge_slo__incident_burn') }} as burnt
        on burnt.objective_key = newest.objective_key
        and cast(burnt.last_hour_at as date) >= newest.window_start_date
    qualify row_number() over (partition by newest.objective_key order by burnt.bad_events desc, burnt.incident_key) = 1
)

select
    newest.monitor,
    newest.objective_name,
    newest.service,
    newest.team,
    newest.measured_date,
    newest.target,
    newest.window_attainment,
    newest.error_budget_left_share,
    rates.burn_rate_1h,
    rates.burn_rate_6h,
    rates.burn_rate_3d,
    worst.incident_key as worst_incident_key,
    worst.bad_events as worst_incident_bad_events
from newest
left join rates on rates.objective_key = newest.objective_key
left join worst on worst.objective_key = newest.objective_key
order by newest.error_budget_left_share nulls last, newest.monitor, newest.objective_name
