"""`FACT_SLO_MEASUREMENTS`: good and total events by objective and hour."""

from shared.contracts.contract import BOOLEAN, INSTANT, INTEGER, JSON, TEXT, Column, Contract

SLO_MEASUREMENTS = Contract(
    name="slo_measurements",
    table="FACT_SLO_MEASUREMENTS",
    grain="One row per monitor, objective and hour (UTC), as the monitor last reported it.",
    keys=("monitor", "slo_id", "hour_start_at"),
    version="reported_at",
    anchor="hour_start_at",
    cluster_by="hour_start_at",
    columns=(
        Column("monitor", TEXT, "The monitor that measured it, as the registry names it.", True),
        Column("slo_id", TEXT, "The objective's id; see SLO_OBJECTIVES.", True),
        Column("hour_start_at", INSTANT, "The beginning of the hour.", True),
        Column("good_events", INTEGER, "Events that kept the promise.", True),
        Column("total_events", INTEGER, "All events; 0 without traffic, and attainment is unknown then.", True),
        Column(
            "reported_at", INSTANT, "When the monitor reported these figures: minutes or hours after the hour.", True
        ),
        Column("is_restated", BOOLEAN, "Whether the monitor has corrected what it reported first.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
