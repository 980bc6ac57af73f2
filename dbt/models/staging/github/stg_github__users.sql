{{ config(tags=['engineering']) }}

with source as (
    select * from {{ source('github', 'users') }}
    where _source = 'github_users'
),

renamed as (
    select
        -- ids
        organisation,
        cast(user_id as integer) as user_id,
        {{ actor_key('login') }} as user_key,

        -- text
        user_type,
        nullif(team_slugs, '') as team_slugs,

        -- times, all UTC
        {{ utc('created_at') }} as created_at,
        {{ utc('updated_at') }} as profile_updated_at,

        -- meta
        _is_deleted,
        _source,
        _window_id,
        _run_id,
        {{ utc('_observed_at') }} as _observed_at,
        {{ utc('_ingested_at') }} as _ingested_at,
        {{ utc('_anchor_at') }} as _anchor_at
    from source
),

deduplicated as (
    select * from renamed
    {{ newest_version('organisation, user_id', version=none) }}
),

final as (
    select * from deduplicated
)

select * from final
