{{ config(severity='error') }}
{#- By tool and day, what the tools still state is in the fact, to the token and the cent: nothing lost, nothing twice,
    whatever names the actors go by. A day that was loaded after the newest load that the fact has seen came while dbt was
    running and is left to the next build. -#}

with landed as (
    {%- for tool in var('ai_tools') %}
    select
        '{{ tool.name }}' as tool,
        cast(usage_date as date) as usage_date,
        sum(iff(_is_deleted, 0, coalesce(requests, 0))) as requests,
        sum(iff(_is_deleted, 0, coalesce(accepted_lines, 0))) as accepted_lines,
        sum(iff(_is_deleted, 0, coalesce(tokens_reported, 0))) as tokens_reported,
        sum(iff(_is_deleted, 0, coalesce(cost_usd, 0))) as cost_usd,
        sum(iff(_is_deleted, 0, coalesce(credits, 0))) as credits,
        max({{ utc('_ingested_at') }}) as _ingested_at
    from {{ source('ai_telemetry', tool.source_table) }}
    where tool = '{{ tool.name }}'
    group by usage_date
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

built as (
    select
        tool,
        usage_date,
        sum(iff(is_deleted, 0, coalesce(requests, 0))) as requests,
        sum(iff(is_deleted, 0, coalesce(accepted_lines, 0))) as accepted_lines,
        sum(iff(is_deleted, 0, coalesce(tokens_reported, 0))) as tokens_reported,
        sum(iff(is_deleted, 0, coalesce(cost_usd, 0))) as cost_usd,
        sum(iff(is_deleted, 0, coalesce(credits, 0))) as credits
    from {{ ref('fct_ai_telemetry__tool_daily_metrics') }}
    group by tool, usage_date
)

select landed.tool, landed.usage_date
from landed
left join built on built.tool = landed.tool and built.usage_date = landed.usage_date
where (
        landed.requests is distinct from built.requests
        or landed.accepted_lines is distinct from built.accepted_lines
        or landed.tokens_reported is distinct from built.tokens_reported
        or landed.cost_usd is distinct from built.cost_usd
        or landed.credits is distinct from built.credits
    )
    and landed._ingested_at <= (
        select coalesce(max(_ingested_at), to_timestamp_ntz('9999-12-31'))
        from {{ ref('fct_ai_telemetry__tool_daily_metrics') }}
    )
