{{
    config(
        tags=['engineering'],
        materialized='incremental',
        incremental_strategy='merge_pruned',
        unique_key='pull_request_id',
        tmp_relation_type='table',
        cluster_by=['created_date'],
        on_schema_change='append_new_columns',
    )
}}
{#- A pull request belongs to the teams that its author was in when it was opened, whatever became of the author since. A
    row that does not say so (its author was read later than it) is built anew with the batch, however old it is. -#}

with versions as (
    select * from {{ ref('int_github__user_versions') }}
),

{% if is_incremental() -%}
attributed_otherwise as (
    select fact.pull_request_id
    from {{ this }} as fact
    inner join versions
        on versions.organisation = fact.organisation
        and versions.user_id = fact.author_id
        and fact.created_at >= versions.valid_from
        and fact.created_at < versions.valid_to
    where fact.author_team_slugs is distinct from versions.team_slugs
        or fact.attribution is distinct from versions.attribution
),

{% endif -%}
pull_requests as (
    select * from {{ ref('stg_github__pull_requests') }}
    {{ ingested_since_lookback(or_where='pull_request_id in (select pull_request_id from attributed_otherwise)') }}
),

final as (
    select
        -- ids
        pull_requests.pull_request_id,
        pull_requests.organisation,
        pull_requests.repository,
        pull_requests.pull_request_number,
        pull_requests.author_id,
        pull_requests.author_key,

        -- text
        pull_requests.title,
        pull_requests.state,
        pull_requests.author_type,
        pull_requests.author_association,
        versions.team_slugs as author_team_slugs,
        case
            when pull_requests.author_id is null then 'ghost'
            else coalesce(versions.attribution, 'outside')
        end as attribution,
        pull_requests.base_ref,
        pull_requests.url,

        -- numbers
        {{ time_from('pull_requests.created_at', 'pull_requests.merged_at') }} as time_to_merge_sec,
        {{ time_from('pull_requests.created_at', 'pull_requests.closed_at') }} as time_to_close_sec,

        -- booleans
        pull_requests.is_draft,
        pull_requests.is_from_fork,
        pull_requests.merged_at is not null as is_merged,
        pull_requests._is_deleted as is_deleted,
        pull_requests.dq_valid,

        -- times
        cast(pull_requests.created_at as date) as created_date,
        pull_requests.created_at,
        pull_requests.updated_at,
        pull_requests.closed_at,
        pull_requests.merged_at,

        -- nested
        pull_requests.labels,

        -- meta
        pull_requests.dq_flags,
        pull_requests._window_id,
        pull_requests._run_id,
        pull_requests._ingested_at,
        pull_requests._anchor_at
    from pull_requests
    left join versions
        on versions.organisation = pull_requests.organisation
        and versions.user_id = pull_requests.author_id
        and pull_requests.created_at >= versions.valid_from
        and pull_requests.created_at < versions.valid_to
)

select * from final
