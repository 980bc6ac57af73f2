"""What incidents do to the services: the share of an hour's events that fail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.sources.incident_io.archive import ArchiveIncident, Impact

HOUR = timedelta(hours=1)
FAILING_SHARE: Mapping[Impact, float] = {"critical": 0.7, "major": 0.25, "minor": 0.04, "none": 0.0, "maintenance": 0.0}
UNENDED = timedelta(hours=24)
"""How long an incident without an end hurts."""
_NOT_REAL = frozenset({"Declined", "Merged", "Cancelled"})


@dataclass(frozen=True, slots=True)
class ServiceImpact:
    """A service failed in [start, end), as badly as `impact` says."""

    service: str
    start: datetime
    end: datetime
    impact: Impact


def impacts_of(incidents: Iterable[ArchiveIncident]) -> Iterator[ServiceImpact]:
    """What real incidents did to their components; drills, planned work and dismissed incidents did nothing."""
    for incident in incidents:
        if incident.mode in {"test", "tutorial"} or incident.impact == "maintenance":
            continue
        if any(update.status in _NOT_REAL for update in incident.updates):
            continue
        start = incident.downtime_start or incident.started_at
        end = incident.downtime_end or incident.resolved_at or start + UNENDED
        if end > start:
            for service in incident.components:
                yield ServiceImpact(service, start, end, incident.impact)


class FailingShares:
    """The share of events that fail in an hour because of incidents, by service."""

    def __init__(self, impacts: Iterable[ServiceImpact]) -> None:
        self._by_hour: dict[tuple[str, datetime], float] = defaultdict(float)
        for impact in impacts:
            share = FAILING_SHARE[impact.impact]
            hour = impact.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            while share and hour < impact.end:
                touched = min(impact.end, hour + HOUR) - max(impact.start, hour)
                self._by_hour[impact.service, hour] += share * (touched / HOUR)
                hour += HOUR

    def at(self, service: str, hour: datetime) -> float:
        """Between 0 and 1, for the hour that begins at `hour` (UTC)."""
        return min(1.0, self._by_hour.get((service, hour), 0.0))
