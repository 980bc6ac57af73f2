"""The objectives that the two monitors keep, and how their targets and owners change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from local.sources.kit.history import History

Monitor = Literal["oebot", "vantage"]
MONITORS: tuple[Monitor, ...] = ("oebot", "vantage")
Indicator = Literal["availability", "latency", "probe"]

TARGETS = tuple(Decimal(text) for text in ("99", "99.5", "99.9", "99.95", "99.99"))
TEAMS = ("Platform", "Delivery", "Core services", "Infrastructure", "Product", "Operations")
ROLLING_DAYS = (7, 28, 30, 90)


@dataclass(frozen=True, slots=True)
class Period:
    """What a target is measured over: the last `rolling_days` days, or the calendar month where that is None."""

    rolling_days: int | None


@dataclass(frozen=True, slots=True)
class ObjectiveState:
    """What of an objective can change, as of an instant. `target` is in percent."""

    target: Decimal
    team: str
    retired: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective with its whole history; `hourly_events` is its mean traffic, 0 for one that has none."""

    monitor: Monitor
    number: int
    name: str
    service: str
    indicator: Indicator
    period: Period
    hourly_events: float
    created_at: datetime
    targets: History[Decimal]
    teams: History[str]
    retired_at: datetime | None = None

    def state(self, now: datetime) -> ObjectiveState | None:
        """The objective as of `now`; None before it was created."""
        if now < self.created_at:
            return None
        retired = self.retired_at is not None and self.retired_at <= now
        changes = [self.created_at, self.targets.changed_at(now), self.teams.changed_at(now)]
        if retired and self.retired_at is not None:
            changes.append(self.retired_at)
        return ObjectiveState(self.targets.at(now), self.teams.at(now), retired, max(changes))

    def measures(self, hour: datetime) -> bool:
        """Whether the objective counts the hour that begins at `hour`."""
        return self.created_at <= hour and (self.retired_at is None or hour < self.retired_at)


def draw_objectives(seed: int, start: datetime, services: Sequence[str]) -> tuple[Objective, ...]:
    """The objectives of both monitors, for services in order of traffic (the first has most).

    The monitors share the services out; the first service is watched by both. Of each monitor one objective has no
    traffic, one is created a month and a half after `start`, one is retired four months after it.
    """
    return tuple(objective for monitor in MONITORS for objective in _of_monitor(seed, start, services, monitor))


def _of_monitor(seed: int, start: datetime, services: Sequence[str], monitor: Monitor) -> Iterator[Objective]:
    parity = MONITORS.index(monitor)
    mine = [(rank, name) for rank, name in enumerate(services) if rank == 0 or rank % 2 == parity]
    kinds: list[tuple[int, str, Indicator]] = [(rank, name, "availability") for rank, name in mine]
    kinds += [(rank, name, "latency") for rank, name in mine[::3]]
    # what nobody calls can't be told from what nobody can reach: a reader must live with a total of 0
    kinds += [(rank, name, "probe") for rank, name in mine[-1:]]
    newest, oldest_to_go = len(mine) - 1, len(mine)
    for number, (rank, service, indicator) in enumerate(kinds):
        rng = Random(f"{seed}/objective/{monitor}/{service}/{indicator}")
        created_at = start + timedelta(days=45) if number == newest else start
        yield Objective(
            monitor=monitor,
            number=number + 1,
            name=_name(service, indicator),
            service=service,
            indicator=indicator,
            period=Period(None) if rng.random() < 0.3 else Period(rng.choice(ROLLING_DAYS)),
            hourly_events=0.0 if indicator == "probe" else _traffic(rank),
            created_at=created_at,
            targets=_targets(rng, created_at, changes=number % 3 == 0),
            teams=_teams(rng, created_at, changes=number % 4 == 1),
            retired_at=start + timedelta(days=120, hours=rng.randrange(24)) if number == oldest_to_go else None,
        )


def _name(service: str, indicator: Indicator) -> str:
    asks = {"availability": "answers", "latency": "answers within 300 ms", "probe": "is reached by the probe"}
    return f"{service[:1].upper()}{service[1:]} {asks[indicator]}"


def _traffic(rank: int) -> float:
    return 60_000 / math.pow(rank + 1, 1.3)


def _targets(rng: Random, created_at: datetime, *, changes: bool) -> History[Decimal]:
    place = rng.randrange(len(TARGETS))
    if not changes:
        return History.of(created_at, TARGETS[place])
    at = created_at + timedelta(days=rng.randint(20, 60), hours=rng.randrange(24), minutes=rng.randrange(60))
    neighbour = place + 1 if place + 1 < len(TARGETS) else place - 1
    return History.of(created_at, TARGETS[place], (at, TARGETS[neighbour]))


def _teams(rng: Random, created_at: datetime, *, changes: bool) -> History[str]:
    before, after = rng.sample(TEAMS, 2)
    if not changes:
        return History.of(created_at, before)
    return History.of(created_at, before, (created_at + timedelta(days=rng.randint(30, 90), hours=9), after))
