{{ config(tags=['slo'], materialized='table') }}
{#- Built whole: an incident's times and services change for weeks, and there are few. An incident burnt what went bad of
    its services' objectives in the hours that its impact touches; hours are the finest that monitors tell, and an hour
    that two incidents share counts for both. An open incident lasts until the newest hour.

    Incidents come from another pipeline. Until it has built them once there is nothing to join, and this is empty. -#}

{%- set incidents = ref('fct_ops__incidents') -%}
{%- set services = ref('bridge_ops__incident_service') %}

with incidents as (
    {%- if is_built(incidents) and is_built(services) %}
    select distinct
        incidents.incident_key,
        lower(trim(services.service_name)) as service,
        coalesce(incidents.impact_started_at, incidents.created_at) as impact_started_at,
        coalesce(incidents.fixed_at, incidents.resolved_at, to_timestamp_ntz('9999-12-31 00:00:00')) as impact_ended_at
    from {{ incidents }} as incidents
    inner join {{ services }} as services on services.incident_key = incidents.incident_key
    where not incidents.is_deleted
    {%- else %}
    select
        cast(null as varchar) as incident_key,
        cast(null as varchar) as service,
        cast(null as timestamp_ntz) as impact_started_at,
        cast(null as timestamp_ntz) as impact_ended_at
    where false
    {%- endif %}
),

burnt as (
    select
        incidents.incident_key,
        hours.objective_key,
        hours.monitor,
        hours.slo_id,
        hours.service,
        min(hours.hour_start_at) as first_hour_at,
        max(hours.hour_start_at) as last_hour_at,
        max(hours.measured_date) as last_date,
        count(*) as hours_touched,
        sum(hours.bad_events_1h) as bad_events,
        sum(hours.total_events_1h) as total_events,
        max(hours.burn_rate_1h) as highest_burn_rate_1h
    from incidents
    inner join {{ ref('fct_slo__burn_rates') }} as hours
        on lower(trim(hours.service)) = incidents.service
        and hours.hour_start_at < incidents.impact_ended_at
        and dateadd('hour', 1, hours.hour_start_at) > incidents.impact_started_at
    group by incidents.incident_key, hours.objective_key, hours.monitor, hours.slo_id, hours.service
    having sum(hours.bad_events_1h) > 0
),

final as (
    select
        -- ids
        sha2(concat_ws('|', burnt.incident_key, burnt.objective_key), 256) as incident_burn_key,
        burnt.incident_key,
        burnt.objective_key,
        burnt.monitor,
        burnt.slo_id,

        -- text
        burnt.service,

        -- numbers
        burnt.hours_touched,
        burnt.bad_events,
        burnt.total_events,
        burnt.highest_burn_rate_1h,
        days.error_budget_events,
        {{ share_of_events('burnt.bad_events', 'days.error_budget_events') }} as error_budget_burnt_share,

        -- times
        burnt.first_hour_at,
        burnt.last_hour_at
    from burnt
    left join {{ ref('fct_slo__daily_attainment') }} as days
        on days.objective_key = burnt.objective_key and days.measured_date = burnt.last_date
)

select * from final
