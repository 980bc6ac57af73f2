-- One row per team and month of opening: pull requests, how many were merged, and the median and the 90th percentile of
-- the hours until then. A pull request belongs to the teams that its author was in when it was opened: to each of them, so
-- the teams' numbers add up to more than there are. Authors without a team are under their attribution. Bots are left out.

select
    coalesce(cast(slug.value as varchar), attribution) as team,
    attribution,
    cast(date_trunc('month', created_date) as date) as opened_month,
    count(*) as pull_requests,
    count_if(is_merged) as merged_pull_requests,
    median(time_to_merge_sec) / 3600 as time_to_merge_median_hours,
    percentile_cont(0.9) within group (order by time_to_merge_sec) / 3600 as time_to_merge_p90_hours
from {{ ref('fct_github__pull_requests') }}, lateral flatten(input => split(author_team_slugs, ','), outer => true) as slug
where not is_deleted and author_type is distinct from 'Bot'
group by 1, 2, 3
order by opened_month, team
