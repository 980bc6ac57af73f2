{{ config(severity='error') }}
{#- The extraction estimates tokens in Python, dbt estimates them again in SQL, because a constant may have changed since:
    where both go by the same version, both must say the same. Left out are people whom a tool spelled in several ways on
    a day: the extraction cannot know that they are one, dbt can. -#}

with landed as (
    {%- for tool in var('ai_tools') %}
    select
        tool,
        usage_date,
        actor_key,
        model,
        tokens_estimated,
        estimation_method,
        estimator_version,
        actor_spelling_key
    from {{ ref(tool.staging_model) }}
    where not _is_deleted
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

spelled as (
    select tool, usage_date, actor_key, count(distinct actor_spelling_key) as spellings
    from landed
    group by tool, usage_date, actor_key
)

select metrics.metric_key
from {{ ref('int_ai_telemetry__tool_daily_metrics') }} as metrics
inner join landed
    on landed.tool = metrics.tool
    and landed.usage_date = metrics.usage_date
    and landed.actor_key = metrics.actor_key
    and landed.model = metrics.model
inner join spelled
    on spelled.tool = metrics.tool and spelled.usage_date = metrics.usage_date and spelled.actor_key = metrics.actor_key
where spelled.spellings = 1
    and landed.estimator_version = metrics.estimator_version
    and (
        landed.tokens_estimated is distinct from metrics.tokens_estimated
        or landed.estimation_method is distinct from metrics.estimation_method
    )
