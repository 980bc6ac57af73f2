{{ config(tags=['ai_dx_metrics'], materialized='table') }}
{#- Built whole with every daily fact: a late day, a re-statement, an account that is added to the list or a team that is
    corrected re-states the weeks that it touches, however old they are. There are few rows.

    Percentiles are percentile_cont: interpolated between the two nearest engineers. They are over the engineers who used
    a tool in that week and whose tokens are known, and NULL where these are fewer than the var minimum_group_size. -#}

{%- set fact = ref('fct_ai_telemetry__tool_daily_metrics') -%}
{%- set percentiles = {'p50': 0.5, 'p75': 0.75, 'p95': 0.95} -%}
{#- an empty fact has no first week: then the series is one week, and no group has it -#}
{%- set first_week = "(select coalesce(" ~ week_start('min(usage_date)') ~ ", to_date('1970-01-05')) from " ~ fact
    ~ " where not is_deleted)" -%}
{%- set last_week = "(select coalesce(" ~ week_start('max(usage_date)') ~ ", to_date('1970-01-05')) from " ~ fact
    ~ " where not is_deleted)" -%}

with weeks as (
    {{ date_spine_filter(first_week, last_week, 'week') }}
),

days as (
    select
        actors.person_key,
        fact.usage_date,
        coalesce(versions.team, 'unmapped') as team,
        sum(fact.tokens_total) as tokens_total,
        sum(fact.tokens_reported) as tokens_reported
    from {{ fact }} as fact
    inner join {{ ref('dim_ai_telemetry__actors') }} as actors on actors.actor_key = fact.actor_key
    left join {{ ref('int_people__engineer_versions') }} as versions
        on versions.engineer_key = actors.engineer_key
        and fact.usage_date >= versions.valid_from
        and fact.usage_date < versions.valid_to
    where fact.is_active
        and not fact.is_deleted
        and actors.is_person
    group by actors.person_key, fact.usage_date, coalesce(versions.team, 'unmapped')
),

-- who changes teams in a week counts once, with the whole week, in the team of their last day of use in it
person_weeks as (
    select
        person_key,
        {{ week_start('usage_date') }} as week_start,
        max_by(team, usage_date) as team,
        sum(tokens_total) as tokens_total,
        sum(tokens_reported) as tokens_reported
    from days
    group by person_key, {{ week_start('usage_date') }}
),

members as (
    select 'team' as group_kind, team, week_start, person_key, tokens_total, tokens_reported
    from person_weeks
    union all
    select 'all' as group_kind, 'all' as team, week_start, person_key, tokens_total, tokens_reported
    from person_weeks
),

series as (
    select group_kind, team, min(week_start) as first_week
    from members
    group by group_kind, team
),

figures as (
    select
        group_kind,
        team,
        week_start,
        count(*) as engineers,
        count(tokens_total) as engineers_with_tokens,
        count(tokens_reported) as engineers_with_reported_tokens
        {%- for column in ['tokens_total', 'tokens_reported'] %}
        {%- for name, fraction in percentiles.items() %},
        iff(
            count({{ column }}) >= {{ var('minimum_group_size') }},
            cast(percentile_cont({{ fraction }}) within group (order by {{ column }}) as number(38, 2)),
            null
        ) as {{ column }}_{{ name }}
        {%- endfor %}
        {%- endfor %}
    from members
    group by group_kind, team, week_start
),

final as (
    select
        -- ids
        sha2(concat_ws('|', series.group_kind, to_char(weeks.date_week, 'YYYY-MM-DD'), series.team), 256)
            as weekly_key,

        -- text
        series.group_kind,
        series.team,
        {{ iso_week('weeks.date_week') }} as iso_week,

        -- numbers
        coalesce(figures.engineers, 0) as engineers,
        coalesce(figures.engineers_with_tokens, 0) as engineers_with_tokens,
        coalesce(figures.engineers_with_reported_tokens, 0) as engineers_with_reported_tokens
        {%- for column in ['tokens_total', 'tokens_reported'] %}
        {%- for name in percentiles %},
        figures.{{ column }}_{{ name }}
        {%- endfor %}
        {%- endfor %},

        -- times
        weeks.date_week as week_start
    from series
    inner join weeks on weeks.date_week >= series.first_week
    left join figures
        on figures.group_kind = series.group_kind
        and figures.team = series.team
        and figures.week_start = weeks.date_week
)

select * from final
