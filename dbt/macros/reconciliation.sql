{#- What does not come out even, of the runs of the last `reconciliation_days` and of these pipelines (names joined by
    commas, all when there are none; with `others` on, all but these).

    Of a window's revisions only the newest that got anywhere counts: a replay that comes out even settles what did not. -#}


{% macro runs_to_reconcile(pipelines, others) -%}
    select * from {{ ref('fct_ops__pipeline_runs') }}
    where window_end >= (
        select dateadd('day', -{{ var('reconciliation_days') }}, max(window_end))
        from {{ ref('fct_ops__pipeline_runs') }}
    )
    {%- if pipelines %}
    and pipeline_name {{ 'not ' if others }}in ('{{ pipelines.split(",") | join("', '") }}')
    {%- elif others %}
    and false
    {%- endif %}
{%- endmacro %}


{#- One row per run whose records are not all kept, rejected or skipped, or went into rows that are not there. -#}
{% macro unaccounted_runs(pipelines, others=false) %}
with runs as (
    {{ runs_to_reconcile(pipelines, others) }}
),

newest as (
    select source_name, window_id, max(revision) as revision
    from runs
    where status <> 'failed'
    group by source_name, window_id
)

select
    runs.source_name,
    runs.window_id,
    runs.revision,
    runs.run_id,
    runs.step,
    runs.records_read,
    runs.records_kept,
    runs.records_rejected,
    runs.records_skipped,
    runs.rows_landed
from runs
left join newest on newest.source_name = runs.source_name and newest.window_id = runs.window_id
where runs.revision >= coalesce(newest.revision, 0)
    and (
        runs.records_unaccounted <> 0
        or (runs.records_kept > 0 and runs.rows_landed = 0)
        or (runs.rows_landed > 0 and runs.records_kept + runs.records_rejected = 0)
    )
{% endmacro %}


{#- One row per window and revision of a source with fewer rows loaded than landed.

    A load that was repeated told of the same rows again, and one that failed of none: the most that any of a part's runs
    tells is what is loaded. What landed for a window is compared once the window is complete, and only extractions that
    began before that: the parts of a later one may be under way. -#}
{% macro unloaded_windows(pipelines, others=false) %}
with runs as (
    {{ runs_to_reconcile(pipelines, others) }}
),

parts as (
    select
        source_name,
        window_id,
        revision,
        first_part,
        max(rows_landed) as rows_landed,
        max(rows_loaded) as rows_loaded,
        count_if(status = 'done') > 0 as is_done
    from runs
    where step = 'load'
    group by source_name, window_id, revision, first_part
),

loaded as (
    select
        source_name,
        window_id,
        revision,
        sum(rows_loaded) as rows_loaded,
        sum(case when is_done and rows_loaded <> rows_landed then 1 else 0 end) as miscounted_parts
    from parts
    group by source_name, window_id, revision
),

closed as (
    select source_name, window_id, max(closed_at) as closed_at
    from {{ ref('stg_ops__pipeline_windows') }}
    where status = 'complete'
    group by source_name, window_id
),

landed as (
    select runs.source_name, runs.window_id, runs.revision, sum(runs.rows_landed) as rows_landed
    from runs
    inner join closed on closed.source_name = runs.source_name and closed.window_id = runs.window_id
    where runs.step = 'extract' and runs.started_at <= closed.closed_at
    group by runs.source_name, runs.window_id, runs.revision
),

compared as (
    select
        coalesce(landed.source_name, loaded.source_name) as source_name,
        coalesce(landed.window_id, loaded.window_id) as window_id,
        coalesce(landed.revision, loaded.revision) as revision,
        landed.rows_landed,
        coalesce(loaded.rows_loaded, 0) as rows_loaded,
        coalesce(loaded.miscounted_parts, 0) as miscounted_parts
    from landed
    full outer join loaded
        on loaded.source_name = landed.source_name
        and loaded.window_id = landed.window_id
        and loaded.revision = landed.revision
),

newest as (
    select * from compared
    qualify row_number() over (partition by source_name, window_id order by revision desc) = 1
)

select * from newest
where rows_landed > rows_loaded or miscounted_parts > 0
{% endmacro %}
