"""What hangs on incidents, built on a stand-in of its own: one story, in order, since a build costs seconds."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.contract import Contract, Kind
from shared.contracts.follow_ups import FOLLOW_UPS
from shared.contracts.incident_events import INCIDENT_EVENTS
from shared.contracts.incident_statuses import INCIDENT_STATUSES
from shared.contracts.incident_updates import INCIDENT_UPDATES
from shared.contracts.incidents import INCIDENTS
from shared.contracts.severities import SEVERITIES
from shared.instants import to_text
from shared.registry import registry
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.raw import NOON, create_tables, incident, load
from tests.dbt.warehouse import Warehouse
from tests.local.snowflake_fixtures import local_warehouse

pytestmark = pytest.mark.emulated

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SELECTED = ("--select", "tag:ops_incidents", "--exclude-resource-type", "unit_test")
ADA = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"
"""SHA-256 of ada@example.com."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, DbtProject]]:
    with local_warehouse(Path(tmp_path_factory.mktemp("objects_warehouse"))) as server:
        connection = server.connect(database="RAW", schema="PUBLIC")
        with connection.cursor() as cursor:
            create_tables(cursor)
            project = copy_project(tmp_path_factory.mktemp("objects_project"), registry(), server.port)
            yield Warehouse(server.port, cursor), project
        connection.close()


def row(contract: Contract, at: datetime = NOON, **values: Any) -> Mapping[str, Any]:
    """A row as extraction would land it; what is not said is text for what is required, and nothing for the rest."""
    filled = {
        c.name: {Kind.TEXT: "text", Kind.INSTANT: at}[c.kind]
        for c in contract.columns
        if c.required and c.kind in (Kind.TEXT, Kind.INSTANT)
    }
    meta = {"dq_valid": True, "dq_flags": [], "_is_deleted": False, "_source": "incident_io_companya_test"}
    meta |= {"_window_id": "20261120T1200Z", "_source_file": "part", "_run_id": "run", "_observed_at": at}
    return {**filled, "workspace": "companya", "payload": {}, **meta, **values}


def follow_up(follow_up_id: str, incident_id: str, status: str, **values: Any) -> Mapping[str, Any]:
    given = {"follow_up_id": follow_up_id, "incident_id": incident_id, "status": status, "labels": ["a"]}
    emails = {"creator_email": " Ada@Example.com ", "assignee_email": "ada@example.com"}
    return row(FOLLOW_UPS, **{**given, **emails, "created_at": NOON - 2 * DAY, "updated_at": NOON - DAY, **values})


def update(update_id: str, incident_id: str, at: datetime, **values: Any) -> Mapping[str, Any]:
    given = {"update_id": update_id, "incident_id": incident_id, "updater_email": "ADA@example.com", "severity_rank": 3}
    return row(INCIDENT_UPDATES, at, **given, **values)


def test_objects_of_all_workspaces_become_marts(alone: tuple[Warehouse, DbtProject]) -> None:
    """Follow-ups with the severity of their incident, open ones with an age as of the window that is built."""
    warehouse, project = alone
    cursor = warehouse.cursor
    load(
        cursor, [incident("1"), incident("2", workspace="companyb"), incident("3", _is_deleted=True)], ingested_at=NOON
    )
    follow_ups = [
        follow_up("open", "1", "outstanding"),
        follow_up("done", "1", "completed", completed_at=NOON - DAY),
        follow_up("open", "2", "outstanding", workspace="companyb"),
        follow_up("of a deleted incident", "3", "outstanding"),
        follow_up("deleted", "1", "deleted"),
        follow_up("of an unknown incident", "9", "not_doing"),
        follow_up("impossible", "1", "completed", completed_at=NOON - 3 * DAY),
    ]
    load(cursor, follow_ups, ingested_at=NOON, contract=FOLLOW_UPS)
    updates = [update("a", "1", NOON - 2 * HOUR), update("b", "1", NOON - HOUR, merged_into_incident_id="2")]
    load(cursor, updates, ingested_at=NOON, contract=INCIDENT_UPDATES)
    for contract, key in ((INCIDENT_STATUSES, "status_id"), (SEVERITIES, "severity_id")):
        values: list[dict[str, Any]] = [
            {key: "1", "rank": 1},
            {key: "2", "_is_deleted": True},
            {key: "1", "workspace": "companyb"},
        ]
        load(cursor, [row(contract, **each) for each in values], ingested_at=NOON, contract=contract)
    event = row(INCIDENT_EVENTS, webhook_id="msg_1", event_type="public_incident.incident_created_v2")
    load(cursor, [event], ingested_at=NOON, contract=INCIDENT_EVENTS)

    project.run("build", *SELECTED, environment={"DBT_AS_OF": to_text(NOON)})
    held = {
        (r[0], r[1]): r[2:]
        for r in warehouse.rows(
            "select workspace, follow_up_id, is_open, is_completed, is_deleted, open_for_sec, time_to_complete_sec, "
            "severity_name, creator_email_hash from analytics.marts.fct_ops__incident_follow_ups"
        )
    }
    two_days = 2 * 86_400
    assert held == {
        ("companya", "open"): (True, False, False, two_days, None, "Critical", ADA),
        ("companya", "done"): (False, True, False, None, 86_400, "Critical", ADA),
        ("companyb", "open"): (True, False, False, two_days, None, "Critical", ADA),
        ("companya", "of a deleted incident"): (True, False, True, two_days, None, "Critical", ADA),
        ("companya", "deleted"): (False, False, True, None, None, "Critical", ADA),
        ("companya", "of an unknown incident"): (False, False, False, None, None, None, ADA),
        ("companya", "impossible"): (False, True, False, None, None, "Critical", ADA),
    }
    rows = warehouse.rows(
        "select update_id, merged_into_incident_id, updater_email_hash from analytics.marts.fct_ops__incident_updates "
        "order by created_at"
    )
    assert rows == [("a", None, ADA), ("b", "2", ADA)]
    for name in ("incident_statuses", "severities"):
        flags = f"select count(*), count_if(_is_deleted) from analytics.staging.stg_incident_io__{name}"
        assert warehouse.rows(flags) == [(3, 1)]
    assert warehouse.value("select event_type from analytics.staging.stg_incident_io__incident_events") == (
        "public_incident.incident_created_v2"
    )


def test_a_later_build_follows_what_changed(alone: tuple[Warehouse, DbtProject]) -> None:
    """A late update is added, one row each; whoever of the workspace's sources brought it; ages go on."""
    warehouse, project = alone
    again = [update("b", "1", NOON - HOUR, message="the same"), update("late", "1", NOON - 9 * DAY)]
    changed = [{**each, "_source": "incident_io_companya_update_changes"} for each in again]
    load(warehouse.cursor, changed, ingested_at=NOON + HOUR, contract=INCIDENT_UPDATES)
    gone = incident("1", _is_deleted=True, _source="incident_io_companya_census", _observed_at=NOON + HOUR)
    load(warehouse.cursor, [gone], ingested_at=NOON + HOUR, contract=INCIDENTS)
    project.run("build", *SELECTED, environment={"DBT_AS_OF": to_text(NOON + DAY)})
    rows = "select update_id from analytics.marts.fct_ops__incident_updates order by created_at"
    assert warehouse.rows(rows) == [("late",), ("a",), ("b",)]
    table = "analytics.marts.fct_ops__incident_follow_ups"
    assert warehouse.rows(
        f"select open_for_sec, is_deleted from {table} where follow_up_id = 'open' order by workspace"
    ) == [(3 * 86_400, True), (3 * 86_400, False)]
    deleted = "select incident_id from analytics.marts.fct_ops__incidents where is_deleted order by 1"
    assert warehouse.rows(deleted) == [("1",), ("3",)]
