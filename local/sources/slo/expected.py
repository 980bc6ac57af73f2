"""What a correct reader of the monitors holds in the end, as plain rows, told from the world and not from any page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from local.sources.slo.impacts import HOUR
from local.sources.slo.objectives import Monitor
from local.sources.slo.world import SETTLED_AFTER, SloWorld


class ObjectiveRow(TypedDict):
    """One objective as of an instant; `target` in percent, `rolling_days` None for the calendar month."""

    monitor: Monitor
    objective: int
    name: str
    service: str
    team: str
    target: Decimal
    rolling_days: int | None
    retired: bool
    created_at: datetime
    updated_at: datetime


class MeasurementRow(TypedDict):
    """One objective and hour."""

    monitor: Monitor
    objective: int
    service: str
    hour: datetime
    good: int
    total: int


class BudgetRow(TypedDict):
    """An objective's error budget over its period; `remaining` in parts of it, None without events."""

    monitor: Monitor
    objective: int
    period_start: datetime
    period_end: datetime
    target: Decimal
    good: int
    total: int
    allowed_failures: Decimal
    remaining: Decimal | None


def expected_objectives(world: SloWorld, monitor: Monitor, now: datetime) -> list[ObjectiveRow]:
    """Every objective that exists by `now`, retired ones too, by number."""
    rows: list[ObjectiveRow] = []
    for objective in world.of(monitor):
        if objective.created_at > now:
            continue
        changes = [*objective.targets.changes, *objective.teams.changes]
        instants = [at for at, _ in changes if at <= now]
        if objective.retired_at is not None and objective.retired_at <= now:
            instants.append(objective.retired_at)
        rows.append(
            {
                "monitor": monitor,
                "objective": objective.number,
                "name": objective.name,
                "service": objective.service,
                "team": [team for at, team in objective.teams.changes if at <= now][-1],
                "target": [target for at, target in objective.targets.changes if at <= now][-1],
                "rolling_days": objective.period.rolling_days,
                "retired": objective.retired_at is not None and objective.retired_at <= now,
                "created_at": objective.created_at,
                "updated_at": max(instants),
            }
        )
    return rows


def expected_measurements(
    world: SloWorld, monitor: Monitor, start: datetime, end: datetime, now: datetime
) -> list[MeasurementRow]:
    """The hours that begin in [start, end) and are settled by `now`: late and corrected reports have all arrived."""
    rows: list[MeasurementRow] = []
    for objective in world.of(monitor):
        hour = start
        while hour < end:
            if objective.measures(hour) and hour + HOUR + SETTLED_AFTER <= now:
                good, total = world.settled(objective, hour)
                rows.append(
                    {
                        "monitor": monitor,
                        "objective": objective.number,
                        "service": objective.service,
                        "hour": hour,
                        "good": good,
                        "total": total,
                    }
                )
            hour += HOUR
    return rows


def expected_budgets(world: SloWorld, monitor: Monitor, now: datetime) -> list[BudgetRow]:
    """What is left of each live objective's budget, over the hours that are settled by `now`.

    The period ends with the last settled hour and is measured against the target that holds at `now`. A calendar month
    is that of its last hour.
    """
    end = (now - SETTLED_AFTER).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows: list[BudgetRow] = []
    for objective in world.of(monitor):
        state = objective.state(now)
        if state is None or state.retired:
            continue
        days = objective.period.rolling_days
        start = (end - HOUR).replace(day=1, hour=0) if days is None else end - timedelta(days=days)
        hours = [start + HOUR * n for n in range((end - start) // HOUR)]
        counts = [world.settled(objective, hour) for hour in hours if objective.measures(hour)]
        good, total = sum(good for good, _ in counts), sum(total for _, total in counts)
        allowed = total * (100 - state.target) / 100
        rows.append(
            {
                "monitor": monitor,
                "objective": objective.number,
                "period_start": start,
                "period_end": end,
                "target": state.target,
                "good": good,
                "total": total,
                "allowed_failures": allowed,
                "remaining": (allowed - (total - good)) / allowed if allowed else None,
            }
        )
    return rows
