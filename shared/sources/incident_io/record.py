"""The vendor's incident object as far as the contract needs it; unknown fields stay in the payload.

Only what a row is built from is typed: a wrong type there quarantines the record. Enumerations stay text and ids have
no length, because the vendor may add values and change formats without notice.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Instant = Annotated[datetime, Meta(tz=True)]
Identifier = Annotated[str, Meta(min_length=1)]


class User(Struct):
    """A person."""

    email: str | None = None


class Identified(Struct):
    """Anything with an id."""

    id: str


class Creator(Struct):
    """Exactly one of these is set."""

    user: User | None = None
    api_key: Identified | None = None
    alert: Identified | None = None
    workflow: Identified | None = None


class Status(Struct):
    """The workspace's own status and its category."""

    id: str
    name: str
    category: str


class Severity(Struct):
    """The workspace's own severity."""

    id: str
    name: str
    rank: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class Named(Struct):
    """Anything with a name."""

    name: str


class Role(Struct):
    """A role in an incident."""

    role_type: str


class RoleAssignment(Struct):
    """Who has a role; nobody when there is no assignee."""

    role: Role
    assignee: User | None = None


class StampValue(Struct):
    """The instant of a timestamp, if it is set."""

    value: Instant | None = None


class Stamp(Struct):
    """A timestamp of the workspace's own."""

    incident_timestamp: Named
    value: StampValue | None = None


class Referenced(Struct):
    """An option or catalog entry; options call their name `value`."""

    id: str
    name: str | None = None
    value: str | None = None


class FieldValue(Struct):
    """One value of a custom field."""

    value_catalog_entry: Referenced | None = None
    value_option: Referenced | None = None


class FieldEntry(Struct):
    """A custom field and its values."""

    custom_field: Identified
    values: list[FieldValue]


class Incident(Struct):
    """One incident."""

    id: Identifier
    reference: str
    name: str
    visibility: str
    mode: str
    incident_status: Status
    creator: Creator
    created_at: Instant
    updated_at: Instant
    incident_role_assignments: list[RoleAssignment]
    custom_field_entries: list[FieldEntry]
    incident_timestamp_values: list[Stamp] | None = None
    severity: Severity | None = None
    incident_type: Named | None = None
    summary: str | None = None
    permalink: str | None = None
    has_debrief: bool | None = None
    last_activity_at: Instant | None = None
    workload_minutes_total: float | None = None
    workload_minutes_working: float | None = None
    workload_minutes_late: float | None = None
    workload_minutes_sleeping: float | None = None


KNOWN_FIELDS = frozenset(Incident.__struct_fields__) | {
    "call_url",
    "duration_metrics",
    "external_issue_reference",
    "ms_teams_channel_url",
    "postmortem_document_ids",
    "postmortem_document_url",
    "slack_channel_id",
    "slack_channel_name",
    "slack_channel_url",
    "slack_team_id",
    "team_ids",
}
"""Every field of the vendor's object that was known when this was written; others are reported as drift."""
