{{
    config(
        tags=['slo'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='hourly_key',
        tmp_relation_type='table',
        cluster_by=['measured_date'],
        on_schema_change='append_new_columns',
    )
}}
{#- How fast the error budget is spent: the share of bad events over the share that the target allows, so that 1 spends
    exactly the budget in exactly the window. A row's _ingested_at is the newest load within its three days, so that a
    re-stated hour builds the rows after it anew. An increment reads, of the objectives that its batch changes, the hours
    from three days before the first change on: whole spans for every row that it writes, and no more of the history. -#}

{%- set spans = {'1h': 0, '6h': 5, '3d': 71} -%}
{%- set cut = ingestion_cut() %}

with {% if cut -%}
changed as (
    {{ slo_changes(cut) }}
),

{% endif -%}
hours as (
    select
        measured.objective_key,
        measured.monitor,
        measured.slo_id,
        measured.hour_start_at,
        measured.measured_date,
        measured.bad_events,
        measured.total_events,
        versions.service,
        versions.target,
        greatest(measured._ingested_at, coalesce(versions._ingested_at, measured._ingested_at)) as _ingested_at
    from {{ ref('int_slo__measurements') }} as measured
    {%- if cut %}
    inner join changed
        on changed.objective_key = measured.objective_key
        and measured.measured_date >= dateadd('day', -3, changed.changed_from)
    {%- endif %}
    left join {{ ref('int_slo__objective_versions') }} as versions
        on versions.objective_key = measured.objective_key
        and measured.measured_date >= versions.valid_from
        and measured.measured_date < versions.valid_to
),

summed as (
    select
        objective_key,
        monitor,
        slo_id,
        service,
        target,
        hour_start_at,
        measured_date
        {%- for span, hours_before in spans.items() %},
        sum(bad_events) over (
            partition by objective_key order by hour_start_at
            range between interval '{{ hours_before }} hours' preceding and current row
        ) as bad_events_{{ span }},
        sum(total_events) over (
            partition by objective_key order by hour_start_at
            range between interval '{{ hours_before }} hours' preceding and current row
        ) as total_events_{{ span }}
        {%- endfor %},
        max(_ingested_at) over (
            partition by objective_key order by hour_start_at
            range between interval '{{ spans['3d'] }} hours' preceding and current row
        ) as _ingested_at
    from hours
),

final as (
    select
        -- ids
        sha2(concat_ws('|', objective_key, to_char(hour_start_at, 'YYYY-MM-DD HH24:MI:SS')), 256) as hourly_key,
        objective_key,
        monitor,
        slo_id,

        -- text
        service,

        -- numbers
        target,
        {%- for span in spans %}
        bad_events_{{ span }},
        total_events_{{ span }},
        cast({{ safe_divide(
            'cast(bad_events_' ~ span ~ ' as number(38, 10))', '((1 - target) * total_events_' ~ span ~ ')'
        ) }} as number(38, 6)) as burn_rate_{{ span }},
        {%- endfor %}

        -- times
        hour_start_at,
        measured_date,

        -- meta
        _ingested_at,
        hour_start_at as _anchor_at
    from summed
)

select * from final
{%- if cut %}
where _ingested_at >= {{ cut }}
{%- endif %}
