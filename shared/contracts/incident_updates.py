"""`FACT_INCIDENT_UPDATES`: what was said of the incidents of every incident.io workspace, and when they changed."""

from shared.contracts.contract import INSTANT, INTEGER, JSON, TEXT, Column, Contract

INCIDENT_UPDATES = Contract(
    name="incident_updates",
    table="FACT_INCIDENT_UPDATES",
    grain="One row per workspace and update of an incident.",
    keys=("workspace", "update_id"),
    version="created_at",  # an update is written once
    anchor="created_at",
    cluster_by="created_at",
    leaves_unchanged=True,
    columns=(
        Column("workspace", TEXT, "The workspace of the incident; the source's own object does not say it.", True),
        Column("update_id", TEXT, "The update's id, opaque.", True),
        Column("incident_id", TEXT, "The incident that it is about.", True),
        Column("status_id", TEXT, "Id of the workspace's own status from here on."),
        Column("status_name", TEXT, "Name of that status, as it is called now."),
        Column("status_category", TEXT, "Where in its life the incident is from here on."),
        Column("severity_id", TEXT, "Id of the workspace's own severity from here on; absent in triage."),
        Column("severity_name", TEXT, "Name of that severity, as it is called now."),
        Column("severity_rank", INTEGER, "The severity's rank; lower is less severe."),
        Column("message", TEXT, "What people were told, in markdown."),
        Column("merged_into_incident_id", TEXT, "The incident that goes on in its place, when it was merged."),
        Column("updater_kind", TEXT, "Who updated it: user, api_key, alert or workflow."),
        Column("updater_email", TEXT, "E-mail of the person who updated it.", pii=True),
        Column("created_at", INSTANT, "When the update was made.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
