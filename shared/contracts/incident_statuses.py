"""`DIM_INCIDENT_STATUSES`: what every incident.io workspace calls the states of an incident."""

from shared.contracts.contract import INSTANT, INTEGER, JSON, TEXT, Column, Contract

INCIDENT_STATUSES = Contract(
    name="incident_statuses",
    table="DIM_INCIDENT_STATUSES",
    grain="One row per workspace and status, as it stands now.",
    keys=("workspace", "status_id"),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    scope="workspace",
    leaves_unchanged=True,
    columns=(
        Column("workspace", TEXT, "The workspace; the source's own object does not say it.", True),
        Column("status_id", TEXT, "The status's id, opaque.", True),
        Column("name", TEXT, "What the workspace calls it.", True),
        Column("description", TEXT, "What the workspace means by it."),
        Column("category", TEXT, "What every workspace means by it: triage, live, learning, closed …"),
        Column("rank", INTEGER, "Its place among the workspace's statuses."),
        Column("created_at", INSTANT, "When it was set up.", True),
        Column("updated_at", INSTANT, "When it was last changed.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
