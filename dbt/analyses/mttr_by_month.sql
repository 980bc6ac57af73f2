-- One row per workspace, temperature, severity and month: how many incidents, and the median and the 90th percentile of
-- the time to detect, respond and resolve. Incidents without a usable time do not enter that time's figures; the
-- *_known_share columns say how many do. Deleted incidents are left out.

select
    workspace,
    temperature,
    severity_name,
    cast(date_trunc('month', incident_date) as date) as incident_month,
    count(*) as incidents,
    median(time_to_detect_sec) as time_to_detect_median_sec,
    percentile_cont(0.9) within group (order by time_to_detect_sec) as time_to_detect_p90_sec,
    median(time_to_respond_sec) as time_to_respond_median_sec,
    percentile_cont(0.9) within group (order by time_to_respond_sec) as time_to_respond_p90_sec,
    median(time_to_resolve_sec) as time_to_resolve_median_sec,
    percentile_cont(0.9) within group (order by time_to_resolve_sec) as time_to_resolve_p90_sec,
    {{ safe_divide('count(time_to_detect_sec)', 'count(*)') }} as time_to_detect_known_share,
    {{ safe_divide('count(time_to_respond_sec)', 'count(*)') }} as time_to_respond_known_share,
    {{ safe_divide('count(time_to_resolve_sec)', 'count(*)') }} as time_to_resolve_known_share
from {{ ref('fct_ops__incidents') }}
where not is_deleted
group by workspace, temperature, severity_name, incident_month
order by workspace, incident_month, temperature, severity_name
