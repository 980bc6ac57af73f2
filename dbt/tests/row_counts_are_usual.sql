{{ config(severity='warn') }}
{#- A source's newest whole day brought about as many rows as its days do on average. A warning: a quiet day is possible, a
    source that lost half of its rows is too. Days end with the windows, not with the clock.

    A day is whole when it has as many windows as the days before; windows count that closed without the source as well.
    Replays do not add to what they repeat. Left out are the source's first day, which brings its history, windows in
    which the whole history was read again, and sources without a window since `row_count_history_days`. -#}
{%- set history = "partition by days.source_name order by days.window_day rows between "
    ~ var('row_count_history_days') ~ " preceding and 1 preceding" %}

with windows as (
    select
        source_name,
        window_id,
        status,
        rows_landed,
        cast(dateadd('second', -1, window_end) as date) as window_day
    from {{ ref('stg_ops__pipeline_windows') }}
),

parts as (
    select source_name, window_id, revision, first_part, max(rows_loaded) as rows_loaded, count_if(is_full) > 0 as is_full
    from {{ ref('fct_ops__pipeline_runs') }}
    where step = 'load'
    group by source_name, window_id, revision, first_part
),

revisions as (
    select source_name, window_id, revision, sum(rows_loaded) as rows_loaded, count_if(is_full) > 0 as is_full
    from parts
    group by source_name, window_id, revision
),

loaded as (
    select source_name, window_id, max(rows_loaded) as rows_loaded, count_if(is_full) > 0 as is_full
    from revisions
    group by source_name, window_id
),

days as (
    select
        windows.source_name,
        windows.window_day,
        count(*) as windows_closed,
        count_if(not coalesce(loaded.is_full, false)) as windows_counted,
        sum(case when loaded.is_full then 0 else coalesce(loaded.rows_loaded, windows.rows_landed) end) as rows_loaded
    from windows
    left join loaded on loaded.source_name = windows.source_name and loaded.window_id = windows.window_id
    group by windows.source_name, windows.window_day
),

first_days as (
    select source_name, min(window_day) as first_day
    from windows
    where status = 'complete'
    group by source_name
),

compared as (
    select
        days.source_name,
        days.window_day,
        days.windows_closed,
        days.rows_loaded,
        count(*) over ({{ history }}) as history_days,
        max(days.windows_closed) over ({{ history }}) as usual_windows,
        avg(days.rows_loaded) over ({{ history }}) as usual_rows
    from days
    inner join first_days on first_days.source_name = days.source_name
    where days.windows_counted > 0 and days.window_day > first_days.first_day
),

newest as (
    select * from compared
    where history_days = {{ var('row_count_history_days') }} and windows_closed >= usual_windows
    qualify row_number() over (partition by source_name order by window_day desc) = 1
)

select source_name, window_day, rows_loaded, usual_rows
from newest
where usual_rows >= {{ var('row_count_minimum') }}
    and abs(rows_loaded - usual_rows) > usual_rows * {{ var('row_count_variance_percent') }} / 100
    and window_day >= dateadd('day', -{{ var('row_count_history_days') }}, (select max(window_day) from windows))
