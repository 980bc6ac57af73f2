"""`FACT_INCIDENT_EVENTS`: what the workspaces' webhooks told, event by event, as received."""

from shared.contracts.contract import INSTANT, JSON, TEXT, Column, Contract

INCIDENT_EVENTS = Contract(
    name="incident_events",
    table="FACT_INCIDENT_EVENTS",
    grain="One row per workspace and webhook message; the vendor may tell of one change in several messages.",
    keys=("workspace", "webhook_id"),
    version="received_at",
    anchor="received_at",
    cluster_by="received_at",
    columns=(
        Column("workspace", TEXT, "The workspace whose webhook it is; the message does not say it.", True),
        Column("webhook_id", TEXT, "The sender's id of the message; the same when it is sent again.", True),
        Column("event_type", TEXT, "What happened, in the vendor's words; NULL where the message does not say it."),
        Column("incident_id", TEXT, "The incident that it is about, where the message tells that."),
        Column("follow_up_id", TEXT, "The follow-up that it is about, where the message tells that."),
        Column("received_at", INSTANT, "When the webhook first received it.", True),
        Column("payload", JSON, "The message as received; text where it is no JSON.", True),
    ),
)
