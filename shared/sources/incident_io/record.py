"""The vendor's incident object as far as the contract needs it; unknown fields stay in the payload.

Only what a row is built from is typed: a wrong type there quarantines the record. Enumerations stay text and ids have
no length, because the vendor may add values and change formats without notice. Records hold no cycles, so the collector
need not look at them (`gc=False`): a page makes thousands.
"""

from typing import Annotated

from msgspec import Meta, Raw, Struct

from shared.sources.record import Identifier, Instant


class User(Struct, gc=False):
    """A person."""

    email: str | None = None


class Identified(Struct, gc=False):
    """Anything with an id."""

    id: str


class Creator(Struct, gc=False):
    """Exactly one of these is set."""

    user: User | None = None
    api_key: Identified | None = None
    alert: Identified | None = None
    workflow: Identified | None = None


class Status(Struct, gc=False):
    """The workspace's own status and its category."""

    id: str
    name: str
    category: str


class Severity(Struct, gc=False):
    """The workspace's own severity."""

    id: str
    name: str
    rank: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class Named(Struct, gc=False):
    """Anything with a name."""

    name: str


class Role(Struct, gc=False):
    """A role in an incident."""

    role_type: str


class RoleAssignment(Struct, gc=False):
    """Who has a role; nobody when there is no assignee."""

    role: Role
    assignee: User | None = None


class StampValue(Struct, gc=False):
    """The instant of a timestamp, if it is set."""

    value: Instant | None = None


class Stamp(Struct, gc=False):
    """A timestamp of the workspace's own."""

    incident_timestamp: Named
    value: StampValue | None = None


class Referenced(Struct, gc=False):
    """An option or catalog entry; options call their name `value`."""

    id: str
    name: str | None = None
    value: str | None = None


class FieldValue(Struct, gc=False):
    """One value of a custom field."""

    value_catalog_entry: Referenced | None = None
    value_option: Referenced | None = None


class FieldEntry(Struct, gc=False):
    """A custom field and its values."""

    custom_field: Identified
    values: list[FieldValue]


class Incident(Struct, gc=False):
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


class KnownIncident(Incident, gc=False, forbid_unknown_fields=True):
    """An incident with no other fields than those that were known when this was written, kept undecoded if unused.

    What fails here may still be an incident, with a new field: the vendor adds some without notice.
    """

    call_url: Raw = Raw()
    duration_metrics: Raw = Raw()
    external_issue_reference: Raw = Raw()
    ms_teams_channel_url: Raw = Raw()
    postmortem_document_ids: Raw = Raw()
    postmortem_document_url: Raw = Raw()
    slack_channel_id: Raw = Raw()
    slack_channel_name: Raw = Raw()
    slack_channel_url: Raw = Raw()
    slack_team_id: Raw = Raw()
    team_ids: Raw = Raw()


KNOWN_FIELDS = frozenset(KnownIncident.__struct_fields__)
"""Every field of the vendor's object that was known when this was written; others are reported as drift."""
