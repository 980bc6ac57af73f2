"""`SLO_OBJECTIVES`: what every SLO monitor promises of which service, as it stands now."""

from shared.contracts.contract import BOOLEAN, INSTANT, INTEGER, JSON, MONEY, TEXT, Column, Contract

EXACT = MONEY
# Targets are compared with budgets that differ in the fifth place: a decimal, no float.

SLO_OBJECTIVES = Contract(
    name="slo_objectives",
    table="SLO_OBJECTIVES",
    grain="One row per monitor and objective, as it stands now; targets and teams of before are not told.",
    keys=("monitor", "slo_id"),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    columns=(
        Column("monitor", TEXT, "The monitor that measures it, as the registry names it.", True),
        Column("slo_id", TEXT, "The objective's id, opaque; unique per monitor only.", True),
        Column("name", TEXT, "What people call the objective.", True),
        Column("service", TEXT, "The service, by the name that incidents use for the component.", True),
        Column("team", TEXT, "The team that answers for it now."),
        Column("indicator", TEXT, "What is counted: availability, latency, probe …", True),
        Column("target", EXACT, "The share of good events that is promised: a fraction, 0.999 for 99.9 %.", True),
        Column("window_kind", TEXT, "What the target is measured over: rolling or calendar_month.", True),
        Column("window_days", INTEGER, "Days of a rolling window; NULL for a calendar month."),
        Column("is_retired", BOOLEAN, "Whether it is measured no longer.", True),
        Column("created_at", INSTANT, "When the objective was set up.", True),
        Column("updated_at", INSTANT, "When its target, team or state last changed.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
