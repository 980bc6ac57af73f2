"""dbt builds on the stand-in: what a second build, late rows and changed incidents do to the marts.

The tests of this file tell one story on one warehouse, in order: a build costs seconds.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.instants import to_text
from tests.dbt.project import DbtProject
from tests.dbt.raw import NOON, OWN_NAMES, close_window, incident, load
from tests.dbt.warehouse import BRIDGE, FACT, Warehouse

pytestmark = pytest.mark.emulated

LONG_AGO = NOON - timedelta(days=400)
EARLIER = NOON - timedelta(hours=1)
LATER = NOON + timedelta(hours=1)
PIPELINE = ("--select", "tag:ops_incidents", "--exclude-resource-type", "unit_test")
"""What the job builds. The unit tests, and everything else before its first row, are another file's."""


@dataclass(frozen=True, slots=True)
class Build:
    """What one `dbt build` left behind."""

    statuses: dict[str, str]
    merges_in: set[str]
    tables_made_in: set[str]
    contents: list[list[tuple[Any, ...]]]


def _build(project: DbtProject, warehouse: Warehouse) -> Build:
    since = warehouse.history_length()
    project.run("build", *PIPELINE)
    return Build(
        project.statuses(),
        warehouse.warehouses_used("merge into analytics.marts", since)
        | warehouse.warehouses_used("begin;\n    \n    merge", since),
        {
            used
            for table in (FACT, BRIDGE)
            for used in warehouse.warehouses_used(f"create or replace transient table {table.lower()}", since)
        },
        warehouse.contents(),
    )


def _incidents() -> Iterator[dict[str, Any]]:
    yield incident("old", created_at=LONG_AGO, services=["checkout"])
    yield incident("redated", services=["checkout"])
    yield incident("two services", services=["checkout", "search"])
    yield incident("one service", services=["search"])
    yield incident("untouched", services=["checkout", "search"])
    yield incident("deleted", services=["checkout"])
    yield incident("backwards", detected_at=NOON - timedelta(days=2))
    # instants in any order and to the microsecond: the build's own tests hold Python's times and SQL's together
    seeded = random.Random(7)
    for number, workspace in enumerate(sorted(OWN_NAMES) * 8):
        created = NOON - timedelta(days=30, microseconds=seeded.randrange(10**9))
        stamps: dict[str, Any] = {
            name: created + timedelta(microseconds=seeded.randrange(-(10**9), 10**10)) for name in OWN_NAMES[workspace]
        }
        yield incident(f"random {number}", workspace=workspace, created_at=created, **stamps)


@pytest.fixture(scope="module")
def first(project: DbtProject, warehouse: Warehouse) -> Build:
    load(warehouse.cursor, list(_incidents()), ingested_at=EARLIER)
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def second(first: Build, project: DbtProject, warehouse: Warehouse) -> Build:
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def third(second: Build, project: DbtProject, warehouse: Warehouse) -> Build:
    """After changes of every awkward kind."""
    changed_at = NOON + timedelta(minutes=30)
    changes = [
        incident("old", created_at=LONG_AGO, updated_at=changed_at, name="changed late", services=["checkout"]),
        incident("redated", created_at=NOON - timedelta(days=700), updated_at=changed_at, services=["checkout"]),
        incident("two services", updated_at=changed_at, services=["search"]),
        incident("one service", updated_at=changed_at),
        incident("deleted", updated_at=changed_at, services=["checkout"], _is_deleted=True),
    ]
    load(warehouse.cursor, changes, ingested_at=LATER)
    load(warehouse.cursor, [incident("committed late", workspace="companyb")], ingested_at=EARLIER - timedelta(days=6))
    return _build(project, warehouse)


def _versions(warehouse: Warehouse, incident_id: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        f"select incident_name, incident_date, is_deleted from {FACT} where incident_id = '{incident_id}'"
    )


def _services(warehouse: Warehouse, incident_id: str) -> set[str]:
    return {id_ for (id_,) in warehouse.rows(f"select service_id from {BRIDGE} where incident_id = '{incident_id}'")}


def test_a_first_build_makes_every_incident(first: Build, warehouse: Warehouse) -> None:
    assert set(first.statuses.values()) <= {"pass", "success", "no-op"}, first.statuses
    assert warehouse.value(f"select count(*) from {FACT}") == warehouse.value(
        "select count(*) from RAW.PUBLIC.FACT_INCIDENTS"
    )


def test_impossible_times_are_flagged(first: Build, warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        f"select time_to_detect_sec, time_to_resolve_sec, dq_valid, dq_flags from {FACT} "
        "where incident_id = 'backwards'"
    )
    assert [(detect, resolve, valid, json.loads(flags)) for detect, resolve, valid, flags in rows] == [
        (None, 3600, False, ["detected_before_created"])
    ]
    assert warehouse.value(f"select count(*) from {FACT} where not dq_valid") > 10, "the random instants are in order"


def test_every_column_of_a_mart_is_documented(first: Build, project: DbtProject, warehouse: Warehouse) -> None:
    for table in (FACT, BRIDGE):
        name = table.split(".")[2]
        columns = warehouse.rows(
            f"select column_name from ANALYTICS.information_schema.columns where table_name = '{name}'"
        )
        documented = project.manifest()["nodes"][f"model.operational_performance.{name.lower()}"]["columns"]
        assert {column.lower() for (column,) in columns} == set(documented)


def test_personal_values_are_not_in_the_marts(first: Build) -> None:
    assert "Ada" not in repr(first.contents)


def test_a_second_build_changes_nothing(first: Build, second: Build) -> None:
    assert second.contents == first.contents
    assert set(second.statuses.values()) <= {"pass", "success", "no-op"}


def test_a_whole_build_is_large_and_an_increment_small(first: Build, second: Build) -> None:
    assert first.tables_made_in == {"ETL_MEDIUM"}
    assert not first.merges_in
    assert second.merges_in == {"ETL_SMALL"}
    assert not second.tables_made_in


def test_an_old_incident_that_changes_stays_one_row(third: Build, warehouse: Warehouse) -> None:
    assert _versions(warehouse, "old") == [("changed late", LONG_AGO.date(), False)]


def test_an_incident_whose_date_is_corrected_stays_one_row(third: Build, warehouse: Warehouse) -> None:
    redated = (NOON - timedelta(days=700)).date()
    assert _versions(warehouse, "redated") == [("Incident redated", redated, False)]
    assert warehouse.rows(f"select incident_date from {BRIDGE} where incident_id = 'redated'") == [(redated,)]


def test_pairs_that_vanish_go(second: Build, third: Build, warehouse: Warehouse) -> None:
    assert _services(warehouse, "two services") == {"search"}
    assert _services(warehouse, "one service") == set()
    assert _services(warehouse, "untouched") == {"checkout", "search"}


def test_a_deleted_incident_stays_with_its_flag_and_loses_its_pairs(third: Build, warehouse: Warehouse) -> None:
    assert [deleted for *_, deleted in _versions(warehouse, "deleted")] == [True]
    assert _services(warehouse, "deleted") == set()


def test_a_row_that_was_committed_late_is_picked_up(third: Build, warehouse: Warehouse) -> None:
    assert len(_versions(warehouse, "committed late")) == 1


def test_the_figures_by_month(third: Build, project: DbtProject, warehouse: Warehouse) -> None:
    project.run("compile", "--select", "mttr_by_month", "incidents_by_day")
    warehouse.cursor.execute(project.compiled("analyses/mttr_by_month.sql"))
    names = [column[0].lower() for column in warehouse.cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in warehouse.cursor.fetchall()]
    alone = [row for row in rows if row["incident_month"] == LONG_AGO.date().replace(day=1)]
    assert [(row["workspace"], row["incidents"], float(row["time_to_resolve_p90_sec"])) for row in alone] == [
        ("companya", 1, 3600.0)
    ]
    assert sum(row["incidents"] for row in rows) == warehouse.value(f"select count_if(not is_deleted) from {FACT}")

    days = warehouse.rows(project.compiled("analyses/incidents_by_day.sql"))
    of_a = [(day, count) for workspace, day, count in days if workspace == "companya"]
    assert len(of_a) == 700, "every day from the first incident to the last"
    assert min(of_a)[1] == 1
    assert 0 in {count for _, count in of_a}


def _freshness(project: DbtProject, environment: dict[str, str]) -> dict[str, str]:
    selected = [f"source:incident_io.company{workspace}_incidents" for workspace in "abc"]
    project.run("source", "freshness", "--select", *selected, succeeds=False, environment=environment)
    results = json.loads((project.folder / "target" / "sources.json").read_text())["results"]
    return {result["unique_id"].rsplit(".", 1)[1]: result["status"] for result in results}


def test_freshness_is_measured_from_the_window_being_built(project: DbtProject, warehouse: Warehouse) -> None:
    replayed = datetime.fromisoformat("2024-02-29T12:00:00+00:00")
    close_window(warehouse.cursor, "incident_io_companya_incidents", replayed, "complete")
    close_window(warehouse.cursor, "incident_io_companyb_incidents", replayed - timedelta(hours=3), "superseded")
    close_window(warehouse.cursor, "incident_io_companyb_incidents", replayed, "missing")
    assert _freshness(project, {"DBT_AS_OF": to_text(replayed)}) == {
        "companya_incidents": "pass",
        "companyb_incidents": "warn",
        "companyc_incidents": "error",
    }
    two_days_on = {"DBT_AS_OF": to_text(replayed + timedelta(days=2))}
    assert set(_freshness(project, two_days_on).values()) == {"error"}


def test_the_builds_tests_can_fail(third: Build, project: DbtProject, warehouse: Warehouse) -> None:
    """Last of the story: RAW and the marts are damaged."""
    load(warehouse.cursor, [incident("lost")], ingested_at=NOON - timedelta(days=30))
    raw = "RAW.PUBLIC.FACT_INCIDENTS"
    warehouse.cursor.execute(
        f"update {raw} set detected_at = '2020-01-01'::timestamp_tz where incident_id = 'untouched'"
    )
    warehouse.cursor.execute(f"update {raw} set tts_sec = 1, severity_rank = 99 where incident_id = 'old'")
    # a key twice in RAW, by two loads: nothing may hide that the MERGE does not keep its promise
    warehouse.cursor.execute(
        f"create or replace table RAW.PUBLIC.TWIN as select * from {raw} where incident_id = 'deleted'"
    )
    warehouse.cursor.execute("update RAW.PUBLIC.TWIN set _ingested_at = dateadd('day', -1, _ingested_at)")
    warehouse.cursor.execute(f"insert into {raw} select * from RAW.PUBLIC.TWIN")
    warehouse.cursor.execute(f"update {FACT} set time_to_resolve_sec = -1 where incident_id = 'old'")
    warehouse.cursor.execute(f"insert into {FACT} select * from {FACT} where incident_id = 'redated'")
    warehouse.cursor.execute(f"insert into {BRIDGE} select * from {BRIDGE} where incident_id = 'untouched'")
    warehouse.cursor.execute(f"delete from {FACT} where incident_id = 'untouched'")
    done = project.run("test", *PIPELINE, succeeds=False)
    assert not done.succeeded
    failed = {name for name, status in project.statuses().items() if status in ("fail", "warn")}
    assert failed == {
        "instants_agree_with_raw",
        "durations_agree_with_raw",
        "incidents_of_raw_are_in_the_mart",
        "stg_incident_io__companya__incidents_one_row_per_incident",
        "int_ops__incidents_unioned_temperature_is_known",
        "fct_ops__incidents_one_row_per_incident",
        "fct_ops__incidents_durations_hold",
        "bridge_ops__incident_service_one_row_per_pair",
        "bridge_ops__incident_service_incident_is_in_the_fact",
    }
