{#- The columns of the staging models of SLO monitors, from the RAW tables'. An objective's id is the monitor's own, so its
    key is of both. -#}

{% macro slo_objective_columns() %}
    -- ids
    {{ slo_objective_key() }} as objective_key,
    monitor,
    slo_id,

    -- text
    name as objective_name,
    service,
    team,
    indicator,
    window_kind,

    -- numbers
    cast(target as number(38, 6)) as target,
    cast(window_days as integer) as window_days,

    -- booleans
    is_retired,

    -- times, all UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ slo_meta_columns() }}
{% endmacro %}


{% macro slo_measurement_columns() %}
    -- ids
    {{ slo_objective_key() }} as objective_key,
    monitor,
    slo_id,

    -- numbers
    cast(good_events as integer) as good_events,
    cast(total_events as integer) as total_events,

    -- booleans
    is_restated,

    -- times, all UTC
    {{ utc('hour_start_at') }} as hour_start_at,
    {{ utc('reported_at') }} as reported_at,
    {{ slo_meta_columns() }}
{% endmacro %}


{% macro slo_meta_columns() %}
    -- meta
    dq_valid,
    dq_flags,
    _is_deleted,
    _source,
    _window_id,
    _source_file,
    _run_id,
    {{ utc('_observed_at') }} as _observed_at,
    {{ utc('_ingested_at') }} as _ingested_at,
    {{ utc('_anchor_at') }} as _anchor_at
{%- endmacro %}


{% macro slo_objective_key() -%}
  sha2(concat_ws('|', monitor, slo_id), 256)
{%- endmacro %}


{#- A share of events to ten decimals, NULL where there were none. -#}
{% macro share_of_events(part, whole) -%}
  cast({{ safe_divide('cast(' ~ part ~ ' as number(38, 10))', whole) }} as number(38, 10))
{%- endmacro %}


{#- The body of a CTE with one row an objective of the batch: objective_key, and changed_from, the first day on which one of
    its hours or versions was loaded since the cut. No row of a mart before that day changes, and no other objective's. -#}
{% macro slo_changes(cut) -%}
    select
        objective_key,
        min(changed_on) as changed_from
    from (
        select
            objective_key,
            measured_date as changed_on
        from {{ ref('int_slo__measurements') }}
        where _ingested_at >= {{ cut }}
        union all
        select
            objective_key,
            -- a first version counts from the beginning of time, and nobody can go back from there
            greatest(valid_from, to_date('1970-01-01')) as changed_on
        from {{ ref('int_slo__objective_versions') }}
        where _ingested_at >= {{ cut }}
    ) as loaded
    group by objective_key
{%- endmacro %}


{#- Whether a relation that another pipeline builds is there yet: whoever reads it is built without it until then. -#}
{% macro is_built(relation) -%}
  {{ return(not execute or load_relation(relation) is not none) }}
{%- endmacro %}
