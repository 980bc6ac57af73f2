{{ config(tags=['engineering']) }}
{#- A snapshot knows a person from its first run on; what was opened before that run was opened by somebody of some team
    all the same. So a person's first version counts from the beginning of time, and the last one to its end. -#}

with versions as (
    select
        organisation,
        user_id,
        iff(_is_deleted, null, team_slugs) as team_slugs,
        dbt_valid_from as valid_from,
        dbt_valid_to as valid_to,
        row_number() over (
            partition by organisation, user_id order by dbt_valid_from, dbt_valid_to nulls last
        ) as version_number
    from {{ ref('dim_github__users') }}
    -- a correction that bears the same instant as what it corrects leaves a version of no length
    where dbt_valid_to is null or dbt_valid_to > dbt_valid_from
),

final as (
    select
        organisation,
        user_id,
        version_number,
        team_slugs,
        iff(team_slugs is null, 'no_team', 'team') as attribution,
        iff(version_number = 1, to_timestamp_ntz('0001-01-01 00:00:00'), cast(valid_from as timestamp_ntz)) as valid_from,
        coalesce(cast(valid_to as timestamp_ntz), to_timestamp_ntz('9999-12-31 00:00:00')) as valid_to
    from versions
)

select * from final
