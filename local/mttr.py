"""The question of the demonstration: how long do the workspaces take to detect, respond and resolve?"""

_TIMES = ("detect", "respond", "resolve")


def mttr_by_month() -> str:
    """Incidents and the median and p90 of each time in minutes, by workspace, severity and month."""
    figures = ", ".join(
        f"round(median(time_to_{name}_sec) / 60, 1) as {name}_median, "
        f"round(percentile_cont(0.9) within group (order by time_to_{name}_sec) / 60, 1) as {name}_p90"
        for name in _TIMES
    )
    return (
        "select workspace, coalesce(severity_name, '-') as severity, left(to_varchar(incident_date), 7) as month, "
        f"count(*) as incidents, {figures} "
        "from analytics.marts.fct_ops__incidents where not is_deleted "
        "group by 1, 2, 3 order by 1, 3, max(severity_rank) desc nulls last"
    )
