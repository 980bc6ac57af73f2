"""dbt builds objectives and the shop on the stand-in: what a re-stated hour, a changed target, incidents that come
later, a cost that becomes known late and a deleted order do to the marts.

The tests of this file tell one story on one warehouse, in order: a build costs seconds.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.registry import registry
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.raw import create_tables, incident, load
from tests.dbt.shop_raw import customer, line, load_shop, order, variant
from tests.dbt.slo_raw import hour, load_hours, load_objectives, objective
from tests.dbt.warehouse import Warehouse
from tests.local.snowflake_fixtures import local_warehouse

pytestmark = pytest.mark.emulated

DAILY = "ANALYTICS.MARTS.FCT_SLO__DAILY_ATTAINMENT"
RATES = "ANALYTICS.MARTS.FCT_SLO__BURN_RATES"
BURNT = "ANALYTICS.MARTS.BRIDGE_SLO__INCIDENT_BURN"
LINES = "ANALYTICS.MARTS.FCT_ECOMMERCE__ORDER_ITEMS"
MARTS = (DAILY, RATES, BURNT, LINES)
PIPELINES = ("tag:slo", "tag:ecommerce")
NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
NO_TESTS = (*NO_UNIT_TESTS, "test")

LONG_AGO = datetime(2025, 9, 1, 12, tzinfo=UTC)
MONTH_BEFORE, MIDNIGHT = datetime(2026, 10, 20, 5, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""Long enough before the first build's newest load to be beyond every increment's lookback."""
FIRST, SECOND = datetime(2026, 11, 11, 0, 15, tzinfo=UTC), datetime(2026, 11, 20, 0, 15, tzinfo=UTC)
ORDERED = datetime(2026, 11, 10, 12, tzinfo=UTC)

UNTOUCHED = "(slo_id = 'month' or (slo_id = 'b' and measured_date = '2026-10-28'))"
"""What nothing that the third build finds can change: another objective, and a day before the late hour."""
MARK = Decimal("0.5")

Contents = list[list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A stand-in of its own: other stories count every row of their marts."""
    with local_warehouse(Path(tmp_path_factory.mktemp("slo_warehouse"))) as server:
        connection = server.connect(database="RAW", schema="PUBLIC")
        with connection.cursor() as cursor:
            create_tables(cursor)
            yield Warehouse(server.port, cursor)
        connection.close()


@pytest.fixture(scope="module")
def project(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    return copy_project(tmp_path_factory.mktemp("slo_project"), registry(), warehouse.port)


def _build(project: DbtProject, warehouse: Warehouse, *how: str) -> Contents:
    """Build both pipelines; what their marts hold then."""
    project.run("build", "--select", *PIPELINES, *how)
    return [sorted(warehouse.rows(f"select * from {table}"), key=repr) for table in MARTS]


@pytest.fixture(scope="module")
def first(project: DbtProject, warehouse: Warehouse) -> Contents:
    """A first reading of everything, before any incident was built."""
    cursor = warehouse.cursor
    objectives = [
        objective("a", "checkout", "0.99"),
        objective("b", "billing", "0.99"),
        objective("month", "search", "0.9995", monitor="vantage", window_kind="calendar_month", window_days=None),
    ]
    load_objectives(cursor, objectives, EARLIER)
    hours = [
        hour("a", MONTH_BEFORE, 90, 100),
        hour("b", datetime(2026, 10, 28, 5, tzinfo=UTC), 100, 100),
        hour("b", datetime(2026, 10, 31, 12, tzinfo=UTC), 99, 100),
        hour("month", datetime(2026, 10, 31, 23, tzinfo=UTC), 0, 1000, monitor="vantage"),
        hour("month", datetime(2026, 11, 1, tzinfo=UTC), 9999, 10000, monitor="vantage"),
    ]
    load_hours(cursor, hours, EARLIER)
    hours = [
        *(hour("a", MIDNIGHT + timedelta(hours=h), 100, 100) for h in range(24) if h not in (9, 10)),
        hour("a", MIDNIGHT + timedelta(hours=9), 92, 100),
        hour("a", MIDNIGHT + timedelta(hours=10), 101, 100),
    ]
    load_hours(cursor, hours, FIRST)
    load_shop(cursor, "customers", [customer(7, "Ada@Example.com")], FIRST)
    load_shop(cursor, "products", [variant(1, "4.10", datetime(2026, 11, 1, tzinfo=UTC))], FIRST)
    load_shop(cursor, "products", [variant(2, None, datetime(2026, 11, 1, tzinfo=UTC))], FIRST)
    load_shop(cursor, "orders", [order(1, LONG_AGO), order(2, ORDERED), order(3, ORDERED), order(4, ORDERED)], FIRST)
    lines = [
        line(10, LONG_AGO, "9.99", total_discount="0.10"),
        line(20, ORDERED, "9.99"),
        line(21, ORDERED, "0.333333", variant_id=2),
        line(30, ORDERED, "9.99"),
        line(40, ORDERED, "9.99", is_test=True),
    ]
    load_shop(cursor, "order_items", lines, FIRST)
    return _build(project, warehouse, *NO_UNIT_TESTS)


@pytest.fixture(scope="module")
def second(first: Contents, project: DbtProject, warehouse: Warehouse) -> Contents:
    return _build(project, warehouse, *NO_TESTS)


@pytest.fixture(scope="module")
def third(second: Contents, project: DbtProject, warehouse: Warehouse) -> Contents:
    """After incidents, a re-stated hour and a late one, a raised target, a cost told late and a deleted order."""
    cursor = warehouse.cursor
    for table in (DAILY, RATES):
        cursor.execute(f"update {table} set target = {MARK} where {UNTOUCHED}")
    struck = MIDNIGHT + timedelta(hours=9, minutes=10)
    load(
        cursor,
        [
            incident("burnt", created_at=struck, services=["checkout", "search"]),
            incident("elsewhere", created_at=struck, services=["login"]),
            incident("quiet", created_at=MIDNIGHT + timedelta(hours=20), services=["checkout"]),
        ],
        ingested_at=SECOND,
    )
    raised = datetime(2026, 11, 10, 18, tzinfo=UTC)
    load_objectives(cursor, [objective("a", "checkout", "0.995", updated_at=raised, team="data")], SECOND)
    restated = hour("a", MONTH_BEFORE, 100, 100, reported_at=FIRST, is_restated=True)
    late = hour("b", datetime(2026, 10, 29, 20, tzinfo=UTC), 90, 100, reported_at=SECOND - timedelta(hours=1))
    load_hours(cursor, [restated, late, hour("unknown", MIDNIGHT, 1, 2)], SECOND)
    changed = datetime(2026, 11, 10, 6, tzinfo=UTC)
    load_shop(
        cursor,
        "products",
        [variant(1, "4.25", changed, title="Big mug", updated_at=SECOND - timedelta(hours=1), _is_deleted=True)],
        SECOND,
    )
    load_shop(cursor, "orders", [order(3, ORDERED, _is_deleted=True)], SECOND)
    back = SECOND - timedelta(hours=2)
    load_shop(cursor, "orders", [order(1, LONG_AGO, updated_at=back, financial_status="partially_refunded")], SECOND)
    refunded = line(10, LONG_AGO, "9.99", updated_at=back, total_discount="0.10", refunded_subtotal="9.95")
    load_shop(cursor, "order_items", [refunded], SECOND)
    built_before_them = ("--exclude", "tag:ops_incidents,resource_type:test")
    return _build(project, warehouse, "tag:ops_incidents", *built_before_them, *NO_UNIT_TESTS)


def _day(warehouse: Warehouse, slo_id: str, day: date, columns: str) -> tuple[Any, ...]:
    (row,) = warehouse.rows(f"select {columns} from {DAILY} where slo_id = '{slo_id}' and measured_date = '{day}'")
    return row


def _line(warehouse: Warehouse, line_item_id: int, columns: str) -> tuple[Any, ...]:
    (row,) = warehouse.rows(f"select {columns} from {LINES} where line_item_id = {line_item_id}")
    return row


def test_a_first_build_passes_every_test(first: Contents, project: DbtProject) -> None:
    assert set(project.statuses().values()) <= {"pass", "success", "no-op"}, project.statuses()


def test_a_day_and_its_window(first: Contents, warehouse: Warehouse) -> None:
    figures = "hours_counted, hours_impossible, good_events, total_events, attainment, target, is_met"
    assert _day(warehouse, "a", MIDNIGHT.date(), figures) == (
        *(23, 1, 2292, 2300),
        *(Decimal("0.9965217391"), Decimal("0.990000"), True),
    )
    window = "window_total_events, error_budget_events, error_budget_left_events, error_budget_left_share"
    assert _day(warehouse, "a", MIDNIGHT.date(), window) == (2400, Decimal(24), Decimal(6), Decimal("0.25"))


def test_a_calendar_month_begins_anew(first: Contents, warehouse: Warehouse) -> None:
    columns = "window_start_date, error_budget_events, error_budget_left_share, window_attainment"
    assert _day(warehouse, "month", date(2026, 11, 1), columns) == (
        *(date(2026, 11, 1), Decimal("5.000000")),
        *(Decimal("0.8"), Decimal("0.9999")),
    )


def test_burn_rates(first: Contents, warehouse: Warehouse) -> None:
    at_nine = MIDNIGHT + timedelta(hours=9)
    rates = warehouse.rows(
        f"select burn_rate_1h, burn_rate_6h, burn_rate_3d from {RATES} "
        f"where slo_id = 'a' and hour_start_at in ('{at_nine:%Y-%m-%d %H:%M:%S}') "
    )
    assert rates == [(Decimal(8), Decimal("1.333333"), Decimal("0.8"))]


def test_without_incidents_nothing_is_blamed(first: Contents) -> None:
    assert first[MARTS.index(BURNT)] == []


def test_a_margin_is_by_the_cost_of_then(first: Contents, warehouse: Warehouse) -> None:
    amounts = "gross_amount, net_amount, unit_cost, margin_amount, is_sale"
    assert _line(warehouse, 10, amounts) == (
        *(Decimal("29.97"), Decimal("29.87"), Decimal("4.10"), Decimal("17.57"), True),
    )
    assert _line(warehouse, 21, amounts) == (Decimal("0.999999"), Decimal("0.999999"), None, None, True)
    assert _line(warehouse, 40, "is_sale") == (False,)


def test_money_is_exact(first: Contents, warehouse: Warehouse) -> None:
    types = warehouse.rows(
        "select distinct data_type from ANALYTICS.information_schema.columns "
        "where table_schema in ('MARTS', 'STAGING', 'SNAPSHOTS') and (column_name like '%_AMOUNT' "
        "or column_name like '%PRICE' or column_name like 'UNIT_COST') and table_name like '%ECOMMERCE%'"
    )
    assert {name for (name,) in types} == {"NUMBER"}


def test_personal_values_are_nowhere(first: Contents, warehouse: Warehouse) -> None:
    told = repr(
        [
            warehouse.rows(f"select * from ANALYTICS.STAGING.STG_ECOMMERCE__{table}")
            for table in ("CUSTOMERS", "ORDERS", "ORDER_ITEMS", "PRODUCTS")
        ]
    ).lower()
    for personal in ("ada@", "lovelace", "london", "7946"):
        assert personal not in told
    assert (
        warehouse.value(
            "select count(*) from ANALYTICS.STAGING.STG_ECOMMERCE__CUSTOMERS as c "
            "inner join ANALYTICS.STAGING.STG_ECOMMERCE__ORDERS as o on o.email_hash = c.email_hash"
        )
        == 4
    ), "an order and its customer meet by the hash"


def test_every_column_of_a_mart_is_documented(first: Contents, project: DbtProject, warehouse: Warehouse) -> None:
    for table in MARTS:
        name = table.split(".")[2]
        columns = warehouse.rows(
            f"select column_name from ANALYTICS.information_schema.columns where table_name = '{name}'"
        )
        documented = project.manifest()["nodes"][f"model.operational_performance.{name.lower()}"]["columns"]
        assert {column.lower() for (column,) in columns} == set(documented)


def test_a_second_build_changes_nothing(first: Contents, second: Contents) -> None:
    assert second == first


def test_a_restated_hour_restates_the_windows_after_it(third: Contents, warehouse: Warehouse) -> None:
    assert _day(warehouse, "a", MONTH_BEFORE.date(), "attainment, is_restated, target") == (1, True, Decimal("0.99"))
    # the whole day, 23 hours of 100, is judged by the target raised on it, the hour of the month before by the old one
    assert _day(warehouse, "a", MIDNIGHT.date(), "target, team, error_budget_events, error_budget_left_events") == (
        *(Decimal("0.995"), "data", Decimal("12.5"), Decimal("4.5")),
    )


def test_a_late_hour_counts_in_every_later_span_and_window(third: Contents, warehouse: Warehouse) -> None:
    """Loaded long after its neighbours, which the increment has to read again to add it to them."""
    day_after_next = date(2026, 10, 31)
    rates = f"select burn_rate_1h, burn_rate_3d from {RATES} where slo_id = 'b' and measured_date = '{day_after_next}'"
    assert warehouse.rows(rates) == [(Decimal(1), Decimal("5.5"))]
    assert _day(warehouse, "b", date(2026, 10, 29), "window_total_events, window_bad_events") == (200, 10)
    window = "window_total_events, window_bad_events, error_budget_left_events"
    assert _day(warehouse, "b", day_after_next, window) == (300, 11, Decimal(-8))


def test_hours_without_an_objective_are_kept_and_warned_of(
    third: Contents, project: DbtProject, warehouse: Warehouse
) -> None:
    assert _day(warehouse, "unknown", MIDNIGHT.date(), "attainment, target, error_budget_events") == (
        *(Decimal("0.5"), None, None),
    )
    warned = {name for name, status in project.statuses().items() if status not in ("pass", "success", "no-op")}
    assert warned == {"fct_slo__daily_attainment_objective_is_known"}


def test_increments_read_what_changed_and_amount_to_a_whole_build(
    third: Contents, project: DbtProject, warehouse: Warehouse
) -> None:
    """Rows that nothing could have changed were not written again; all others are those of a build from nothing."""

    def rows(where: str) -> Contents:
        return [sorted(warehouse.rows(f"select * from {t} where {where}"), key=repr) for t in (DAILY, RATES)]

    for table in (DAILY, RATES):
        assert {target for (target,) in warehouse.rows(f"select target from {table} where {UNTOUCHED}")} == {MARK}
    incremental = rows(f"not {UNTOUCHED}")
    project.run("run", "--full-refresh", "--select", "fct_slo__daily_attainment", "fct_slo__burn_rates")
    assert rows(f"not {UNTOUCHED}") == incremental
    assert all(incremental)


def test_an_incident_is_blamed_for_what_went_bad_in_its_time(third: Contents, warehouse: Warehouse) -> None:
    burnt = warehouse.rows(
        f"select incident_id, burnt.slo_id, burnt.bad_events, burnt.error_budget_burnt_share from {BURNT} as burnt "
        "inner join ANALYTICS.MARTS.FCT_OPS__INCIDENTS as fact on fact.incident_key = burnt.incident_key"
    )
    assert burnt == [("burnt", "a", 8, Decimal("0.64"))]


def test_a_cost_that_is_told_late_moves_the_margins_since_it_holds(third: Contents, warehouse: Warehouse) -> None:
    assert _line(warehouse, 20, "unit_cost, margin_amount") == (Decimal("4.25"), Decimal("17.22"))
    assert _line(warehouse, 10, "unit_cost") == (Decimal("4.10"),)


def test_a_refund_and_a_deleted_order(third: Contents, warehouse: Warehouse) -> None:
    columns = "order_status, margin_amount, margin_after_refunds_amount"
    assert _line(warehouse, 10, columns) == ("partially_refunded", Decimal("17.57"), Decimal("7.62"))
    assert _line(warehouse, 30, "is_deleted, is_sale") == (True, False)


def test_margin_by_month_and_attainment(third: Contents, project: DbtProject, warehouse: Warehouse) -> None:
    project.run("compile", "--select", "margin_by_month", "slo_attainment")
    by_month = warehouse.rows(project.compiled("analyses/margin_by_month.sql"))
    assert [(row[1], row[2], row[8]) for row in by_month] == [
        (date(2025, 9, 1), 1, Decimal("17.57")),
        (date(2026, 11, 1), 1, Decimal("17.22")),
    ]
    stands = warehouse.rows(project.compiled("analyses/slo_attainment.sql"))
    assert {row[1]: (row[7], row[12]) for row in stands} == {
        "checkout a": (Decimal("0.36"), 8),
        "billing b": (Decimal("-2.6666666667"), None),
        "search month": (Decimal("0.8"), None),
        None: (None, None),
    }


def test_the_builds_tests_can_fail(third: Contents, project: DbtProject, warehouse: Warehouse) -> None:
    """Last of the story: RAW, the histories and the marts are damaged."""
    cursor = warehouse.cursor
    load_shop(cursor, "order_items", [line(99, ORDERED, "1")], FIRST)
    load_hours(cursor, [hour("a", MIDNIGHT - timedelta(days=1), 1, 1)], FIRST)
    damage = [
        "update RAW.PUBLIC.ECOMMERCE_ORDER_ITEMS set total_discount = -1 where line_item_id = 20",
        "update RAW.PUBLIC.ECOMMERCE_ORDERS set financial_status = 'bartered' where order_id = 2",
        f"update {LINES} set net_amount = gross_amount + 1, currency = null where line_item_id = 21",
        f"insert into {LINES} select * from {LINES} where line_item_id = 40",
        f"update {LINES} set order_id = 77 where line_item_id = 30",
        f"update {DAILY} set good_events = 1 where slo_id = 'month'",
        f"insert into {DAILY} select * from {DAILY} where slo_id = 'unknown'",
        f"insert into {RATES} select * from {RATES} where slo_id = 'unknown'",
        f"insert into {BURNT} select * from {BURNT}",
        "update ANALYTICS.SNAPSHOTS.SNP_SLO__OBJECTIVES set dbt_valid_to = null",
        "update ANALYTICS.SNAPSHOTS.SNP_ECOMMERCE__PRODUCTS set dbt_valid_to = null",
    ]
    for statement in damage:
        cursor.execute(statement)
    done = project.run("test", "--select", *PIPELINES, *NO_UNIT_TESTS, succeeds=False)
    assert not done.succeeded
    failed = {name for name, status in project.statuses().items() if status in ("fail", "warn")}
    assert failed == {
        "bridge_slo__incident_burn_one_row_per_pair",
        "fct_ecommerce__order_items_amounts_hold",
        "fct_ecommerce__order_items_columns_not_null",
        "fct_ecommerce__order_items_one_row_per_line",
        "fct_ecommerce__order_items_order_is_known",
        "fct_slo__burn_rates_one_row_per_hour",
        "fct_slo__daily_attainment_holds",
        "fct_slo__daily_attainment_objective_is_known",
        "fct_slo__daily_attainment_one_row_per_day",
        "net_is_not_above_gross_at_the_source",
        "order_items_of_raw_are_in_the_mart",
        "slo_measurements_of_raw_are_in_the_mart",
        "snp_ecommerce__products_versions_follow_one_another",
        "snp_slo__objectives_versions_follow_one_another",
        "stg_ecommerce__orders_status_is_known",
    }
