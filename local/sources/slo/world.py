"""What both monitors measure: good and total events an hour, some of them reported late or corrected.

An hour is drawn from the seed, the service and the hour alone, so any hour is known without the ones before, and two
monitors of one service agree about it in the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random

from local.sources.incident_io.generator import COMPONENTS
from local.sources.slo.impacts import HOUR, FailingShares, ServiceImpact
from local.sources.slo.objectives import Monitor, Objective, draw_objectives

SETTLED_AFTER = timedelta(hours=6)
"""Once this long has passed since an hour's end, what is reported of it doesn't change any more."""
_LATE, _CORRECTED = 0.03, 0.04
_BACKGROUND_FAILURES = 0.0003
_SLOWER = 1.5
"""Latency suffers more than availability does."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """An objective's events in one hour as reported at `reported_at`; `version` is 1, or 2 once corrected."""

    hour: datetime
    good: int
    total: int
    reported_at: datetime
    version: int


class SloWorld:
    """Both monitors' objectives and measurements. `services` are in order of traffic; instants must be UTC."""

    def __init__(
        self,
        seed: int,
        start: datetime,
        services: Sequence[str] = COMPONENTS,
        impacts: Iterable[ServiceImpact] = (),
    ) -> None:
        if start.astimezone(UTC) != start.astimezone(UTC).replace(minute=0, second=0, microsecond=0):
            raise ValueError(f"the world starts at a whole hour, not at {start}")
        self.seed = seed
        self.start = start.astimezone(UTC)
        self.objectives = draw_objectives(seed, self.start, services)
        self._failing = FailingShares(impacts)
        self._reports = lru_cache(100_000)(self._draw_reports)

    def of(self, monitor: Monitor) -> list[Objective]:
        """A monitor's objectives, by number."""
        return [objective for objective in self.objectives if objective.monitor == monitor]

    def measurement(self, objective: Objective, hour: datetime, now: datetime) -> Measurement | None:
        """What is reported of an hour as of `now`; None while nothing is."""
        if not objective.measures(hour) or hour + HOUR > now:
            return None
        reported = [report for report in self._reports(objective, hour) if report.reported_at <= now]
        return reported[-1] if reported else None

    def measurements(
        self, objective: Objective, start: datetime, end: datetime, now: datetime
    ) -> Iterator[Measurement]:
        """Everything reported as of `now` of the hours that begin in [start, end), oldest first."""
        # brought between the world's beginning and now first: a caller's range may begin where the calendar ends
        hour = _whole_hour(min(max(start, self.start), now))
        while hour < min(end, now):
            found = self.measurement(objective, hour, now)
            if found is not None:
                yield found
            hour += HOUR

    def settled(self, objective: Objective, hour: datetime) -> tuple[int, int]:
        """Good and total events of an hour once nothing about it changes any more."""
        rng = Random(f"{self.seed}/events/{objective.service}/{objective.indicator}/{hour.isoformat()}")
        total = round(objective.hourly_events * _shape(hour) * rng.uniform(0.85, 1.15))
        suffers = _SLOWER if objective.indicator == "latency" else 1.0
        share = self._failing.at(objective.service, hour) * suffers + _BACKGROUND_FAILURES * rng.random()
        return total - min(total, round(total * share)), total

    def _draw_reports(self, objective: Objective, hour: datetime) -> tuple[Measurement, ...]:
        good, total = self.settled(objective, hour)
        rng = Random(f"{self.seed}/reports/{objective.monitor}/{objective.number}/{hour.isoformat()}")
        ended = hour + HOUR
        first = ended + timedelta(seconds=rng.randint(120, 600))
        kind = rng.random()
        if kind < _LATE:
            late = ended + timedelta(seconds=rng.randint(3600, 20_000))
            return (Measurement(hour, good, total, late, 1),)
        if kind < _LATE + _CORRECTED and total:
            again = ended + timedelta(seconds=rng.randint(3600, int(SETTLED_AFTER.total_seconds())))
            if rng.random() < 0.5:  # part of the events had not arrived
                arrived = rng.uniform(0.90, 0.99)
                early = Measurement(hour, math.floor(good * arrived), math.floor(total * arrived), first, 1)
            else:  # events were taken for failed that were not
                early = Measurement(hour, good - round(good * rng.uniform(0.001, 0.01)), total, first, 1)
            return (early, Measurement(hour, good, total, again, 2))
        return (Measurement(hour, good, total, first, 1),)


def _whole_hour(instant: datetime) -> datetime:
    """The first hour that begins at the instant or after it."""
    hour = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if hour == instant else hour + HOUR


def _shape(hour: datetime) -> float:
    daily = 1 + 0.6 * math.cos((hour.hour - 15) / 24 * 2 * math.pi)
    return daily * (0.7 if hour.weekday() >= 5 else 1.0)
