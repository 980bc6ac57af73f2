"""An incident's state as of an instant: a pure fold over its history.

Rules: an incident is visible from `started_at`; updates apply from their own instant; a live status after a closed one
re-opens the incident and takes its resolved stamp away; a stamp shows only once its value is in the past. Whatever can
be seen to change moves `updated_at`, so that a reader who follows `updated_at` misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from local.sources.incident_io.archive import STAMPS, ArchiveIncident, Impact, Stamp, Status, Update

Category = Literal["triage", "declined", "merged", "canceled", "live", "learning", "closed", "paused"]

_CATEGORY: dict[Status, Category] = {
    "Scheduled": "triage",
    "Resolved": "closed",
    "Completed": "closed",
    "Postmortem": "learning",
    "Declined": "declined",
    "Merged": "merged",
    "Cancelled": "canceled",
}
_ENDED: tuple[Category, ...] = ("closed", "learning")


@dataclass(frozen=True, slots=True)
class Step:
    """One applied update with the status and the impact that hold after it (never "Update" or "Note")."""

    update: Update
    status: Status
    impact: Impact


@dataclass(frozen=True, slots=True)
class IncidentState:
    """What can be seen of an incident at an instant. `impact` is None while the incident is in triage."""

    status: Status
    category: Category
    impact: Impact | None
    stamps: dict[Stamp, datetime]
    updated_at: datetime
    steps: tuple[Step, ...]


def category_of(status: Status) -> Category:
    """The vendor's status category of an archive status; what isn't named is live."""
    return _CATEGORY.get(status, "live")


def _opening_status(incident: ArchiveIncident) -> Status:
    return "Scheduled" if incident.impact == "maintenance" else "Investigating"


def _next_status(former: Status, said: Status) -> Status:
    if said == "Note":
        return former
    if said == "Update":
        # progress on a live incident keeps its phase; on any other it puts the incident to work again
        return former if category_of(former) == "live" else "Investigating"
    return said


def steps_until(incident: ArchiveIncident, instant: datetime) -> Iterator[Step]:
    """The updates that have been made by `instant`, oldest first."""
    status, impact = _opening_status(incident), incident.impact
    for update in incident.updates:
        if update.at > instant:
            return
        status = _next_status(status, update.status)
        impact = update.impact or impact
        yield Step(update, status, impact)


def _resolved(incident: ArchiveIncident, steps: tuple[Step, ...], instant: datetime) -> datetime | None:
    """The resolved stamp of an incident that has ended: corrections made since it last ended win over all else."""
    last = max((i for i, s in enumerate(steps) if s.update.status in {"Resolved", "Completed"}), default=None)
    for step in reversed(steps[last or 0 :]):
        if "resolved" in step.update.timestamps:
            return step.update.timestamps["resolved"]
    if incident.resolved_at is not None and incident.resolved_at <= instant:
        return incident.resolved_at
    return None if last is None else steps[last].update.at


def _stamps(
    incident: ArchiveIncident, steps: tuple[Step, ...], instant: datetime, *, ended: bool
) -> dict[Stamp, datetime]:
    def first(status: Status) -> datetime | None:
        return next((s.update.at for s in steps if s.update.status == status), None)

    stamps: dict[Stamp, datetime | None] = {
        "reported": incident.started_at,
        "impact_started": incident.downtime_start or incident.started_at,
        "detected": steps[0].update.at if steps else None,
        "identified": first("Identified") or first("Update"),
        "accepted": steps[1].update.at if len(steps) > 1 else None,
        "fixed": first("Monitoring") or (incident.downtime_end if ended else None),
    }
    for step in steps:
        stamps.update(step.update.timestamps)
    stamps["resolved"] = _resolved(incident, steps, instant) if ended else None
    return {name: at for name in STAMPS if (at := stamps.get(name)) is not None and at <= instant}


def state_at(incident: ArchiveIncident, instant: datetime) -> IncidentState | None:
    """The incident's state as of `instant` (aware), or None while it isn't visible yet."""
    if incident.started_at > instant:
        return None
    steps = tuple(steps_until(incident, instant))
    status = steps[-1].status if steps else _opening_status(incident)
    category = category_of(status)
    stamps = _stamps(incident, steps, instant, ended=category in _ENDED)
    impact = steps[-1].impact if steps else incident.impact
    touched = incident.updated_at if incident.updated_at is not None and incident.updated_at <= instant else None
    return IncidentState(
        status=status,
        category=category,
        impact=None if category == "triage" else impact,
        stamps=stamps,
        updated_at=max(
            incident.started_at, touched or incident.started_at, *(s.update.at for s in steps), *stamps.values()
        ),
        steps=steps,
    )


def change_instants(incident: ArchiveIncident) -> tuple[datetime, ...]:
    """Every instant at which the state can change, ascending, from `started_at` on: between two of them it stands."""
    instants = {incident.started_at}
    named = (incident.resolved_at, incident.downtime_start, incident.downtime_end, incident.updated_at)
    instants.update(at for at in named if at is not None)
    for update in incident.updates:
        instants.add(update.at)
        instants.update(update.timestamps.values())
    return tuple(sorted(at for at in instants if at >= incident.started_at))
