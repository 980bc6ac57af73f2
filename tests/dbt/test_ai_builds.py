"""dbt builds the AI tools' models on the stand-in: what late, re-stated and vanished days, a changed constant, a person
who changes teams and an account that becomes known do to the marts.

The tests of this file tell one story on one warehouse, in order: a build costs seconds.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.registry import registry
from tests.dbt.ai_raw import load_day, use
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.raw import create_tables
from tests.dbt.warehouse import ACTORS, DAILY, WEEKLY, Warehouse
from tests.local.snowflake_fixtures import local_warehouse

pytestmark = pytest.mark.emulated

RAW = "RAW.PUBLIC.FACT_AI_TOOL_DAILY_METRICS"
ESTIMATES = "ANALYTICS.INTERMEDIATE.INT_AI_TELEMETRY__TOKEN_ESTIMATES"
ACCOUNTS = "ANALYTICS.SEEDS.SEED_ENGINEER_ACCOUNTS"
OCTOBER, TUESDAY, WEEK_AFTER = date(2026, 10, 27), date(2026, 11, 10), date(2026, 11, 17)
PIPELINE = ("--select", "tag:ai_dx_metrics", "--exclude-resource-type", "unit_test")
LINES = {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}


def _mail(number: int) -> str:
    return f"eng-{number:03d}@example.test"


def _window(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 14, 30, tzinfo=UTC)


def _write_people(project: DbtProject, team_of_second: str, since: str, *more_accounts: str) -> None:
    teams = dict.fromkeys(range(1, 7), ("search", "2026-01-01"))
    teams[2] = (team_of_second, since)
    engineers = [f"eng-{number:03d},{team},{day} 00:00:00" for number, (team, day) in teams.items()]
    accounts = [f"eng-{number:03d},{_mail(number)}" for number in teams]
    seeds = project.folder / "seeds"
    (seeds / "seed_engineers.csv").write_text("\n".join(["engineer_id,team,updated_at", *engineers]) + "\n")
    (seeds / "seed_engineer_accounts.csv").write_text(
        "\n".join(["engineer_id,account", *accounts, "eng-001,eng001", *more_accounts]) + "\n"
    )


def _with_another_constant(project: DbtProject) -> DbtProject:
    """The project when the registry has a new version of Cursor's constant: 20 tokens a line."""
    newest = {"version": "2027-01", "method": "per_accepted_line", "tokens": 20}
    tools = [
        {**tool, "estimators": [*tool["estimators"], newest]} if tool["name"] == "cursor" else tool
        for tool in project.variables["ai_tools"]
    ]
    return replace(project, variables={**project.variables, "ai_tools": tools})


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A stand-in of its own: the other story counts every row of its marts."""
    with local_warehouse(Path(tmp_path_factory.mktemp("ai_warehouse"))) as server:
        connection = server.connect(database="RAW", schema="PUBLIC")
        with connection.cursor() as cursor:
            create_tables(cursor)
            yield Warehouse(server.port, cursor)
        connection.close()


@pytest.fixture(scope="module")
def project(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    project = copy_project(tmp_path_factory.mktemp("ai_project"), registry(), warehouse.port)
    _write_people(project, "search", "2026-01-01")
    return project


def _build(project: DbtProject, warehouse: Warehouse) -> list[list[tuple[Any, ...]]]:
    """Build the pipeline; what its marts hold then."""
    project.run("build", *PIPELINE)
    return [sorted(warehouse.rows(f"select * from {table}"), key=repr) for table in (DAILY, ACTORS, WEEKLY)]


@pytest.fixture(scope="module")
def first(project: DbtProject, warehouse: Warehouse) -> list[list[tuple[Any, ...]]]:
    """Two weeks with use and one without between them."""
    cursor = warehouse.cursor
    lines = [use(_mail(number), accepted_lines=count) for number, count in LINES.items()]
    # one person, spelled in two ways by one tool on one day
    load_day(cursor, "cursor", OCTOBER, [*lines, use("ENG-001@Example.Test", accepted_lines=1)], _window(10, 28))
    by_model = [
        use(_mail(n), "gpt", requests=1, input_tokens=100 * n, output_tokens=10 * n, cost_usd=Decimal("0.1"))
        for n in range(1, 7)
    ]
    load_day(cursor, "cursor", TUESDAY, [*by_model, use(_mail(1), accepted_lines=99)], _window(11, 11))
    load_day(cursor, "goose", TUESDAY, [use("eng001", kind="login", input_tokens=7)], _window(11, 11))
    load_day(cursor, "claude_code", TUESDAY, [use(_mail(3), requests=2)], _window(11, 11))
    gateway = [
        use("nightly", "gpt", "api_key", input_tokens=5000),
        use("Stranger@Example.Test", "gpt", input_tokens=1, output_tokens=0, cost_usd=Decimal("0.000001")),
    ]
    load_day(cursor, "g2", TUESDAY, gateway, _window(11, 11))
    load_day(cursor, "cursor", WEEK_AFTER, [use(_mail(2), "gpt", input_tokens=1000)], _window(11, 18))
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def second(
    first: list[list[tuple[Any, ...]]], project: DbtProject, warehouse: Warehouse
) -> list[list[tuple[Any, ...]]]:
    return _build(project, warehouse)


@pytest.fixture(scope="module")
def third(second: list[list[tuple[Any, ...]]], project: DbtProject, warehouse: Warehouse) -> DbtProject:
    """After a day that was stated again, a new constant, a change of teams and an account that became known."""
    again = [
        # the vendor spells the first one otherwise now, has other figures for the second, and lost the sixth
        use("eng-001+new@example.test", "gpt", requests=1, input_tokens=200),
        use(_mail(2), "gpt", requests=1, input_tokens=500),
        *(use(_mail(n), "gpt", requests=1, input_tokens=100 * n, output_tokens=10 * n) for n in (3, 4, 5)),
        use(_mail(4), "claude", requests=1, input_tokens=1),
    ]
    load_day(warehouse.cursor, "cursor", TUESDAY, again, _window(11, 19))
    _write_people(project, "data", "2026-11-16", "eng-006,stranger@example.test")
    changed = _with_another_constant(project)
    _build(changed, warehouse)
    return changed


def _of(warehouse: Warehouse, number: int, columns: str, day: date, tool: str = "cursor") -> list[tuple[Any, ...]]:
    """Columns of an engineer's rows of a day, by model."""
    return warehouse.rows(
        f"select {columns} from {DAILY} as fact inner join {ACTORS} as actors on actors.actor_key = fact.actor_key "
        f"where actors.engineer_key = sha2('eng-{number:03d}', 256) and fact.tool = '{tool}' "
        f"and fact.usage_date = '{day}' order by fact.model"
    )


def _week(warehouse: Warehouse, week: str, team: str = "all") -> tuple[Any, ...]:
    (row,) = warehouse.rows(
        "select engineers, engineers_with_tokens, engineers_with_reported_tokens, tokens_total_p50, "
        f"tokens_reported_p50 from {WEEKLY} where iso_week = '{week}' and team = '{team}'"
    )
    return row


def test_only_the_unmapped_are_warned_of(first: Any, project: DbtProject) -> None:
    warned = {name for name, status in project.statuses().items() if status not in ("pass", "success", "no-op")}
    assert warned == {"actors_are_mapped"}


def test_spellings_and_tools_of_one_engineer_are_one_person(first: Any, warehouse: Warehouse) -> None:
    assert _of(warehouse, 1, "accepted_lines, tokens_estimated", OCTOBER) == [(11, 165)]
    assert _of(warehouse, 1, "tokens_reported", TUESDAY, "goose") == [(7,)]
    # eng-001 has 110 in Cursor and 7 in Goose, eng-003 330 and an estimate of 15,000, somebody unknown 1
    assert _week(warehouse, "2026-W46") == (7, 7, 7, Decimal(440), Decimal(330))
    assert _week(warehouse, "2026-W46", "search") == (6, 6, 6, Decimal(495), Decimal("385.00"))


def test_tokens_are_not_estimated_where_they_are_told(first: Any, warehouse: Warehouse) -> None:
    assert _of(warehouse, 1, "model, accepted_lines, tokens_reported, tokens_estimated, tokens_total", TUESDAY) == [
        ("all", 99, None, None, None),
        ("gpt", None, 110, None, 110),
    ]
    assert _of(warehouse, 3, "tokens_estimated, estimation_method, estimator_version", TUESDAY, "claude_code") == [
        (15000, "per_request", "2026-01")
    ]


def test_estimates_alone_have_their_own_percentiles(first: Any, warehouse: Warehouse) -> None:
    assert _week(warehouse, "2026-W44") == (5, 5, 0, Decimal(450), None)


def test_a_week_without_use_is_there(first: Any, warehouse: Warehouse) -> None:
    assert _week(warehouse, "2026-W45") == (0, 0, 0, None, None)
    assert _week(warehouse, "2026-W45", "search") == (0, 0, 0, None, None)


def test_a_small_group_has_no_percentiles(first: Any, warehouse: Warehouse) -> None:
    assert _week(warehouse, "2026-W46", "unmapped") == (1, 1, 1, None, None)


def test_services_are_kept_and_are_no_engineers(first: Any, warehouse: Warehouse) -> None:
    assert warehouse.rows(f"select actor_kind, is_mapped, is_person from {ACTORS} where not is_mapped order by 1") == [
        ("api_key", False, False),
        ("email", False, True),
    ]
    assert warehouse.value(f"select sum(tokens_reported) from {DAILY} where tool = 'g2'") == 5001


def test_money_is_exact(first: Any, warehouse: Warehouse) -> None:
    assert warehouse.value(f"select sum(cost_usd) from {DAILY}") == Decimal("0.600001")


def test_personal_values_are_not_in_the_marts(first: Any) -> None:
    text = repr(first).lower()
    assert "example.test" not in text
    assert "stranger" not in text


def test_every_column_of_a_mart_is_documented(first: Any, project: DbtProject, warehouse: Warehouse) -> None:
    for table in (DAILY, ACTORS, WEEKLY):
        name = table.split(".")[2]
        columns = warehouse.rows(
            f"select column_name from ANALYTICS.information_schema.columns where table_name = '{name}'"
        )
        documented = project.manifest()["nodes"][f"model.operational_performance.{name.lower()}"]["columns"]
        assert {column.lower() for (column,) in columns} == set(documented)


def test_a_second_build_changes_nothing(first: Any, second: Any) -> None:
    assert second == first


def test_a_new_spelling_of_an_actor_is_no_new_actor(third: DbtProject, warehouse: Warehouse) -> None:
    assert _of(warehouse, 1, "model, tokens_reported, is_deleted", TUESDAY) == [
        ("all", None, True),
        ("gpt", 200, False),
    ]


def test_figures_that_were_stated_again_are_replaced_and_marked(third: DbtProject, warehouse: Warehouse) -> None:
    assert _of(warehouse, 2, "tokens_reported, is_restated, is_late", TUESDAY) == [(500, True, False)]
    assert _of(warehouse, 3, "tokens_reported, is_late", TUESDAY) == [(330, False)]


def test_a_row_that_came_late_is_marked(third: DbtProject, warehouse: Warehouse) -> None:
    assert _of(warehouse, 4, "model, is_late", TUESDAY) == [("claude", True), ("gpt", False)]
    assert _of(warehouse, 4, "is_late", OCTOBER) == [(False,)], "the first window brings the history"


def test_a_row_that_the_tool_lost_stays_with_its_flag(third: DbtProject, warehouse: Warehouse) -> None:
    assert _of(warehouse, 6, "tokens_reported, is_deleted", TUESDAY) == [(660, True)]
    # without eng-006 of Cursor; the stranger turned out to be eng-006
    assert _week(warehouse, "2026-W46", "search")[:3] == (6, 6, 6)


def test_an_account_that_becomes_known_moves_its_past(third: DbtProject, warehouse: Warehouse) -> None:
    assert _of(warehouse, 6, "tokens_reported", TUESDAY, "g2") == [(1,)]
    assert warehouse.rows(f"select 1 from {WEEKLY} where team = 'unmapped'") == []


def test_a_new_constant_restates_and_the_old_one_stays(third: DbtProject, warehouse: Warehouse) -> None:
    assert _of(warehouse, 5, "tokens_estimated, estimator_version", OCTOBER) == [(1000, "2027-01")]
    versions = warehouse.rows(
        f"select estimator_version, tokens_estimated, is_in_force from {ESTIMATES} as estimates "
        f"inner join {ACTORS} as actors on actors.actor_key = estimates.actor_key "
        f"where actors.engineer_key = sha2('eng-005', 256) and usage_date = '{OCTOBER}' order by 1"
    )
    assert versions == [("2026-01", 750, False), ("2027-01", 1000, True)]


def test_a_past_week_keeps_the_team_of_then(third: DbtProject, warehouse: Warehouse) -> None:
    assert _week(warehouse, "2026-W46", "search")[0] == 6
    assert _week(warehouse, "2026-W47", "data")[0] == 1
    assert _week(warehouse, "2026-W47", "search")[0] == 0


def test_adoption_by_tool_and_week(third: DbtProject, warehouse: Warehouse) -> None:
    third.run("compile", "--select", "adoption_by_tool_and_week")
    warehouse.cursor.execute(third.compiled("analyses/adoption_by_tool_and_week.sql"))
    names = [column[0].lower() for column in warehouse.cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in warehouse.cursor.fetchall()]
    figures = {(row["tool"], row["iso_week"]): row for row in rows}
    assert {key: row["active_engineers"] for key, row in figures.items()} == {
        ("claude_code", "2026-W46"): 1,
        ("cursor", "2026-W44"): 5,
        ("cursor", "2026-W46"): 5,
        ("cursor", "2026-W47"): 1,
        ("g2", "2026-W46"): 1,
        ("goose", "2026-W46"): 1,
    }
    assert figures["g2", "2026-W46"]["tokens_reported"] == 5001, "programs use tokens and are no engineers"
    assert figures["cursor", "2026-W44"]["tokens_estimated"] == 151 * 20
    assert figures["cursor", "2026-W46"]["requests"] == 6


def test_the_builds_tests_can_fail(third: DbtProject, warehouse: Warehouse) -> None:
    """Last of the story: RAW, the lists, the history and the marts are damaged."""
    damage = [
        f"update {RAW} set tokens_estimated = 1 where tool = 'claude_code'",
        f"update {RAW} set requests = -5 where tool = 'claude_code'",
        f"update {DAILY} set tokens_reported = -1, tokens_estimated = 1 where tool = 'goose'",
        f"update {DAILY} set is_active = null where tool = 'goose'",
        f"update {DAILY} set estimator_version = 'unknown' where tool = 'g2'",
        f"insert into {DAILY} select * from {DAILY} where tool = 'claude_code'",
        f"insert into {ACTORS} select * from {ACTORS} where not is_person",
        f"update {ACTORS} set person_key = null where not is_person",
        f"update {ACTORS} set is_mapped = false where actor_kind = 'login'",
        f"update {ACTORS} set actor_key = 'another' where actor_kind = 'login'",
        f"insert into {WEEKLY} select * from {WEEKLY} where team = 'data'",
        f"update {WEEKLY} set tokens_total_p50 = 1 where team = 'data'",
        f"insert into {ACCOUNTS} values ('eng-099', 'somebody'), ('eng-002', 'ENG001')",
        "insert into ANALYTICS.SEEDS.SEED_ENGINEERS values ('eng-001', null, null)",
        "update ANALYTICS.SNAPSHOTS.DIM_ENGINEER set dbt_valid_to = null",
    ]
    for statement in damage:
        warehouse.cursor.execute(statement)
    done = third.run("test", *PIPELINE, succeeds=False)
    assert not done.succeeded
    failed = {name for name, status in third.statuses().items() if status in ("fail", "warn")}
    assert failed == {
        "accounts_belong_to_one_engineer",
        "actors_are_mapped",
        "ai_metrics_of_raw_are_in_the_mart",
        "dim_ai_telemetry__actors_columns_not_null",
        "dim_ai_telemetry__actors_one_row_per_actor",
        "dim_engineer_versions_follow_one_another",
        "fct_ai_telemetry__tool_daily_metrics_actor_is_known",
        "fct_ai_telemetry__tool_daily_metrics_columns_not_null",
        "fct_ai_telemetry__tool_daily_metrics_figures_hold",
        "fct_ai_telemetry__tool_daily_metrics_not_negative",
        "fct_ai_telemetry__tool_daily_metrics_one_row_per_key",
        "fct_ai_telemetry__weekly_eng_ai_tokens_one_row_per_week",
        "fct_ai_telemetry__weekly_eng_ai_tokens_percentiles_hold",
        "seed_engineer_accounts_engineer_is_listed",
        "seed_engineers_columns_not_null",
        "seed_engineers_one_row_per_engineer",
        "token_estimates_agree_with_raw",
        "token_estimates_are_in_force",
    }
