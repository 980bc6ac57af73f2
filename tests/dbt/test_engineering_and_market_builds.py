"""dbt builds pull requests and listings on the stand-in: what a change of team, somebody who leaves or is read late, an
account that is deleted, and a second snapshot of a day do to the marts.

The tests of this file tell one story on one warehouse, in order: a build costs seconds.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.registry import registry
from tests.dbt.engineering_raw import load_people, load_pull_requests, load_snapshot, login, pull_request
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.raw import create_tables
from tests.dbt.warehouse import Warehouse
from tests.local.snowflake_fixtures import local_warehouse

pytestmark = pytest.mark.emulated

PULLS = "ANALYTICS.MARTS.FCT_GITHUB__PULL_REQUESTS"
LISTINGS = "ANALYTICS.MARTS.FCT_MARKET__LISTINGS"
USERS = "ANALYTICS.SNAPSHOTS.DIM_GITHUB__USERS"
PIPELINES = ("--select", "tag:engineering", "tag:market", "--exclude-resource-type", "unit_test")
LONG_AGO = datetime(2025, 9, 1, tzinfo=UTC)
FIRST, SECOND = (datetime(2026, 11, day, 4, tzinfo=UTC) for day in (2, 20))
MORNING, EVENING, NEXT_DAY = (datetime(2026, 11, d, h, tzinfo=UTC) for d, h in ((1, 8), (1, 20), (2, 8)))
TOLD = {
    1: ("search", "team"),
    2: ("data,platform", "team"),
    3: (None, "outside"),
    4: (None, "ghost"),
    5: ("search", "team"),
}
"""By pull request, the teams and the attribution after the first build."""

Contents = list[list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A stand-in of its own: other stories count every row of their marts."""
    with local_warehouse(Path(tmp_path_factory.mktemp("engineering_warehouse"))) as server:
        connection = server.connect(database="RAW", schema="PUBLIC")
        with connection.cursor() as cursor:
            create_tables(cursor)
            yield Warehouse(server.port, cursor)
        connection.close()


@pytest.fixture(scope="module")
def project(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    return copy_project(tmp_path_factory.mktemp("engineering_project"), registry(), warehouse.port)


def _build(project: DbtProject, warehouse: Warehouse) -> Contents:
    """Build both pipelines; what their marts and the history hold then."""
    project.run("build", *PIPELINES)
    return [sorted(warehouse.rows(f"select * from {table}"), key=repr) for table in (PULLS, USERS, LISTINGS)]


@pytest.fixture(scope="module")
def first(project: DbtProject, warehouse: Warehouse) -> Contents:
    """A first reading of everything, and the market's morning."""
    cursor = warehouse.cursor
    load_people(cursor, {1: "search", 2: "data,platform"}, FIRST)
    pulls = [
        pull_request(1, 1, LONG_AGO, state="closed", closed_at=datetime(2025, 9, 1, 1, tzinfo=UTC)),
        pull_request(2, 2, LONG_AGO, head_repository="Person-002/platform"),
        pull_request(3, 3, LONG_AGO),
        pull_request(4, None, LONG_AGO, head_repository=None),
    ]
    load_pull_requests(cursor, pulls, LONG_AGO + timedelta(days=1))
    load_pull_requests(cursor, [pull_request(5, 1, datetime(2026, 11, 1, tzinfo=UTC))], FIRST)
    load_snapshot(cursor, MORNING, {1: 60000.0, 2: 0.00000001, 3: 5.0}, {2: 21e6})
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def second(first: Contents, project: DbtProject, warehouse: Warehouse) -> Contents:
    """Nothing new was read."""
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def third(second: Contents, project: DbtProject, warehouse: Warehouse) -> Contents:
    """The first one changed teams, the second left, the third was read for the first time."""
    cursor = warehouse.cursor
    load_people(cursor, {1: "checkout", 3: "mobile"}, SECOND)
    merged: dict[str, Any] = {"state": "closed", "closed_at": SECOND, "merged_at": SECOND, "updated_at": SECOND}
    pulls = [
        # an old one that changes and whose author's account was deleted since: known before, so it is no ghost's
        pull_request(1, None, LONG_AGO, **merged),
        pull_request(5, 1, datetime(2026, 11, 1, tzinfo=UTC), **merged),
        pull_request(6, 1, datetime(2026, 11, 20, 3, 59, tzinfo=UTC)),
        pull_request(7, 1, SECOND),
        pull_request(8, 2, SECOND),
    ]
    load_pull_requests(cursor, pulls, SECOND)
    load_snapshot(cursor, EVENING, {1: 61000.0, 2: 0.00000002}, {2: 21e6})
    load_snapshot(cursor, NEXT_DAY, {1: 62000.0}, {})
    return _build(project, warehouse)


def _attributions(warehouse: Warehouse) -> dict[int, tuple[str | None, str]]:
    rows = warehouse.rows(f"select pull_request_id, author_team_slugs, attribution from {PULLS}")
    return {id_: (teams, attribution) for id_, teams, attribution in rows}


def _listings(warehouse: Warehouse) -> dict[tuple[date, int], tuple[Any, ...]]:
    rows = warehouse.rows(f"select fetched_on, listing_id, price, is_in_newest_snapshot from {LISTINGS}")
    return {(day, listing): (price, newest) for day, listing, price, newest in rows}


def test_pull_requests_belong_to_their_authors_teams(first: Contents, warehouse: Warehouse) -> None:
    """Also those that were opened long before anybody looked who is in which team."""
    assert _attributions(warehouse) == TOLD


def test_a_fork_is_told_and_its_owner_is_not(first: Contents, warehouse: Warehouse) -> None:
    rows = warehouse.rows(f"select pull_request_id, is_from_fork from {PULLS} where pull_request_id in (1, 2, 4)")
    assert dict(rows) == {1: False, 2: True, 4: None}


def test_times_are_in_seconds(first: Contents, warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        f"select time_to_close_sec, time_to_merge_sec, is_merged from {PULLS} where pull_request_id <= 2 "
        "order by pull_request_id"
    )
    assert rows == [(3600, None, False), (None, None, False)]


def test_personal_values_are_not_in_the_marts(first: Contents) -> None:
    text = repr(first).lower()
    assert not any(value in text for value in (login(1).lower(), login(2).lower(), "example.test", "name of"))


def test_a_null_in_the_first_row_loses_no_number(first: Contents, warehouse: Warehouse) -> None:
    rows = warehouse.rows(f"select listing_id, max_supply from {LISTINGS} order by listing_id")
    assert rows == [(1, None), (2, 21e6), (3, None)]
    types = warehouse.rows(
        "select data_type from ANALYTICS.information_schema.columns "
        "where table_name = 'FCT_MARKET__LISTINGS' and column_name = 'MAX_SUPPLY'"
    )
    assert types == [("FLOAT",)]


def test_every_column_of_a_mart_is_documented(first: Contents, project: DbtProject, warehouse: Warehouse) -> None:
    for table in (PULLS, LISTINGS):
        name = table.split(".")[2]
        columns = warehouse.rows(
            f"select column_name from ANALYTICS.information_schema.columns where table_name = '{name}'"
        )
        documented = project.manifest()["nodes"][f"model.operational_performance.{name.lower()}"]["columns"]
        assert {column.lower() for (column,) in columns} == set(documented)


def test_a_second_build_changes_nothing(first: Contents, second: Contents) -> None:
    assert second == first


def test_a_past_pull_request_keeps_the_team_of_then(third: Contents, warehouse: Warehouse) -> None:
    told = _attributions(warehouse)
    assert [told[number] for number in (1, 5, 6)] == [("search", "team")] * 3
    assert told[7] == ("checkout", "team"), "the version begins at the very instant of the reading"
    assert warehouse.rows(f"select count(*) from {PULLS} where is_merged and pull_request_id in (1, 5)") == [(2,)]


def test_who_left_has_no_team_from_then_on(third: Contents, warehouse: Warehouse) -> None:
    told = _attributions(warehouse)
    assert told[2] == ("data,platform", "team")
    assert told[8] == (None, "no_team")


def test_an_author_who_was_read_late_gets_their_past(third: Contents, warehouse: Warehouse) -> None:
    """The pull request was loaded long before the lookback and is not in the batch on its own account."""
    assert _attributions(warehouse)[3] == ("mobile", "team")


def test_ghosts_are_kept_and_a_known_author_stays_known(third: Contents, warehouse: Warehouse) -> None:
    assert _attributions(warehouse)[4] == (None, "ghost")
    assert warehouse.value(f"select author_id from {PULLS} where pull_request_id = 1") == 1


def test_the_history_holds_a_version_a_change(third: Contents, warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        f"select user_id, team_slugs, _is_deleted, dbt_valid_to is null from {USERS} order by user_id, dbt_valid_from"
    )
    assert rows == [
        (1, "search", False, False),
        (1, "checkout", False, True),
        (2, "data,platform", False, False),
        (2, "data,platform", True, True),
        (3, "mobile", False, True),
    ]


def test_the_newest_snapshot_of_a_day_wins(third: Contents, warehouse: Warehouse) -> None:
    first_day, second_day = MORNING.date(), NEXT_DAY.date()
    assert _listings(warehouse) == {
        (first_day, 1): (61000.0, True),
        (first_day, 2): (0.00000002, True),
        (first_day, 3): (5.0, False),
        (second_day, 1): (62000.0, True),
    }


def test_pull_requests_by_team_and_month(third: Contents, project: DbtProject, warehouse: Warehouse) -> None:
    """A pull request of somebody in two teams is both teams' one; who has no team is counted too."""
    project.run("compile", "--select", "pull_requests_by_team_and_month")
    rows = warehouse.rows(project.compiled("analyses/pull_requests_by_team_and_month.sql"))
    counted = {(row[0], row[2]): row[3:5] for row in rows}
    then, now = date(2025, 9, 1), date(2026, 11, 1)
    assert counted == {
        ("search", then): (1, 1),
        ("data", then): (1, 0),
        ("platform", then): (1, 0),
        ("mobile", then): (1, 0),
        ("ghost", then): (1, 0),
        ("search", now): (2, 1),
        ("checkout", now): (1, 0),
        ("no_team", now): (1, 0),
    }


def test_the_builds_tests_can_fail(third: Contents, project: DbtProject, warehouse: Warehouse) -> None:
    """Last of the story: RAW, the history and the marts are damaged."""
    damage = [
        f"delete from {PULLS} where pull_request_id = 8",
        f"insert into {PULLS} select * from {PULLS} where pull_request_id = 7",
        f"update {PULLS} set attribution = 'team', is_merged = null where pull_request_id = 4",
        f"update {USERS} set dbt_valid_to = null where user_id = 1",
        f"update {LISTINGS} set price = -1 where listing_id = 1",
        f"update {LISTINGS} set symbol = null where listing_id = 2",
        f"insert into {LISTINGS} select * from {LISTINGS} where listing_id = 3",
    ]
    for statement in damage:
        warehouse.cursor.execute(statement)
    done = project.run("test", *PIPELINES, succeeds=False)
    assert not done.succeeded
    statuses = project.statuses()
    assert {name for name, status in statuses.items() if status == "warn"} == {"fct_market__listings_not_negative"}
    assert {name for name, status in statuses.items() if status == "fail"} == {
        "dim_github__users_versions_follow_one_another",
        "fct_github__pull_requests_columns_not_null",
        "fct_github__pull_requests_hold",
        "fct_github__pull_requests_one_row_per_pull_request",
        "fct_market__listings_columns_not_null",
        "fct_market__listings_one_row_per_day",
        "listings_of_raw_are_in_the_mart",
        "pull_requests_of_raw_are_in_the_mart",
    }
