"""The questions that the demonstration asks of the marts."""

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


def adoption_by_week(weeks: int = 4) -> str:
    """People, requests, tokens and cost by tool and ISO week, for the newest `weeks` weeks that have any use."""
    return (
        "with used as ("
        "select f.tool, date_trunc('week', f.usage_date)::date as week, d.person_key, d.is_person, f.requests, "
        "f.tokens_reported, f.tokens_estimated, f.cost_usd "
        "from analytics.marts.fct_ai_telemetry__tool_daily_metrics f "
        "join analytics.marts.dim_ai_telemetry__actors d on d.actor_key = f.actor_key "
        "where f.is_active and not f.is_deleted) "
        "select tool, to_char(week, 'YYYY-MM-DD') as week, count(distinct iff(is_person, person_key, null)) as people, "
        "sum(requests) as requests, round(sum(tokens_reported) / 1e6, 2) as reported_m, "
        "round(sum(tokens_estimated) / 1e6, 2) as estimated_m, round(sum(cost_usd), 2) as cost_usd "
        f"from used where week > (select dateadd('day', -7 * {weeks}, max(week)) from used) "
        "group by 1, 2 order by 1, 2"
    )


def slo_attainment() -> str:
    """Every objective at its newest day: attainment over its window against the target, and the budget that is left."""
    return (
        "select monitor, objective_name as objective, service, measured_date::date as day, target, "
        "round(window_attainment, 6) as attainment, round(error_budget_left_share, 2) as budget_left "
        "from analytics.marts.fct_slo__daily_attainment "
        "qualify row_number() over (partition by objective_key order by measured_date desc) = 1 "
        "order by error_budget_left_share nulls last, monitor, objective"
    )


def margin_by_month() -> str:
    """Sales and margin by month; a margin speaks for the lines whose cost is known."""
    return (
        "select currency, left(to_varchar(order_date), 7) as month, count(distinct order_id) as orders, "
        "sum(net_amount) as net, sum(refunded_amount) as refunded, sum(margin_amount) as margin, "
        "round(100 * sum(margin_amount) / nullif(sum(iff(margin_amount is null, 0, net_amount)), 0), 1) as margin_pct "
        "from analytics.marts.fct_ecommerce__order_items where is_sale group by 1, 2 order by 1, 2"
    )


QUESTIONS = {
    "Times by workspace, severity and month (minutes; median and 90th percentile)": mttr_by_month(),
    "AI tools by week (people who used them; tokens in millions, reported and estimated apart)": adoption_by_week(),
    "SLO attainment over each objective's window, and the error budget that is left": slo_attainment(),
    "The shop's sales and margin by month": margin_by_month(),
}
"""Title and statement, in the order in which they are shown."""
