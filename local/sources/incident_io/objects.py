"""Incidents and their parts in the vendor's object shapes (IncidentV2, IncidentUpdateV2, follow-ups of v3).

What an archive doesn't hold (people, channels, workload) is chosen by digests of the incident's id, so an incident
always looks the same. People are numbers with addresses under reserved domains: nobody who exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from local.sources.incident_io.archive import STAMPS, ArchiveIncident, Impact
from local.sources.incident_io.ids import base32, pick, ulid
from local.sources.incident_io.timeline import IncidentState, Step, change_instants, state_at
from local.sources.incident_io.workspaces import DurationMetric, Named, Role, Workspace
from local.sources.kit.instants import rfc3339

JsonObject = dict[str, Any]
_KEPT = 4096
"""Parts that many incidents share are made once and never changed afterwards; people and components are the many."""


@dataclass(frozen=True, slots=True)
class WorkspaceIncident:
    """An archived incident as a workspace knows it: its id there, its number (INC-n) and when it changes."""

    workspace: Workspace
    archived: ArchiveIncident
    id: str
    number: int
    changes: tuple[datetime, ...] = field(repr=False)

    @classmethod
    def enrol(cls, workspace: Workspace, archived: ArchiveIncident, number: int) -> WorkspaceIncident:
        """Give an archived incident its identity in a workspace."""
        return cls(workspace, archived, incident_id(workspace, archived), number, change_instants(archived))


def incident_id(workspace: Workspace, archived: ArchiveIncident) -> str:
    """The incident's id in a workspace: ordered by creation, the same in every run."""
    return ulid(archived.started_at, workspace.name, archived.id)


def _span(workspace: Workspace) -> JsonObject:
    since = rfc3339(workspace.created_at)
    return {"created_at": since, "updated_at": since}


@lru_cache(_KEPT)
def severity_object(workspace: Workspace, impact: Impact) -> JsonObject:
    """SeverityV2 of an impact."""
    severity = workspace.severity_for(impact)
    named: JsonObject = {"id": severity.id, "name": severity.name, "description": severity.description}
    return named | {"rank": severity.rank} | _span(workspace)


def severity_objects(workspace: Workspace) -> list[JsonObject]:
    """All severities, least severe first."""
    ranked = sorted(workspace.severities, key=lambda severity: severity.rank)
    return [severity_object(workspace, severity.impacts[0]) for severity in ranked]


@lru_cache(_KEPT)
def status_objects(workspace: Workspace) -> dict[str, JsonObject]:
    """IncidentStatusV2 by status id, in rank order."""
    return {
        status.id: {
            "id": status.id,
            "name": status.name,
            "description": f"{status.name} ({status.category}).",
            "rank": status.rank,
            "category": status.category,
        }
        | _span(workspace)
        for status in workspace.statuses
    }


@lru_cache(_KEPT)
def type_objects(workspace: Workspace) -> dict[str, JsonObject]:
    """IncidentTypeV2 by type id; the first is the default."""
    return {
        kind.id: {
            "id": kind.id,
            "name": kind.name,
            "is_default": kind is workspace.incident_types[0],
            "description": f"{kind.name}: {kind.purpose} work on what customers use.",
            "private_incidents_only": False,
            "create_in_triage": "always" if kind.purpose == "maintenance" else "optional",
        }
        | _span(workspace)
        for kind in workspace.incident_types
    }


def timestamp_objects(workspace: Workspace) -> list[JsonObject]:
    """IncidentTimestampV2 of all timestamps, in rank order."""
    return [{"id": t.id, "name": t.name, "rank": t.rank} for t in workspace.timestamps]


@lru_cache(_KEPT)
def role_object(workspace: Workspace, role: Role) -> JsonObject:
    """IncidentRoleV2."""
    return {
        "id": role.id,
        "name": role.name,
        "shortform": role.shortform,
        "description": f"The {role.name.lower()} of an incident at {workspace.title}.",
        "instructions": "Keep the channel informed; hand over in writing.",
        "role_type": role.type,
    } | _span(workspace)


def custom_field_objects(workspace: Workspace) -> list[JsonObject]:
    """CustomFieldV2 of all custom fields."""
    fields = workspace.custom_fields
    catalog: JsonObject = {"catalog_type_id": fields.affected_services.catalog_type_id}
    services = _field_info(workspace, "affected_services") | catalog
    infos = [services, *(_field_info(workspace, kind) for kind in ("detection", "customers_affected", "ticket"))]
    return [{key: value for key, value in info.items() if key != "options"} | _span(workspace) for info in infos]


@lru_cache(_KEPT)
def _field_info(workspace: Workspace, kind: str) -> JsonObject:
    """CustomFieldTypeInfoV2 of one of the four fields."""
    fields = workspace.custom_fields
    options: list[JsonObject] = []
    named: Named
    if kind == "affected_services":
        named, type_, text = fields.affected_services, "multi_select", "Catalog services whose users notice."
    elif kind == "detection":
        named, type_, text = fields.detection, "single_select", "Who or what noticed it first."
        options = [_option(workspace, index) for index in range(len(fields.detection.options))]
    elif kind == "customers_affected":
        named, type_, text = fields.customers_affected, "numeric", "How many accounts were affected, as far as known."
    else:
        named, type_, text = fields.ticket, "link", "The ticket under which customers are answered."
    return {"id": named.id, "name": named.name, "description": text, "field_type": type_, "options": options}


def _option(workspace: Workspace, index: int) -> JsonObject:
    option = workspace.custom_fields.detection.options[index]
    owner = workspace.custom_fields.detection.id
    return {"id": option.id, "custom_field_id": owner, "sort_key": (index + 1) * 10, "value": option.value}


@lru_cache(_KEPT)
def catalog_entry(workspace: Workspace, component: str) -> JsonObject:
    """EmbeddedCatalogEntryV2 of a component."""
    slug = "-".join(component.lower().split())
    entry_id = ulid(workspace.created_at, workspace.name, "catalog-entry", component)
    return {"id": entry_id, "name": component, "external_id": slug, "aliases": [slug]}


@lru_cache(_KEPT)
def _person(workspace: Workspace, part: str, number: int) -> JsonObject:
    name = f"{part}-{number}"
    return {
        "id": ulid(workspace.created_at, workspace.name, "user", name),
        "name": f"{part.capitalize()} {number}",
        "email": f"{name}@{workspace.domain}",
        "slack_user_id": "U" + base32(pick(1 << 50, workspace.name, name), 10),
        "role": "responder",
    }


def _lead(incident: WorkspaceIncident) -> JsonObject:
    person = _person(incident.workspace, "lead", 1 + pick(40, incident.id, "lead"))
    responder = incident.archived.responder
    if responder is None:
        return person
    own_id = ulid(incident.workspace.created_at, incident.workspace.name, "user", responder.email)
    return person | {"id": own_id, "name": responder.name, "email": responder.email}


def _reporter(incident: WorkspaceIncident) -> JsonObject:
    return _person(incident.workspace, "reporter", 1 + pick(90, incident.id, "reporter"))


def _creator(incident: WorkspaceIncident) -> JsonObject:
    workspace = incident.workspace
    if incident.archived.impact == "maintenance":
        return {"workflow": {"id": ulid(workspace.created_at, workspace.name, "workflow"), "name": "Planned work"}}
    if pick(3, incident.id, "creator") == 0:
        title = f"{_place(incident)}: error rate above its threshold"
        return {"alert": {"id": ulid(incident.archived.started_at, incident.id, "alert"), "title": title}}
    return {"user": _reporter(incident)}


def _place(incident: WorkspaceIncident) -> str:
    return ", ".join(incident.archived.components) or incident.workspace.title


def _title(incident: WorkspaceIncident) -> str:
    archived = incident.archived
    if archived.title is not None:
        return archived.title
    if archived.impact == "maintenance":
        return f"Planned work: {_place(incident)}"
    symptoms = ("Degraded performance", "Elevated error rate", "Delayed processing", "Partial outage")
    return f"{symptoms[pick(len(symptoms), incident.id, 'symptom')]}: {_place(incident)}"


def _summary(incident: WorkspaceIncident, state: IncidentState) -> str:
    if incident.archived.summary is not None:
        return incident.archived.summary
    lines = [f"**Problem**: {_title(incident)}.", f"**Affected**: {_place(incident)}."]
    if "identified" in state.stamps:
        lines.append("**Causes**: a change that was rolled out shortly before; details follow in the review.")
    if "resolved" in state.stamps:
        lines.append("**Steps to resolve**: the change was taken back and the backlog worked off.")
    return "\n".join(lines)


def _role_assignments(incident: WorkspaceIncident, state: IncidentState) -> list[JsonObject]:
    """The reporter is known at once, the lead with the first response; the third role stays open in most incidents."""
    people = {"reporter": _reporter(incident)}
    if len(state.steps) > 1:
        people["lead"] = _lead(incident)
    if len(state.steps) > 4:
        people["custom"] = _person(incident.workspace, "comms", 1 + pick(12, incident.id, "comms"))
    assignments: list[JsonObject] = []
    for role in incident.workspace.roles:
        described = role_object(incident.workspace, role) | {"required": role.type == "lead"}
        assignments.append({"role": described} | ({"assignee": people[role.type]} if role.type in people else {}))
    return assignments


def _custom_field_entries(incident: WorkspaceIncident) -> list[JsonObject]:
    workspace, detection = incident.workspace, incident.workspace.custom_fields.detection
    components = incident.archived.components
    customers = pick(20_000, incident.id, "customers")
    ticket = f"https://support.{workspace.domain}/tickets/{10_000 + pick(80_000, incident.id, 'ticket')}"
    option = _option(workspace, pick(len(detection.options), incident.id, "detection"))
    values: dict[str, list[JsonObject]] = {
        "affected_services": [{"value_catalog_entry": catalog_entry(workspace, name)} for name in components],
        "detection": [{"value_option": option}],
        "customers_affected": [{"value_numeric": str(customers)}] if customers % 4 else [],
        "ticket": [{"value_link": ticket}] if customers % 3 == 0 else [],
    }
    return [{"custom_field": _field_info(workspace, kind), "values": set_} for kind, set_ in values.items()]


def _timestamp_values(workspace: Workspace, state: IncidentState) -> list[JsonObject]:
    values: list[JsonObject] = []
    for timestamp in workspace.timestamps:
        value: JsonObject = {"incident_timestamp": {"id": timestamp.id, "name": timestamp.name, "rank": timestamp.rank}}
        if timestamp.stamp in state.stamps:
            value["value"] = {"value": rfc3339(state.stamps[timestamp.stamp])}
        values.append(value)
    return values


def _duration_metric(metric: DurationMetric, state: IncidentState) -> JsonObject:
    described: JsonObject = {"duration_metric": {"id": metric.id, "name": metric.name}}
    start, end = state.stamps.get(metric.start), state.stamps.get(metric.end)
    if start is None or end is None:
        return described | {"status": "timestamps_missing"}
    if end < start:
        return described | {"status": "invalid_timestamps"}
    return described | {"status": "success", "value_seconds": int((end - start).total_seconds())}


def _workload(incident: WorkspaceIncident, state: IncidentState) -> JsonObject:
    """Minutes people spent, as of the last update; a long incident isn't worked on around the clock."""
    last = state.steps[-1].update.at if state.steps else incident.archived.started_at
    minutes = min(max(0.0, (last - incident.archived.started_at) / timedelta(minutes=1)), 960.0)
    total = round(minutes * (1 + pick(4, incident.id, "people")), 1)
    late = round(total * pick(30, incident.id, "late") / 100, 1)
    sleeping = round(total * pick(15, incident.id, "sleeping") / 100, 1)
    return {
        "workload_minutes_total": total,
        "workload_minutes_working": round(total - late - sleeping, 1),
        "workload_minutes_late": late,
        "workload_minutes_sleeping": sleeping,
    }


def _channel(incident: WorkspaceIncident, state: IncidentState) -> JsonObject:
    """A channel is opened when an incident leaves triage; until then its id is empty, as it is with the vendor."""
    team = incident.workspace.slack_team_id
    if state.category == "triage":
        return {"slack_team_id": team, "slack_channel_id": ""}
    channel = "C" + base32(pick(1 << 50, incident.id, "channel"), 10)
    return {
        "slack_team_id": team,
        "slack_channel_id": channel,
        "slack_channel_name": f"inc-{incident.number}-{incident.archived.started_at:%Y-%m-%d}",
        "slack_channel_url": f"https://{incident.workspace.name}.slack.example/archives/{channel}",
    }


def _after_the_fact(incident: WorkspaceIncident, state: IncidentState) -> JsonObject:
    """What exists only once people look back: debrief, post-mortem document, ticket."""
    workspace = incident.workspace
    extra: JsonObject = {"has_debrief": state.category == "learning", "postmortem_document_ids": []}
    if any(step.status == "Postmortem" for step in state.steps):
        document = ulid(incident.archived.started_at, incident.id, "postmortem")
        extra["postmortem_document_ids"] = [document]
        extra["postmortem_document_url"] = f"https://docs.{workspace.domain}/postmortems/{document}"
    if pick(3, incident.id, "issue") == 0:
        name = f"OPS-{1000 + incident.number}"
        extra["external_issue_reference"] = {
            "provider": "jira",
            "issue_name": name,
            "issue_permalink": f"https://issues.{workspace.domain}/browse/{name}",
        }
    return extra


def incident_object(incident: WorkspaceIncident, state: IncidentState) -> JsonObject:
    """IncidentV2 of an incident in a state, `team_ids` and `last_activity_at` of the newer API included."""
    workspace, archived = incident.workspace, incident.archived
    last_update = state.steps[-1].update.at if state.steps else archived.started_at
    shown: JsonObject = {
        "id": incident.id,
        "reference": f"INC-{incident.number}",
        "name": _title(incident),
        "summary": _summary(incident, state),
        "visibility": archived.visibility,
        "mode": archived.mode,
        "incident_status": status_objects(workspace)[workspace.status_for(state.status).id],
        "incident_type": type_objects(workspace)[workspace.type_for(archived.impact).id],
        "creator": _creator(incident),
        "incident_role_assignments": _role_assignments(incident, state),
        "custom_field_entries": _custom_field_entries(incident),
        "incident_timestamp_values": _timestamp_values(workspace, state),
        "duration_metrics": [_duration_metric(metric, state) for metric in workspace.duration_metrics],
        "permalink": f"https://app.incident.example/{workspace.name}/incidents/{incident.number}",
        "call_url": f"https://meet.{workspace.domain}/inc-{incident.number}",
        "team_ids": [workspace.teams[pick(len(workspace.teams), *archived.components[:1])].id],
        "last_activity_at": rfc3339(last_update),
        "created_at": rfc3339(archived.started_at),
        "updated_at": rfc3339(state.updated_at),
    }
    if state.impact is not None:
        shown["severity"] = severity_object(workspace, state.impact)
    return shown | _channel(incident, state) | _workload(incident, state) | _after_the_fact(incident, state)


def _message(step: Step) -> str:
    changed = [stamp for stamp in STAMPS if stamp in step.update.timestamps]
    if changed:
        return f"Corrected after review: {', '.join(changed)}."
    return f"{step.update.status}: see the incident's summary for where it stands."


def update_objects(incident: WorkspaceIncident, state: IncidentState) -> Iterator[JsonObject]:
    """IncidentUpdateV2 of every update made so far, oldest first."""
    workspace = incident.workspace
    statuses = status_objects(workspace)
    for index, step in enumerate(state.steps):
        shown: JsonObject = {
            "id": ulid(step.update.at, incident.id, "update", str(index)),
            "incident_id": incident.id,
            "created_at": rfc3339(step.update.at),
            "updater": {"user": _lead(incident) if index else _reporter(incident)},
            "new_incident_status": statuses[workspace.status_for(step.status).id],
            "message": _message(step),
        }
        if step.status != "Scheduled":
            shown["new_severity"] = severity_object(workspace, step.impact)
        yield shown


def follow_up_objects(incident: WorkspaceIncident, instant: datetime) -> Iterator[JsonObject]:
    """Follow-ups (v3 shape) that exist at `instant`.

    About a third of the incidents that end leave one or two: written down when the incident first ends, done days to
    weeks later, some never.
    """
    state = state_at(incident.archived, instant)
    if state is None or pick(3, incident.id, "follow-ups"):
        return
    written = next((s.update.at for s in state.steps if s.status in {"Resolved", "Completed", "Postmortem"}), None)
    if written is None:
        return
    workspace = incident.workspace
    wishes = ("Alert earlier on this symptom", "Rehearse the roll-back", "Remove the single point of failure")
    for index in range(1 + pick(2, incident.id, "follow-up-count")):
        key = f"follow-up-{index}"
        created = written + timedelta(minutes=5 * index)
        if created > instant:
            return
        done_after_hours = 24 + pick(24 * 40, incident.id, key, "done")
        done = created + timedelta(hours=done_after_hours)
        is_done = pick(5, incident.id, key, "ever") > 0 and done <= instant
        team = workspace.teams[pick(len(workspace.teams), incident.id, key, "team")]
        shown: JsonObject = {
            "id": ulid(created, incident.id, key),
            "incident_id": incident.id,
            "title": wishes[pick(len(wishes), incident.id, key, "title")],
            "status": "completed" if is_done else "outstanding",
            "labels": [],
            "creator": {"user": _lead(incident)},
            "assignee": _lead(incident),
            "assignee_team": {"id": team.id, "name": team.name},
            "priority": {"id": ulid(workspace.created_at, workspace.name, "priority"), "name": "Normal", "rank": 20},
            "created_at": rfc3339(created),
            "updated_at": rfc3339(done if is_done else created),
        }
        if is_done:
            shown["completed_at"] = rfc3339(done)
        yield shown
