{{ config(tags=['engineering']) }}
{#- Where a change comes from is left behind: a fork bears its owner's login. -#}

with source as (
    select * from {{ source('github', 'pull_requests') }}
    where _source = 'github_pull_requests'
),

renamed as (
    select
        -- ids
        cast(pull_request_id as integer) as pull_request_id,
        organisation,
        repository,
        cast(number as integer) as pull_request_number,
        cast(author_id as integer) as author_id,
        {{ actor_key('author_login') }} as author_key,

        -- text
        title,
        state,
        author_type,
        author_association,
        base_ref,
        url,

        -- booleans
        is_draft,
        head_repository <> organisation || '/' || repository as is_from_fork,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('updated_at') }} as updated_at,
        {{ utc('closed_at') }} as closed_at,
        {{ utc('merged_at') }} as merged_at,

        -- nested
        labels,

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
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('pull_request_id') }}
),

final as (
    select * from deduplicated
)

select * from final
