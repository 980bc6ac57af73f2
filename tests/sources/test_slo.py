"""SLO monitors over months: late and corrected hours, changed targets, an outage; what is held is what settled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from local.sources.slo.expected import expected_measurements, expected_objectives
from local.sources.slo.mounted import slo_world
from local.sources.slo.objectives import MONITORS, Monitor
from local.sources.slo.world import SETTLED_AFTER, SloWorld
from tests.sources.reading import SEED, START, Reading, Row, doubles

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 2, 10, 10, 17, tzinfo=UTC)
INSTANTS = (
    *(FIRST + n * HOUR for n in range(16)),
    # nobody came for ten days: an objective was set up, targets and teams changed
    *(datetime(2026, 2, 21, 3, 16, tzinfo=UTC) + n * HOUR for n in range(10)),
    # and for two months: one was retired
    *(datetime(2026, 5, 2, 8, 20, tzinfo=UTC) + n * HOUR for n in range(3)),
)
LAST = INSTANTS[-1]
each_monitor = pytest.mark.parametrize("monitor", MONITORS)


@pytest.fixture(scope="module")
def world() -> SloWorld:
    return slo_world((), SEED, START)


@pytest.fixture(scope="module")
def story() -> Iterator[Reading]:
    with doubles(FIRST) as served:
        reading = Reading(served, history_from="2026-01-01T00:00:00Z")
        for at in INSTANTS:
            for monitor in MONITORS:
                reading.read(f"slo_{monitor}_objectives", at)
                reading.read(f"slo_{monitor}_measurements", at)
        yield reading


def _slo_id(monitor: Monitor, number: int) -> str:
    return f"obj_{number:04d}" if monitor == "oebot" else str(4000 + 7 * number)


def _told(rows: list[Row]) -> dict[tuple[str, datetime], tuple[int, int]]:
    return {(r["slo_id"], r["hour_start_at"]): (r["good_events"], r["total_events"]) for r in rows}


@each_monitor
def test_the_hours_that_settled_are_held_as_they_settled(story: Reading, world: SloWorld, monitor: Monitor) -> None:
    """Every hour since the beginning, once; also those that came late, were corrected, or passed unread."""
    right = {
        (_slo_id(monitor, row["objective"]), row["hour"]): (row["good"], row["total"])
        for row in expected_measurements(world, monitor, START, LAST, LAST)
    }
    held = _told(story.rows(f"slo_{monitor}_measurements"))
    settled = {key: value for key, value in held.items() if key[1] + HOUR + SETTLED_AFTER <= LAST}
    assert settled == right
    assert len(right) > 20_000
    assert any(total == 0 for _, total in right.values())
    assert not any(row["dq_flags"] != "[]" for row in story.rows(f"slo_{monitor}_measurements"))


@each_monitor
def test_a_corrected_hour_says_so(story: Reading, monitor: Monitor) -> None:
    """Some 4 % are; those that were read before and after have another observation than the rest of their hour."""
    rows = story.rows(f"slo_{monitor}_measurements")
    share = sum(row["is_restated"] for row in rows) / len(rows)
    assert 0.02 < share < 0.06
    landed: dict[tuple[str, datetime], set[tuple[int, int]]] = {}
    for row in story.landed_rows(f"slo_{monitor}_measurements"):
        key = (row["slo_id"], row["hour_start_at"])
        landed.setdefault(key, set()).add((row["good_events"], row["total_events"]))
    assert sum(len(figures) > 1 for figures in landed.values()) >= 1, "no correction was seen to happen"


@each_monitor
def test_objectives_are_held_as_they_stand(story: Reading, world: SloWorld, monitor: Monitor) -> None:
    """Targets as exact fractions, whatever the monitor's unit; retired ones too."""
    held = {
        row["slo_id"]: (
            row["name"],
            row["service"],
            row["team"],
            row["target"],
            row["window_days"],
            row["is_retired"],
            row["created_at"],
            row["updated_at"],
        )
        for row in story.rows(f"slo_{monitor}_objectives")
    }
    right = {
        _slo_id(monitor, row["objective"]): (
            row["name"],
            row["service"],
            row["team"],
            row["target"] / 100,
            row["rolling_days"],
            row["retired"],
            row["created_at"],
            row["updated_at"],
        )
        for row in expected_objectives(world, monitor, LAST)
    }
    assert held == right
    assert any(values[5] for values in right.values())
    assert all(isinstance(values[3], Decimal) for values in held.values())


@each_monitor
def test_hours_are_added_and_take_nothing_away(story: Reading, monitor: Monitor) -> None:
    """A span is read as a whole for its pages' sake; it claims no scope of the contract, which has none."""
    assert {part.scopes for part in story.parts(f"slo_{monitor}_measurements")} == {()}


@each_monitor
def test_an_hourly_window_costs_little(story: Reading, monitor: Monitor) -> None:
    """It reads the last hours, not the history, and skips objectives that did not change."""
    hourly = [part for part in story.parts(f"slo_{monitor}_measurements") if part.range_end < FIRST + 14 * HOUR][2:]
    assert hourly
    objectives = len(story.rows(f"slo_{monitor}_objectives"))
    assert max(part.rows for part in hourly) <= 9 * objectives
    assert sum(part.rows for part in story.parts(f"slo_{monitor}_objectives")[1:14]) <= 2 * 13


@pytest.mark.parametrize("monitor", MONITORS)
def test_an_extraction_that_is_cut_anywhere_brings_the_same(monitor: Monitor) -> None:
    """Every invocation has time for a few requests only; the parts joined equal the whole."""
    source = f"slo_{monitor}_measurements"
    at = datetime(2026, 2, 20, 10, 17, tzinfo=UTC)
    with doubles(at) as served:
        whole, cut = Reading(served), Reading(served)
        whole.read(source, at)
        cut.http.seconds = 130.0
        cut.read(source, at)
    assert cut.invocations > 3
    assert whole.invocations == 1
    assert _told(cut.rows(source)) == _told(whole.rows(source))
    assert len(cut.landed_rows(source)) == len(whole.landed_rows(source))
