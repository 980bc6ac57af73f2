"""`FACT_INCIDENT_FOLLOW_UPS`: what is left to do after the incidents of every incident.io workspace."""

from shared.contracts.contract import INSTANT, INTEGER, JSON, TEXT, Column, Contract

FOLLOW_UPS = Contract(
    name="follow_ups",
    table="FACT_INCIDENT_FOLLOW_UPS",
    grain="One row per workspace and follow-up, the newest version seen.",
    keys=("workspace", "follow_up_id"),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    leaves_unchanged=True,
    columns=(
        Column("workspace", TEXT, "The workspace of the follow-up; the source's own object does not say it.", True),
        Column("follow_up_id", TEXT, "The follow-up's id, opaque.", True),
        Column("incident_id", TEXT, "The incident that it follows.", True),
        Column("title", TEXT, "What is to be done.", True),
        Column("description", TEXT, "The same at length."),
        Column("status", TEXT, "outstanding, completed, not_doing or deleted.", True),
        Column("labels", JSON, "Labels, an array of text."),
        Column("priority_id", TEXT, "Id of the workspace's own priority."),
        Column("priority_name", TEXT, "Name of the workspace's own priority."),
        Column("priority_rank", INTEGER, "The priority's rank in its workspace."),
        Column("category_name", TEXT, "The workspace's own category."),
        Column("creator_kind", TEXT, "Who wrote it down: user, api_key, alert or workflow."),
        Column("creator_email", TEXT, "E-mail of the person who wrote it down.", pii=True),
        Column("assignee_email", TEXT, "E-mail of the person who is to do it.", pii=True),
        Column("assignee_team_id", TEXT, "Id of the team that is to do it."),
        Column("assignee_team_name", TEXT, "Name of the team that is to do it."),
        Column("external_issue_provider", TEXT, "Where it is tracked besides: jira, linear, github …"),
        Column("external_issue_permalink", TEXT, "Its address there."),
        Column("created_at", INSTANT, "When it was written down.", True),
        Column("updated_at", INSTANT, "When the source last wrote it.", True),
        Column("completed_at", INSTANT, "When it was done."),
        Column("payload", JSON, "The record as received.", True),
    ),
)
