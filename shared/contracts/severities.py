"""`DIM_INCIDENT_SEVERITIES`: what every incident.io workspace calls the severities of an incident."""

from shared.contracts.contract import INSTANT, INTEGER, JSON, TEXT, Column, Contract

SEVERITIES = Contract(
    name="severities",
    table="DIM_INCIDENT_SEVERITIES",
    grain="One row per workspace and severity, as it stands now.",
    keys=("workspace", "severity_id"),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    scope="workspace",
    leaves_unchanged=True,
    columns=(
        Column("workspace", TEXT, "The workspace; the source's own object does not say it.", True),
        Column("severity_id", TEXT, "The severity's id, opaque.", True),
        Column("name", TEXT, "What the workspace calls it.", True),
        Column("description", TEXT, "What the workspace means by it."),
        Column("rank", INTEGER, "Its rank; lower is less severe."),
        Column("created_at", INSTANT, "When it was set up.", True),
        Column("updated_at", INSTANT, "When it was last changed.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
