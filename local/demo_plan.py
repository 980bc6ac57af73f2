"""Which windows a demonstration runs: the past in one, then the most eventful hours, then whatever is left."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.timeline import category_of, change_instants
from shared.registry import registry
from shared.windows.schedule import windows_between
from shared.windows.window import Window

PIPELINE = "ops_incidents"
HOURS = 4
_HOUR = timedelta(hours=1)
_ENDED = ("closed", "learning")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to an incident."""

    at: datetime
    kind: str


def changes_of(incident: ArchiveIncident) -> Iterator[Change]:
    """What happened to an incident, oldest first: opened, resolved, re-opened, severity changed, edited late."""
    yield Change(incident.started_at, "opened")
    impact, ended = incident.impact, False
    for update in incident.updates:
        category = category_of(update.status)
        if update.impact is not None and update.impact != impact:
            impact = update.impact
            yield Change(update.at, "severity changed")
        if category in _ENDED and not ended:
            ended = True
            yield Change(update.at, "resolved")
        elif ended and update.status == "Note":
            yield Change(update.at, "edited late")
        elif ended and category not in _ENDED:
            ended = category != "live"
            yield Change(update.at, "re-opened" if category == "live" else category)
    if incident.updated_at is not None and incident.updated_at > incident.updates[-1].at:
        yield Change(incident.updated_at, "edited late")


def plan_windows(incidents: Sequence[ArchiveIncident], *, until: datetime | None = None) -> list[Window]:
    """A history window, `HOURS` hourly ones around the most eventful time, and one for what follows up to `until`.

    `until` is by default the hour after the last change. The hours are chosen from the later half of the archive: first
    by how many kinds of change they show, then by how many changes.
    """
    changes = sorted((c for incident in incidents for c in changes_of(incident)), key=lambda c: c.at)
    last = max(change_instants(incident)[-1] for incident in incidents)
    end = _next_hour(last) if until is None else _hour(until)
    known = [change for change in changes if change.at < end]
    start = _most_eventful(known[len(known) // 2 :])
    hours = [start + _HOUR * i for i in range(HOURS + 1)]
    edges = [start - _HOUR, *hours, *([end] if end > hours[-1] else [])]
    return [Window(PIPELINE, a, b) for a, b in itertools.pairwise(edges)]


def plan_last(pipeline: str, count: int, *, until: datetime) -> list[Window]:
    """The last `count` windows of a pipeline's schedule up to `until`; the first of them reads all of its past."""
    cron = registry().pipelines[pipeline].cron
    return windows_between(pipeline, cron, until - timedelta(days=count + 1), until)[-count:]


def seen_changes(incidents: Iterable[ArchiveIncident], start: datetime, end: datetime) -> dict[str, int]:
    """How many changes of each kind there were in (start, end]."""
    counts: dict[str, int] = {}
    for incident in incidents:
        for change in changes_of(incident):
            if start < change.at <= end:
                counts[change.kind] = counts.get(change.kind, 0) + 1
    return counts


def _most_eventful(changes: Sequence[Change]) -> datetime:
    best, best_score = _hour(changes[-1].at) - _HOUR, (-1, -1)
    for first in {_hour(change.at) for change in changes}:
        inside = [c.kind for c in changes if first < c.at <= first + _HOUR * HOURS]
        score = (len(set(inside)), len(inside))
        if score > best_score or (score == best_score and first > best):
            best, best_score = first, score
    return best


def _hour(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _next_hour(instant: datetime) -> datetime:
    return _hour(instant) + _HOUR
