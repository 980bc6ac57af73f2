{{
    config(
        tags=['slo'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='daily_key',
        tmp_relation_type='table',
        cluster_by=['measured_date'],
        on_schema_change='append_new_columns',
    )
}}
{#- An hour that comes late or is re-stated changes its own day and every later day whose window reaches back to it; a
    version of an objective changes the days that it is valid on, and their successors' windows. So a row's _ingested_at is
    the newest load of anything in its window, and the cut by it finds all of them. An increment reads, of the objectives
    that its batch changes, the days from the objective's longest window before the first change on: whole windows for
    every row that it writes, and no more of the history. -#}

{%- set cut = ingestion_cut() %}

with {% if cut -%}
changed as (
    {{ slo_changes(cut) }}
),

reaching_back as (
    select
        changed.objective_key,
        dateadd(
            'day',
            1 - max(iff(versions.window_kind = 'calendar_month', 31, coalesce(versions.window_days, 1))),
            changed.changed_from
        ) as read_from
    from changed
    left join {{ ref('int_slo__objective_versions') }} as versions on versions.objective_key = changed.objective_key
    group by changed.objective_key, changed.changed_from
),

{% endif -%}
days as (
    select
        hours.objective_key,
        hours.monitor,
        hours.slo_id,
        hours.measured_date,
        sum(hours.good_events) as good_events,
        sum(hours.total_events) as total_events,
        sum(hours.bad_events) as bad_events,
        count_if(hours.is_counted) as hours_counted,
        count_if(hours.is_impossible) as hours_impossible,
        boolor_agg(hours.is_restated) as is_restated,
        max(hours._ingested_at) as _ingested_at
    from {{ ref('int_slo__measurements') }} as hours
    {%- if cut %}
    inner join reaching_back
        on reaching_back.objective_key = hours.objective_key and hours.measured_date >= reaching_back.read_from
    {%- endif %}
    group by hours.objective_key, hours.monitor, hours.slo_id, hours.measured_date
),

judged as (
    select
        days.objective_key,
        days.monitor,
        days.slo_id,
        days.measured_date,
        days.good_events,
        days.total_events,
        days.bad_events,
        days.hours_counted,
        days.hours_impossible,
        days.is_restated,
        versions.objective_name,
        versions.service,
        versions.team,
        versions.indicator,
        versions.target,
        versions.window_kind,
        versions.window_days,
        cast((1 - versions.target) * days.total_events as number(38, 6)) as budget_events,
        case
            when versions.window_kind = 'calendar_month' then cast(date_trunc('month', days.measured_date) as date)
            else cast(dateadd('day', 1 - coalesce(versions.window_days, 1), days.measured_date) as date)
        end as window_start_date,
        greatest(days._ingested_at, coalesce(versions._ingested_at, days._ingested_at)) as _ingested_at
    from days
    left join {{ ref('int_slo__objective_versions') }} as versions
        on versions.objective_key = days.objective_key
        and days.measured_date >= versions.valid_from
        and days.measured_date < versions.valid_to
),

windows as (
    select
        judged.objective_key,
        judged.measured_date,
        sum(earlier.total_events) as window_total_events,
        sum(earlier.bad_events) as window_bad_events,
        sum(earlier.budget_events) as window_budget_events,
        max(earlier._ingested_at) as _ingested_at
    from judged
    inner join judged as earlier
        on earlier.objective_key = judged.objective_key
        and earlier.measured_date between judged.window_start_date and judged.measured_date
    group by judged.objective_key, judged.measured_date
),

final as (
    select
        -- ids
        sha2(concat_ws('|', judged.objective_key, to_char(judged.measured_date, 'YYYY-MM-DD')), 256) as daily_key,
        judged.objective_key,
        judged.monitor,
        judged.slo_id,

        -- text
        judged.objective_name,
        judged.service,
        judged.team,
        judged.indicator,
        judged.window_kind,

        -- numbers
        judged.good_events,
        judged.total_events,
        judged.bad_events,
        judged.hours_counted,
        judged.hours_impossible,
        {{ share_of_events('judged.good_events', 'judged.total_events') }} as attainment,
        judged.target,
        judged.window_days,
        windows.window_total_events,
        windows.window_bad_events,
        {{ share_of_events('windows.window_total_events - windows.window_bad_events', 'windows.window_total_events') }}
            as window_attainment,
        cast(windows.window_budget_events as number(38, 6)) as error_budget_events,
        cast(windows.window_budget_events - windows.window_bad_events as number(38, 6)) as error_budget_left_events,
        {{ share_of_events(
            'windows.window_budget_events - windows.window_bad_events', 'windows.window_budget_events'
        ) }} as error_budget_left_share,

        -- booleans
        iff(judged.total_events = 0, null, judged.good_events >= judged.target * judged.total_events) as is_met,
        judged.is_restated,

        -- times
        judged.measured_date,
        judged.window_start_date,

        -- meta
        windows._ingested_at,
        cast(judged.measured_date as timestamp_ntz) as _anchor_at
    from judged
    inner join windows
        on windows.objective_key = judged.objective_key and windows.measured_date = judged.measured_date
)

select * from final
{%- if cut %}
where _ingested_at >= {{ cut }}
{%- endif %}
