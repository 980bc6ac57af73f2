{{ config(tags=['ai_dx_metrics']) }}
{#- All versions of a tool's constant side by side: changing it in the registry re-states the mart by the new version, and
    what the old one said can still be read here. -#}

with metrics as (
    select
        metric_key,
        tool,
        usage_date,
        actor_key,
        model,
        requests,
        sessions,
        accepted_lines,
        tokens_are_told,
        is_deleted
    from {{ ref('int_ai_telemetry__tool_daily_metrics') }}
),

estimators as (
    {{- ai_tool_estimators() }}
),

estimated as (
    select
        metrics.metric_key,
        metrics.tool,
        metrics.usage_date,
        metrics.actor_key,
        metrics.model,
        estimators.estimator_version,
        estimators.method,
        estimators.is_in_force,
        {{ estimated_tokens('metrics', 'estimators') }} as tokens_estimated,
        metrics.is_deleted
    from metrics
    inner join estimators on estimators.tool = metrics.tool
),

final as (
    select
        -- ids
        metric_key,
        tool,
        actor_key,
        model,

        -- text
        estimator_version,
        iff(tokens_estimated is null, 'none', method) as estimation_method,

        -- numbers
        tokens_estimated,

        -- booleans
        is_in_force,
        is_deleted,

        -- times
        usage_date
    from estimated
)

select * from final
