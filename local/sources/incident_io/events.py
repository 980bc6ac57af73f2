"""What the vendor's webhooks tell of a workspace between two instants, in the shapes of its documentation.

One change is told more than once: follow-ups in two versions of the event, a new status beside the update. Of private
incidents nothing but an id is told, of deleted ones nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from local.sources.incident_io.objects import (
    JsonObject,
    WorkspaceIncident,
    follow_up_objects,
    incident_object,
    status_objects,
)
from local.sources.incident_io.store import WorkspaceStore
from local.sources.incident_io.timeline import state_at


@dataclass(frozen=True, slots=True)
class Event:
    """One message: what it is about (an id), when that happened, and what is told."""

    event_type: str
    subject: str
    at: datetime
    payload: JsonObject

    @property
    def body(self) -> JsonObject:
        """The message; its content stands under the event's own name."""
        return {"event_type": self.event_type, self.event_type: self.payload}


def events_between(store: WorkspaceStore, start: datetime, end: datetime) -> list[Event]:
    """The events of (start, end], oldest first."""
    events = [event for incident in store.known() for event in _of_incident(incident, start, end)]
    return sorted(events, key=lambda event: (event.at, event.subject, event.event_type))


def _of_incident(incident: WorkspaceIncident, start: datetime, end: datetime) -> Iterator[Event]:
    deleted_at = incident.archived.deleted_at
    if deleted_at is not None:
        end = min(end, deleted_at)
    private = incident.archived.visibility == "private"
    before = state_at(incident.archived, start)
    for at in incident.changes:
        if not start < at <= end:
            continue
        state = state_at(incident.archived, at)
        if state is None or state == before:
            continue
        happened = "incident_created_v2" if before is None else "incident_updated_v2"
        if private:
            yield Event(f"private_incident.{happened}", incident.id, at, {"id": incident.id})
        else:
            shown = incident_object(incident, state)
            yield Event(f"public_incident.{happened}", incident.id, at, shown)
            if before is not None and before.status != state.status:
                statuses, workspace = status_objects(incident.workspace), incident.workspace
                told = {
                    "incident": shown,
                    "new_status": statuses[workspace.status_for(state.status).id],
                    "previous_status": statuses[workspace.status_for(before.status).id],
                }
                yield Event("public_incident.incident_status_updated_v2", incident.id, at, told)
        before = state
    yield from _of_follow_ups(incident, start, end, private=private)


def _of_follow_ups(incident: WorkspaceIncident, start: datetime, end: datetime, *, private: bool) -> Iterator[Event]:
    # a follow-up is written down and, at most, done: it changes when it appears and when it was last updated
    ends = {
        datetime.fromisoformat(shown[name])
        for shown in follow_up_objects(incident, end)
        for name in ("created_at", "updated_at")
    }
    former = {shown["id"]: shown for shown in follow_up_objects(incident, start)}
    for at in sorted(instant for instant in ends if start < instant <= end):
        for shown in follow_up_objects(incident, at):
            if former.get(shown["id"]) != shown:
                happened = "follow_up_updated" if shown["id"] in former else "follow_up_created"
                yield from _of_follow_up(shown, happened, at, private=private)
                former[shown["id"]] = shown


def _of_follow_up(shown: JsonObject, happened: str, at: datetime, *, private: bool) -> Iterator[Event]:
    if private:
        told = {"id": shown["id"]}
        yield Event(f"private_incident.{happened}_v1", shown["id"], at, told)
        yield Event(f"private_incident.{happened}_v2", shown["id"], at, told)
    else:
        yield Event(f"public_incident.{happened}_v1", shown["id"], at, _as_action(shown))
        yield Event(f"public_incident.{happened}_v2", shown["id"], at, shown)


def _as_action(shown: JsonObject) -> JsonObject:
    """The first version tells of a follow-up as of an action (ActionV1)."""
    names = ("id", "incident_id", "status", "created_at", "updated_at", "assignee", "completed_at")
    told = {name: shown[name] for name in names if name in shown}
    return told | {"description": shown["title"], "follow_up": True}
