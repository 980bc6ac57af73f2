"""What the invented SLO monitors measure: failures where the incidents are, late reports, odd objectives."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.sources.families import beginning
from local.sources.incident_io.archive import ArchiveIncident, Update
from local.sources.incident_io.generator import COMPONENTS, generate
from local.sources.slo.expected import expected_budgets, expected_measurements, expected_objectives
from local.sources.slo.impacts import HOUR, ServiceImpact, impacts_of
from local.sources.slo.mounted import services_of, slo_world
from local.sources.slo.objectives import MONITORS, Objective
from local.sources.slo.world import SETTLED_AFTER, SloWorld

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=150)


def objective_of(world: SloWorld, service: str, indicator: str) -> Objective:
    return next(o for o in world.objectives if o.service == service and o.indicator == indicator)


def test_the_same_seed_gives_the_same_facts() -> None:
    """And another seed others; nothing depends on what was asked before."""
    first, again, other = SloWorld(3, START), SloWorld(3, START), SloWorld(4, START)
    assert first.objectives == again.objectives
    assert first.objectives != other.objectives
    hours = [START + HOUR * n for n in range(48)]
    checkout = objective_of(first, "checkout", "availability")
    backwards = [again.settled(checkout, hour) for hour in reversed(hours)][::-1]
    assert [first.settled(checkout, hour) for hour in hours] == backwards


def test_failures_are_where_the_incidents_are() -> None:
    """Half an hour of a critical incident costs about a third of the hour's events, and no other hour suffers."""
    at = START + timedelta(days=10, hours=14)
    impact = ServiceImpact("search", at, at + HOUR / 2, "critical")
    calm, hurt = SloWorld(3, START), SloWorld(3, START, impacts=[impact])
    search = objective_of(hurt, "search", "availability")
    good, total = hurt.settled(search, at)
    assert 0.34 < 1 - good / total < 0.36
    assert hurt.settled(search, at)[1] == calm.settled(search, at)[1], "incidents take no traffic away"
    assert hurt.settled(search, at + HOUR) == calm.settled(search, at + HOUR)
    payments = objective_of(hurt, "payments", "availability")
    assert hurt.settled(payments, at) == calm.settled(payments, at)


def test_the_worst_hours_of_a_generated_quarter_are_hours_of_incidents() -> None:
    """Burn follows the incidents that the incident API tells of, service by service."""
    incidents = list(generate(11, START, START + timedelta(days=90), per_day=4))
    world = slo_world(incidents, 3, START)
    impacts = [i for i in impacts_of(incidents) if i.impact != "none"]
    worst: list[tuple[float, str, datetime]] = []
    for objective in world.objectives:
        if objective.indicator == "availability":
            for n in range(24 * 90):
                hour = START + HOUR * n
                good, total = world.settled(objective, hour)
                if total and total - good > total * 0.01:
                    worst.append((1 - good / total, objective.service, hour))
    assert len(worst) > 50
    for _, service, hour in worst:
        assert any(i.service == service and i.start < hour + HOUR and i.end > hour for i in impacts)


def test_drills_and_dismissed_incidents_hurt_nobody() -> None:
    """Nor does planned work; an incident without an end hurts for a day."""
    opening = (Update(at=START, status="Investigating"),)
    over: dict[str, Any] = {"started_at": START, "resolved_at": START + HOUR, "components": ("search",)}
    real = ArchiveIncident(id="1", impact="major", updates=opening, **over)
    drill = ArchiveIncident(id="2", impact="major", updates=opening, mode="test", **over)
    planned = ArchiveIncident(id="3", impact="maintenance", updates=opening, **over)
    dismissed = (*opening, Update(at=START + HOUR, status="Declined"))
    nothing = ArchiveIncident(id="4", impact="major", updates=dismissed, **over)
    unended = ArchiveIncident(id="5", impact="minor", updates=opening, started_at=START, components=("media",))
    assert list(impacts_of([real, drill, planned, nothing, unended])) == [
        ServiceImpact("search", START, START + HOUR, "major"),
        ServiceImpact("media", START, START + timedelta(hours=24), "minor"),
    ]


def test_an_hour_is_reported_after_it_ended_and_settles_within_six_hours() -> None:
    """Some hours come late, some are corrected once; then nothing changes any more."""
    world = SloWorld(3, START)
    checkout = objective_of(world, "checkout", "availability")
    kinds: Counter[str] = Counter()
    for n in range(24 * 60):
        hour = START + HOUR * n
        assert world.measurement(checkout, hour, hour + HOUR) is None
        soon = world.measurement(checkout, hour, hour + HOUR + timedelta(minutes=11))
        final = world.measurement(checkout, hour, hour + HOUR + SETTLED_AFTER)
        assert final is not None
        assert (final.good, final.total) == world.settled(checkout, hour)
        assert final == world.measurement(checkout, hour, END)
        assert final.reported_at <= hour + HOUR + SETTLED_AFTER
        if soon is None:
            kinds["late"] += 1
        elif soon != final:
            kinds["corrected"] += 1
            assert (soon.version, final.version) == (1, 2)
            assert soon.good <= soon.total <= final.total
    assert 20 < kinds["late"] < 80
    assert 30 < kinds["corrected"] < 100


def test_two_monitors_of_one_service_agree_in_the_end() -> None:
    """They may differ in when they know it."""
    world = SloWorld(3, START)
    both = [o for o in world.objectives if o.service == COMPONENTS[0] and o.indicator == "availability"]
    assert [o.monitor for o in both] == list(MONITORS)
    for n in range(100):
        assert world.settled(both[0], START + HOUR * n) == world.settled(both[1], START + HOUR * n)


@pytest.mark.parametrize("monitor", MONITORS)
def test_each_monitor_has_objectives_that_are_hard_to_report(monitor: str) -> None:
    """Without traffic, retired, created later, with a target that changed, over a calendar month."""
    world = SloWorld(7, START)
    mine = [o for o in world.objectives if o.monitor == monitor]
    idle = [o for o in mine if o.hourly_events == 0]
    assert len(idle) == 1
    assert {world.settled(idle[0], START + HOUR * n) for n in range(200)} == {(0, 0)}
    assert any(START < o.created_at < END for o in mine)
    assert any(o.retired_at is not None and o.retired_at < END for o in mine)
    assert any(len(o.targets.changes) > 1 for o in mine)
    assert any(len(o.teams.changes) > 1 for o in mine)
    assert len({o.period for o in mine}) > 2
    assert any(o.period.rolling_days is None for o in world.objectives)
    assert {o.service for o in world.objectives} == set(COMPONENTS)


def test_a_target_holds_from_its_change_on() -> None:
    """What the objective was measured against before stays known only to who asked before."""
    world = SloWorld(7, START)
    objective = next(o for o in world.objectives if len(o.targets.changes) > 1)
    (_, before), (at, after) = objective.targets.changes
    early, late = objective.state(at - timedelta(seconds=1)), objective.state(at)
    assert early is not None
    assert late is not None
    assert (early.target, late.target) == (before, after)
    assert late.updated_at >= at > early.updated_at
    assert objective.state(objective.created_at - timedelta(seconds=1)) is None


def test_nothing_is_measured_before_an_objective_is_made_or_after_it_is_retired() -> None:
    """Not even later on."""
    world = SloWorld(7, START)
    retired = next(o for o in world.objectives if o.retired_at is not None)
    assert retired.retired_at is not None
    hours = [m.hour for m in world.measurements(retired, START, END, END)]
    assert hours[0] == START
    assert retired.retired_at - HOUR <= hours[-1] < retired.retired_at
    newest = max(world.objectives, key=lambda o: o.created_at)
    assert next(world.measurements(newest, START, END, END)).hour == newest.created_at


def test_what_is_expected_is_what_the_facts_say() -> None:
    """Rows of settled hours only, and of objectives that exist."""
    world = SloWorld(7, START)
    now = START + timedelta(days=50)
    rows = expected_measurements(world, "oebot", now - timedelta(days=1), now, now)
    assert max(row["hour"] for row in rows) == now - HOUR - SETTLED_AFTER
    assert all(0 <= row["good"] <= row["total"] for row in rows)
    objectives = expected_objectives(world, "oebot", now)
    assert {row["objective"] for row in rows} == {row["objective"] for row in objectives}
    assert all(row["updated_at"] <= now and Decimal(90) < row["target"] < 100 for row in objectives)
    assert len(expected_objectives(world, "oebot", START)) < len(objectives)


def test_budgets_burn_with_the_incidents() -> None:
    """By what failed, in the service of the incident alone; without events there is no budget to speak of."""
    now = START + timedelta(days=40, hours=13, minutes=20)
    at = START + timedelta(days=39)
    calm = SloWorld(7, START)
    hurt = SloWorld(7, START, impacts=[ServiceImpact("payments", at, at + HOUR, "critical")])
    before, after = (expected_budgets(world, "oebot", now) for world in (calm, hurt))
    services = {o.number: o for o in hurt.of("oebot")}
    for b, a in zip(before, after, strict=True):
        assert a["period_end"] == START + timedelta(days=40, hours=7)
        assert a["total"] == b["total"]
        if services[a["objective"]].service != "payments":
            assert a == b
            continue
        lost = b["good"] - a["good"]
        assert lost > 0
        assert b["remaining"] is not None
        assert a["remaining"] is not None
        assert b["remaining"] - a["remaining"] == pytest.approx(lost / a["allowed_failures"])
    idle = next(a for a in after if services[a["objective"]].hourly_events == 0)
    assert (idle["total"], idle["remaining"]) == (0, None)


def test_a_calendar_months_budget_begins_anew() -> None:
    """On the first hour of the month only the last month's hours count."""
    world = SloWorld(7, START)
    monthly = next(o for o in world.objectives if o.period.rolling_days is None)
    first = datetime(2026, 3, 1, tzinfo=UTC) + SETTLED_AFTER
    starts = []
    for now in (first, first + HOUR):
        row = next(r for r in expected_budgets(world, monthly.monitor, now) if r["objective"] == monthly.number)
        starts.append(row["period_start"])
        hours = (row["period_end"] - row["period_start"]) // HOUR
        assert row["total"] == sum(world.settled(monthly, row["period_start"] + HOUR * n)[1] for n in range(hours))
    assert starts == [datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]


def test_the_worlds_begin_with_the_year_of_the_first_incident() -> None:
    """So that a clock over an archive always has something to show."""
    incidents = list(generate(11, datetime(2023, 5, 1, tzinfo=UTC), datetime(2023, 5, 20, tzinfo=UTC), per_day=4))
    assert beginning(incidents[::-1]) == datetime(2023, 1, 1, tzinfo=UTC)
    assert beginning([]).tzinfo is not None


def test_services_are_those_that_incidents_name() -> None:
    """The most often mentioned first; without incidents the generator's."""
    incidents = list(generate(11, START, START + timedelta(days=20), per_day=4, components=("b", "a")))
    assert set(services_of(incidents)) == {"a", "b"}
    assert services_of([]) == COMPONENTS


def test_a_world_starts_at_a_whole_hour() -> None:
    """Otherwise no hour would be whole."""
    with pytest.raises(ValueError, match="whole hour"):
        SloWorld(1, START + timedelta(minutes=5))
