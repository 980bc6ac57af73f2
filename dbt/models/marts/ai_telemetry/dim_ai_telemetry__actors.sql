{{ config(tags=['ai_dx_metrics'], materialized='table') }}
{#- Built whole, so that an account that is added to the list moves its whole past to the right person at once; the fact
    keeps to actors for that reason. Nobody is dropped: an actor that the list does not know is a person of their own. -#}

with actors as (
    select
        actor_key,
        min_by(actor_kind, case actor_kind
            when 'email' then 1 when 'login' then 2 when 'unknown' then 3 when 'service' then 4 else 5
        end) as actor_kind,
        min(iff(is_deleted, null, usage_date)) as first_usage_date,
        max(iff(is_deleted, null, usage_date)) as last_usage_date
    from {{ ref('fct_ai_telemetry__tool_daily_metrics') }}
    group by actor_key
),

final as (
    select
        -- ids
        actors.actor_key,
        coalesce(accounts.engineer_key, actors.actor_key) as person_key,
        accounts.engineer_key,

        -- text
        actors.actor_kind,

        -- booleans
        accounts.engineer_key is not null as is_mapped,
        accounts.engineer_key is not null or actors.actor_kind not in ('api_key', 'service') as is_person,

        -- times
        actors.first_usage_date,
        actors.last_usage_date
    from actors
    left join {{ ref('int_people__engineer_accounts') }} as accounts on accounts.actor_key = actors.actor_key
)

select * from final
