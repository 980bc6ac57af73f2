{{ config(tags=['ai_dx_metrics']) }}
{#- A tool may spell one actor in several ways on one day, and may change the spelling when it states the day again. The
    spellings share an actor_key and are added up here; one that is no longer stated counts only where no other is. The
    newest load of any of them is the row's, so that an incremental mart sees it when one of them goes. -#}

with spellings as (
    {%- for tool in var('ai_tools') %}
    select
        tool,
        usage_date,
        actor_key,
        model,
        actor_kind,
        requests,
        sessions,
        accepted_lines,
        input_tokens,
        cache_read_tokens,
        cache_write_tokens,
        output_tokens,
        tokens_reported,
        cost_usd,
        credits,
        is_active,
        is_late,
        is_restated,
        restated_at,
        dq_valid,
        dq_flags,
        _is_deleted,
        _window_id,
        _run_id,
        _observed_at,
        _ingested_at,
        _anchor_at
    from {{ ref(tool.staging_model) }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

stated as (
    select
        *,
        max(_ingested_at) over (partition by tool, usage_date, actor_key, model) as newest_ingested_at
    from spellings
    qualify not _is_deleted
        or count_if(not _is_deleted) over (partition by tool, usage_date, actor_key, model) = 0
),

metrics as (
    select
        sha2(concat_ws('|', tool, to_char(usage_date, 'YYYY-MM-DD'), actor_key, model), 256) as metric_key,
        tool,
        usage_date,
        actor_key,
        model,
        min(actor_kind) as actor_kind,
        sum(requests) as requests,
        sum(sessions) as sessions,
        sum(accepted_lines) as accepted_lines,
        sum(input_tokens) as input_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_tokens) as cache_write_tokens,
        sum(output_tokens) as output_tokens,
        sum(tokens_reported) as tokens_reported,
        cast(sum(cost_usd) as number(38, 6)) as cost_usd,
        cast(sum(credits) as number(38, 6)) as credits,
        boolor_agg(is_active) as is_active,
        boolor_agg(is_late) as is_late,
        boolor_agg(is_restated) as is_restated,
        max(restated_at) as restated_at,
        booland_agg(dq_valid) as dq_valid,
        parse_json(min_by(to_json(dq_flags), iff(dq_valid, 1, 0))) as dq_flags,
        booland_agg(_is_deleted) as is_deleted,
        max(_window_id) as _window_id,
        max_by(_run_id, _observed_at) as _run_id,
        max(newest_ingested_at) as _ingested_at,
        min(_anchor_at) as _anchor_at
    from stated
    group by tool, usage_date, actor_key, model
),

-- a tool that tells lines for all models together and tokens by model must not have both counted
told as (
    select
        *,
        count_if(tokens_reported is not null and not is_deleted) over (partition by tool, usage_date, actor_key) > 0
            or tokens_reported is not null as tokens_are_told
    from metrics
),

estimators as (
    {{- ai_tool_estimators() }}
),

estimated as (
    select
        told.*,
        {{ estimated_tokens('told', 'estimators') }} as tokens_estimated,
        coalesce(told.tokens_reported, tokens_estimated) as tokens_total,
        iff(tokens_estimated is null, 'none', estimators.method) as estimation_method,
        estimators.estimator_version
    from told
    inner join estimators on estimators.tool = told.tool and estimators.is_in_force
),

final as (
    select
        {{- ai_tool_metric_columns() }},
        tokens_are_told
    from estimated
)

select * from final
