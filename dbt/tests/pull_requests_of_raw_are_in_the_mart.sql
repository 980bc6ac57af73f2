{{ config(severity='error') }}
{#- Every pull request is in the fact, in the version that RAW has. What was loaded after the newest load that the fact has
    seen came while dbt was running and is left to the next build. -#}

with raw_pull_requests as (
    select pull_request_id, {{ utc('updated_at') }} as updated_at, {{ utc('_ingested_at') }} as _ingested_at
    from {{ source('github', 'pull_requests') }}
    where _source = 'github_pull_requests'
)

select raw_pull_requests.pull_request_id
from raw_pull_requests
left join {{ ref('fct_github__pull_requests') }} as fact on fact.pull_request_id = raw_pull_requests.pull_request_id
where (fact.pull_request_id is null or fact.updated_at < raw_pull_requests.updated_at)
    and raw_pull_requests._ingested_at <= (
        select coalesce(max(_ingested_at), to_timestamp_ntz('9999-12-31')) from {{ ref('fct_github__pull_requests') }}
    )
