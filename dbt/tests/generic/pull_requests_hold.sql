{#- What is true of every pull request: teams are named exactly where it is attributed to one, a ghost has no account, no
    time is negative. -#}
{% test pull_requests_hold(model) %}
    select pull_request_id
    from {{ model }}
    where attribution not in ('team', 'no_team', 'outside', 'ghost')
        or (attribution = 'team') <> (author_team_slugs is not null)
        or (attribution = 'ghost') <> (author_id is null)
        or least(coalesce(time_to_merge_sec, 0), coalesce(time_to_close_sec, 0)) < 0
{% endtest %}
