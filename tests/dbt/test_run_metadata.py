"""What runs tell of themselves is reconciled in every build: what does not come out even fails, what is odd warns.

The tests of this file tell one story of two pipelines on one warehouse, in order: a build costs seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.contracts import PLATFORM_TABLES
from shared.contracts.pipeline_runs import PIPELINE_RUNS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.ports import PipelineRun, WindowState
from shared.windows.window import Window
from tests.dbt.project import DbtProject
from tests.dbt.raw import NOON, SCHEMA, record
from tests.dbt.warehouse import Warehouse

pytestmark = pytest.mark.emulated

DAY = timedelta(days=1)
DAYS = [NOON - n * DAY for n in reversed(range(10))]
"""Ends of the windows of ten days; the first brings the history."""
ACCOUNTED, LOADED = "records_read_are_accounted_for", "rows_landed_are_loaded"
OTHERS, USUAL = "runs_of_other_pipelines_come_out_even", "row_counts_are_usual"
PIPELINE_OF = {"steady": "planted", "lossy": "planted", "late": "planted", "fan": "other"}


_NOTHING = {"records_read": 0, "records_rejected": 0, "records_skipped": 0, "first_part": None, "last_part": None}


@dataclass(frozen=True, slots=True)
class Build:
    """What the tests of one build said, and the sources that each of them named."""

    statuses: dict[str, str]
    named: dict[str, set[str]]


def _run(source: str, end: datetime, step: str, rows: int, **changes: Any) -> PipelineRun:
    pipeline = PIPELINE_OF[source]
    window = Window(pipeline, end - DAY, end)
    revision, part = changes.get("revision", 0), changes.get("first_part", 0)
    run = PipelineRun(
        run_id=f"{source} {window.id} r{revision} {step} {part} {changes.pop('attempt', 1)}",
        step="extract" if step == "extract" else "load",
        pipeline=pipeline,
        source=source,
        window_id=window.id,
        window_end=end,
        revision=revision,
        first_part=0,
        last_part=0,
        is_full=end == DAYS[0],
        started_at=end + timedelta(minutes=1),
        finished_at=end + timedelta(minutes=2),
        seconds=60.0,
        status="done",
        error=None,
        records_read=rows + 3,
        records_kept=rows,
        records_rejected=1,
        records_skipped=2,
        rows_landed=rows,
        rows_loaded=None if step == "extract" else rows,
        watermark_start=None,
        watermark_end=end,
        recorded_at=end + timedelta(minutes=4),
    )
    return replace(run, **changes)


def _window(source: str, end: datetime, rows: int, status: str = "complete", closed: float = 3) -> WindowState:
    window = Window(PIPELINE_OF[source], end - DAY, end)
    closed_at = end + timedelta(minutes=closed)
    return WindowState(window.pipeline, window.id, source, window.start, end, status, rows, 1, closed_at)


def _day(cursor: Any, source: str, end: datetime, rows: int) -> None:
    """A window as it should be."""
    record(cursor, PIPELINE_RUNS, _run(source, end, "extract", rows), _run(source, end, "load", rows))
    record(cursor, PIPELINE_WINDOWS, _window(source, end, rows))


def _build(project: DbtProject, warehouse: Warehouse, pipelines: str = "") -> Build:
    selection = ("--select", "tag:every_build", "--exclude-resource-type", "unit_test")
    project.run("build", *selection, succeeds=False, environment={"DBT_PIPELINES": pipelines})
    statuses = project.statuses()
    assert statuses["fct_ops__pipeline_runs"] == "success"
    named = {}
    for test in (ACCOUNTED, LOADED, OTHERS, USUAL):
        found = warehouse.rows(f"select source_name from ({project.compiled(f'tests/{test}.sql')})")
        named[test] = {source for (source,) in found}
    return Build({test: statuses[test] for test in named}, named)


@pytest.fixture(scope="module")
def cursor(warehouse: Warehouse) -> Iterator[Any]:
    """Of a warehouse that knows of no window and no run, and forgets those of this story."""
    _forget(warehouse.cursor)
    yield warehouse.cursor
    _forget(warehouse.cursor)


def _forget(cursor: Any) -> None:
    for table in PLATFORM_TABLES:
        cursor.execute(f"delete from {SCHEMA}.{table.name}")


@pytest.fixture(scope="module")
def quiet(cursor: Any, project: DbtProject, warehouse: Warehouse) -> Build:
    """Ten days with everything that may happen to a run whose source loses nothing."""
    for end in DAYS:
        for source in PIPELINE_OF:
            _day(cursor, source, end, 5000 if end == DAYS[0] else 100)
    retried, redelivered, replayed, open_ = DAYS[3], DAYS[4], DAYS[5], NOON + DAY
    failed = {"status": "failed", "error": "WarehouseUnavailable", "rows_loaded": 0, "attempt": 2}
    record(
        cursor,
        PIPELINE_RUNS,
        # an extraction whose source failed before a part had landed
        _run("steady", retried, "extract", 0, attempt=2, status="failed", error="SourceUnavailable", **_NOTHING),
        _run("steady", retried, "load", 100, **failed),
        _run("steady", redelivered, "load", 100, attempt=2),
        _run("steady", redelivered, "load", 100, attempt=3),
        # the same rows again, as another revision
        _run("steady", replayed, "extract", 100, revision=1),
        _run("steady", replayed, "load", 100, revision=1),
        # under way: landed, not loaded yet, and its window is open; so is another revision of one that is closed
        _run("steady", open_, "extract", 100),
        _run("late", DAYS[6], "extract", 100, revision=1, started_at=DAYS[6] + timedelta(hours=1)),
        # a record in several rows, several records in one row, and a part of an older extractor
        replace(_run("fan", DAYS[7], "load", 100), records_kept=7, records_read=10),
        replace(
            _run("fan", DAYS[8], "load", 100),
            records_read=None,
            records_kept=None,
            records_rejected=None,
            records_skipped=None,
        ),
    )
    record(cursor, PIPELINE_WINDOWS, _window("steady", replayed, 200, closed=9))
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def planted(quiet: Build, cursor: Any, project: DbtProject, warehouse: Warehouse) -> Build:
    """A reader that loses a record, a part that is marked and not loaded, and a day with half of its rows."""
    yesterday, today = DAYS[-1], NOON + DAY
    lost = _run("lossy", yesterday, "extract", 100, records_read=104, recorded_at=NOON + DAY)
    record(cursor, PIPELINE_RUNS, replace(lost, finished_at=lost.finished_at + DAY))
    second = _run("late", yesterday, "extract", 15, first_part=1, last_part=1, recorded_at=NOON + DAY)
    record(cursor, PIPELINE_RUNS, second)
    _day(cursor, "steady", today, 50)
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def seen_from_another_pipeline(planted: Build, project: DbtProject, warehouse: Warehouse) -> Build:
    return _build(project, warehouse, "other,another")


@pytest.fixture(scope="module")
def settled(seen_from_another_pipeline: Build, cursor: Any, project: DbtProject, warehouse: Warehouse) -> Build:
    """The lossy window was replayed, the missing part loaded after all, and the next day is as usual."""
    yesterday = DAYS[-1]
    late = {"recorded_at": NOON + 2 * DAY}
    record(
        cursor,
        PIPELINE_RUNS,
        _run("lossy", yesterday, "extract", 101, revision=1, **late),
        _run("lossy", yesterday, "load", 101, revision=1, **late),
        _run("late", yesterday, "load", 15, first_part=1, last_part=1, **late),
    )
    _day(cursor, "steady", NOON + 2 * DAY, 111)
    return _build(project, warehouse)


def test_retries_redeliveries_and_replays_raise_no_alarm(quiet: Build) -> None:
    assert quiet.statuses == dict.fromkeys((ACCOUNTED, LOADED, OTHERS, USUAL), "pass")


def test_a_lost_record_fails(planted: Build) -> None:
    assert planted.statuses[ACCOUNTED] == "fail"
    assert planted.named[ACCOUNTED] == {"lossy"}


def test_a_part_that_was_not_loaded_fails_once_its_window_is_complete(planted: Build) -> None:
    assert planted.statuses[LOADED] == "fail"
    assert planted.named[LOADED] == {"late"}


def test_a_day_with_half_of_its_rows_warns(planted: Build) -> None:
    assert planted.statuses[USUAL] == "warn"
    assert planted.named[USUAL] == {"steady"}


def test_another_pipeline_s_build_warns_and_does_not_fail(seen_from_another_pipeline: Build) -> None:
    statuses = seen_from_another_pipeline.statuses
    assert (statuses[ACCOUNTED], statuses[LOADED], statuses[OTHERS]) == ("pass", "pass", "warn")
    assert seen_from_another_pipeline.named[OTHERS] == {"lossy", "late"}


def test_a_replay_and_a_late_load_settle_it(settled: Build) -> None:
    """The mean of the seven days before is 92.9 then, so 111 rows are less than a fifth more."""
    assert settled.statuses == dict.fromkeys((ACCOUNTED, LOADED, OTHERS, USUAL), "pass")


def test_the_mart_holds_every_run_once(settled: Build, warehouse: Warehouse) -> None:
    raw = f"select count(*), count(distinct run_id) from {SCHEMA}.PIPELINE_RUNS"
    mart = "select count(*), count(distinct run_id) from ANALYTICS.MARTS.FCT_OPS__PIPELINE_RUNS"
    assert warehouse.rows(mart) == warehouse.rows(raw)
    unaccounted = "select sum(records_unaccounted) from ANALYTICS.MARTS.FCT_OPS__PIPELINE_RUNS"
    assert warehouse.value(unaccounted) == 1
