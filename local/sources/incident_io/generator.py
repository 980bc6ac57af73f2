"""Incident histories shaped like those of a public status page, drawn from a seed.

The shape (not the rows) follows 33 months of one public service's incidents: arrivals by hour and weekday, durations
with a median of one hour and a tail of days, mostly minor, about five updates each. What a status page doesn't show but
a workspace has is added: re-opened incidents, corrections weeks later, duplicates, drills.

The same seed and start give the same incidents whatever the end: a later end only adds, and completes what was cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import log
from random import Random

import msgspec

from local.sources.incident_io.archive import ArchiveIncident, Impact, Mode, Stamp, Status, Update

COMPONENTS = (
    "checkout",
    "search",
    "payments",
    "catalogue",
    "sign-in",
    "notifications",
    "mobile gateway",
    "billing",
    "reporting",
    "media",
    "shipping",
    "partner interface",
)
_NIGHT, _MORNING = (0.7, 0.7, 0.7, 0.6, 0.6, 0.6, 0.6, 0.45), (0.75,) * 5
_HOUR_WEIGHTS = (*_NIGHT, *_MORNING, 1.3, 1.95, 1.9, 1.6, 2.2, 1.4, 1.3, 1.5, 1.1, 1.0, 1.0)
_WEEKDAY_WEIGHTS = (1.17, 1.68, 1.6, 1.13, 0.92, 0.25, 0.25)
_IMPACTS: tuple[Impact, ...] = ("minor", "major", "critical", "none", "maintenance")
_IMPACT_WEIGHTS = (78, 16, 1, 3, 2)
_MODES: tuple[Mode, ...] = ("standard", "retrospective", "test", "tutorial")
_MODE_WEIGHTS = (960, 20, 15, 5)
_MEDIAN_MINUTES = 60.0
_SPREAD = 1.2
"""Sigma of the logarithm: quartiles at 27 and 135 minutes, 95 % within seven and a half hours."""
_LATE_EDITS = 0.15


def generate(
    seed: int,
    start: datetime,
    end: datetime,
    per_day: float,
    components: Sequence[str] = COMPONENTS,
    *,
    deleted: float = 0.0,
) -> Iterator[ArchiveIncident]:
    """Incidents that start in [start, end), oldest first, as they stood at `end`: what came later isn't in them.

    `per_day` is the mean over a week; `deleted` is the share that somebody deletes, days later. Raises ValueError for a
    rate that isn't positive or for instants without offset.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end must carry their offset")
    if per_day <= 0:
        raise ValueError(f"per_day must be positive, not {per_day}")
    for number, started_at in enumerate(_arrivals(Random(f"{seed}/arrivals"), start.astimezone(UTC), end, per_day)):
        history = _History(Random(f"{seed}/{number}"), started_at, tuple(components))
        incident = history.incident(f"g{seed}-{number:07d}")
        # lots of its own: whether something is deleted changes nothing else
        yield as_known_at(_deleted(Random(f"{seed}/{number}/deleted"), incident, deleted), end)


def _deleted(rng: Random, incident: ArchiveIncident, share: float) -> ArchiveIncident:
    if rng.random() >= share:
        return incident
    at = incident.started_at + timedelta(hours=rng.lognormvariate(4.0, 1.0))
    return msgspec.structs.replace(incident, deleted_at=_whole_ms(at))


def as_known_at(incident: ArchiveIncident, instant: datetime) -> ArchiveIncident:
    """The incident without what was written after `instant`; its first update always stays."""
    updates = tuple(update for update in incident.updates if update.at <= instant) or incident.updates[:1]

    def past(at: datetime | None) -> datetime | None:
        return at if at is not None and at <= instant else None

    return msgspec.structs.replace(
        incident,
        updates=updates,
        resolved_at=past(incident.resolved_at),
        downtime_end=past(incident.downtime_end),
        updated_at=past(incident.updated_at) or updates[-1].at,
        deleted_at=past(incident.deleted_at),
    )


def _arrivals(rng: Random, start: datetime, end: datetime, per_day: float) -> Iterator[datetime]:
    """A Poisson process whose rate follows the hour and the weekday, by thinning one at the highest rate."""
    mean_hour = sum(_HOUR_WEIGHTS) / 24
    mean_weekday = sum(_WEEKDAY_WEIGHTS) / 7
    peak = max(_HOUR_WEIGHTS) * max(_WEEKDAY_WEIGHTS)
    highest_rate = per_day * peak / (mean_hour * mean_weekday)
    instant = start
    while True:
        instant += timedelta(days=rng.expovariate(highest_rate))
        if instant >= end:
            return
        if rng.random() * peak < _HOUR_WEIGHTS[instant.hour] * _WEEKDAY_WEIGHTS[instant.weekday()]:
            yield instant.replace(microsecond=instant.microsecond // 1000 * 1000)


class _History:
    """Draws one incident's history."""

    def __init__(self, rng: Random, started_at: datetime, components: tuple[str, ...]) -> None:
        self._rng = rng
        self._started_at = started_at
        self._components = components
        self._updates: list[Update] = []

    def incident(self, incident_id: str) -> ArchiveIncident:
        rng = self._rng
        impact = rng.choices(_IMPACTS, _IMPACT_WEIGHTS)[0]
        mode = rng.choices(_MODES, _MODE_WEIGHTS)[0]
        resolved_at: datetime | None = None
        if impact == "maintenance":
            resolved_at = self._planned_work()
        elif rng.random() < 0.04:
            self._dismissed()
        else:
            resolved_at = self._worked_on(impact)
        downtime_end = resolved_at
        if resolved_at is not None:
            if rng.random() < 0.03:
                downtime_end = self._between(self._started_at, resolved_at)
            self._look_back(impact, resolved_at)
        noticed_late = timedelta(minutes=rng.lognormvariate(2.5, 1.0)) if rng.random() < 0.08 else timedelta()
        return ArchiveIncident(
            id=incident_id,
            impact=impact,
            started_at=self._started_at,
            updates=tuple(self._updates),
            components=self._affected(),
            resolved_at=resolved_at,
            downtime_start=_whole_ms(self._started_at - noticed_late),
            downtime_end=downtime_end,
            updated_at=self._updates[-1].at + timedelta(seconds=rng.randrange(0, 60)),
            mode=mode,
            visibility="private" if rng.random() < 0.03 else "public",
        )

    def _affected(self) -> tuple[str, ...]:
        rng = self._rng
        wanted = rng.choices((0, 1, 2, 3, 5), (10, 66, 12, 7, 5))[0]
        left = list(self._components)
        chosen: list[str] = []
        while left and len(chosen) < wanted:
            # a few components fail often, most seldom
            weights = [1 / (self._components.index(name) + 1) for name in left]
            name = rng.choices(left, weights)[0]
            left.remove(name)
            chosen.append(name)
        return tuple(chosen)

    def _add(self, at: datetime, status: Status, impact: Impact | None = None) -> datetime:
        at = _whole_ms(at)
        self._updates.append(Update(at=at, status=status, impact=impact))
        return at

    def _between(self, start: datetime, end: datetime) -> datetime:
        return _whole_ms(start + (end - start) * self._rng.random())

    def _worked_on(self, impact: Impact) -> datetime | None:
        """Investigating, some updates, Resolved; about one in twenty-five opens again; a few are never ended."""
        rng = self._rng
        minutes = rng.lognormvariate(log(_MEDIAN_MINUTES), _SPREAD)
        if rng.random() < 0.015:
            minutes *= rng.uniform(10, 40)
        end = self._started_at + timedelta(minutes=max(2.0, minutes))
        # most incidents are declared by an alert, and somebody looks at them minutes later
        unnoticed = timedelta(minutes=rng.lognormvariate(1.2, 0.9)) if rng.random() < 0.7 else timedelta()
        noticed = self._started_at + min(unnoticed, (end - self._started_at) / 2)
        self._progress(noticed, end, self._severity_change(impact))
        if rng.random() < 0.006:
            return None
        resolved_at = self._add(end, "Resolved")
        if rng.random() < 0.04:
            again = resolved_at + timedelta(minutes=rng.lognormvariate(4.0, 1.0))
            end = again + timedelta(minutes=max(5.0, rng.lognormvariate(3.5, 1.0)))
            self._progress(again, end, None)
            resolved_at = self._add(end, "Resolved")
        return resolved_at

    def _severity_change(self, impact: Impact) -> Impact | None:
        if self._rng.random() >= 0.10:
            return None
        ladder: tuple[Impact, ...] = ("none", "minor", "major", "critical")
        place = ladder.index(impact)
        neighbours = [ladder[n] for n in (place - 1, place + 1) if 0 <= n < len(ladder)]
        return self._rng.choice(neighbours)

    def _progress(self, start: datetime, end: datetime, severity_change: Impact | None) -> None:
        rng = self._rng
        self._add(start, "Investigating")
        count = 1
        while count < 30 and rng.random() < 0.72:
            count += 1
        response = min(end, start + timedelta(minutes=rng.lognormvariate(2.3, 0.8)))
        moments = sorted([response, *(self._between(response, end) for _ in range(count - 1))])
        changed = rng.randrange(count)
        statuses: list[Status] = ["Update"] * count
        if rng.random() < 0.6:
            statuses[rng.randrange(count)] = "Identified"
        if count > 1 and rng.random() < 0.6:
            statuses[-1] = "Monitoring"
        for index, (moment, status) in enumerate(zip(moments, statuses, strict=True)):
            self._add(moment, status, severity_change if index == changed else None)

    def _planned_work(self) -> datetime:
        rng = self._rng
        begin = self._started_at + timedelta(hours=rng.uniform(2, 96))
        self._add(self._started_at, "Scheduled")
        self._add(begin, "In progress")
        return self._add(begin + timedelta(minutes=rng.lognormvariate(5.0, 0.6)), "Completed")

    def _dismissed(self) -> None:
        """Found to be nothing, or the same as another."""
        rng = self._rng
        self._add(self._started_at, "Scheduled" if rng.random() < 0.3 else "Investigating")
        dismissals: tuple[Status, ...] = ("Declined", "Merged", "Cancelled")
        how = rng.choices(dismissals, (50, 35, 15))[0]
        self._add(self._started_at + timedelta(minutes=rng.lognormvariate(2.5, 0.8)), how)

    def _look_back(self, impact: Impact, resolved_at: datetime) -> None:
        """What is written once it is over: a review of the worse ones, and corrections hours to weeks later."""
        rng = self._rng
        last = resolved_at
        if rng.random() < (0.4 if impact in {"major", "critical"} else 0.05):
            last = self._add(last + timedelta(hours=rng.lognormvariate(3.6, 0.8)), "Postmortem")
        if rng.random() >= _LATE_EDITS:
            return
        at = _whole_ms(last + timedelta(hours=rng.lognormvariate(4.2, 1.4)))
        if rng.random() < 0.5:
            self._add(at, "Note")
        else:
            self._updates.append(Update(at=at, status="Note", timestamps=self._corrections(resolved_at)))

    def _corrections(self, resolved_at: datetime) -> dict[Stamp, datetime]:
        rng = self._rng
        if rng.random() < 0.15:
            # a slip of the hand that a reader has to live with: noticed after it was over
            return {"detected": _whole_ms(resolved_at + timedelta(minutes=rng.uniform(5, 600)))}
        stamps: tuple[Stamp, ...] = ("impact_started", "detected", "accepted", "fixed", "resolved")
        return {
            stamp: self._between(self._started_at, resolved_at) for stamp in rng.sample(stamps, rng.choice((1, 1, 2)))
        }


def _whole_ms(instant: datetime) -> datetime:
    """The vendor's live answers carry milliseconds."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
