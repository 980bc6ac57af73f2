"""One test a gap of fakesnow that the stand-in closes, each over the real connector."""

import datetime as dt
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import IntegrityError, ProgrammingError

from tests.local.snowflake_fixtures import LocalWarehouse, local_warehouse, naive, rows

Connection = snowflake.connector.SnowflakeConnection


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    with local_warehouse(tmp_path_factory.mktemp("gaps"), "--idle-transaction-seconds", "60") as running:
        yield running


@pytest.fixture
def connection(warehouse: LocalWarehouse) -> Iterator[Connection]:
    with warehouse.connect(session_parameters={"TIMEZONE": "UTC"}) as opened:
        yield opened


def test_a_warehouse_can_be_switched_and_is_seen(connection: Connection) -> None:
    assert rows(connection, "select current_warehouse()") == [("LOAD_WH",)]
    rows(connection, "use warehouse big_wh")
    assert rows(connection, "select current_warehouse(), current_role()") == [("BIG_WH", "PUBLIC")]
    assert connection.warehouse == "BIG_WH"


def test_session_parameters_are_taken_shown_and_unset(warehouse: LocalWarehouse) -> None:
    tag = '{"app": "it\'s", "step": "copy"}'
    given = {"QUERY_TAG": tag, "LOCK_TIMEOUT": 7, "ABORT_DETACHED_QUERY": True, "STATEMENT_TIMEOUT_IN_SECONDS": 30}
    with warehouse.connect(session_parameters=given) as connection:
        shown = {row[0]: row[1] for row in rows(connection, "show parameters in session")}
        assert (shown["QUERY_TAG"], shown["LOCK_TIMEOUT"], shown["ABORT_DETACHED_QUERY"]) == (tag, "7", "true")
        rows(connection, "alter session set query_tag = 'other', lock_timeout = 3")
        assert [r[:2] for r in rows(connection, "show parameters like 'query_tag'")] == [("QUERY_TAG", "other")]
        rows(connection, "alter session unset query_tag")
        assert [r[1] for r in rows(connection, "show parameters like 'query_tag' in session")] == [""]


def test_a_time_zone_other_than_utc_is_refused_not_ignored(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="UTC only"):
        rows(connection, "alter session set timezone = 'Europe/Berlin'")


def test_temporary_tables_belong_to_their_session(warehouse: LocalWarehouse, connection: Connection) -> None:
    """A qualified temporary table works, hides a permanent one, and no other session sees it."""
    rows(connection, "create or replace table STAGED (a int)")
    rows(connection, 'create temporary table "OPP"."RAW"."STAGED" ("A" number(18,4), b variant)')
    rows(connection, "insert into OPP.RAW.STAGED select 1.5, parse_json('{\"k\": 1}')")
    assert rows(connection, "select staged.a, b:k::int from STAGED where staged.a > 1")[0][1] == 1
    assert [r[:2] for r in rows(connection, "describe table STAGED")] == [("A", "NUMBER(18,4)"), ("B", "VARIANT")]
    with warehouse.connect() as other:
        assert rows(other, "select * from STAGED") == []
    rows(connection, "drop table STAGED")
    assert rows(connection, "select count(*) from STAGED") == [(0,)]


def test_temporary_views_work(connection: Connection) -> None:
    rows(connection, "create or replace temporary view OPP.RAW.RECENT as select 1 as a")
    assert rows(connection, "select a from recent") == [(1,)]


def test_temporary_objects_end_with_the_session(warehouse: LocalWarehouse) -> None:
    with warehouse.connect() as connection:
        rows(connection, "create temporary table SHORT_LIVED (a int)")
    with warehouse.connect() as connection, pytest.raises(ProgrammingError, match="SHORT_LIVED"):
        rows(connection, "select * from SHORT_LIVED")


def test_merge_works_inside_a_transaction_and_rolls_back(connection: Connection) -> None:
    rows(connection, "create or replace table M (id int, v varchar)")
    rows(connection, "insert into M values (1, 'a'), (2, 'b')")
    merge = """
        merge into M as t using (select column1 as id, column2 as v from values (1, 'x'), (3, 'y')) as s on t.id = s.id
        when matched and s.v <> t.v then update set t.v = s.v
        when not matched then insert (id, v) values (s.id, s.v)"""
    rows(connection, "begin")
    with connection.cursor() as cursor:
        cursor.execute(merge)
        assert cursor.rowcount == 2
        assert [column.name for column in cursor.description] == ["number of rows inserted", "number of rows updated"]
        assert cursor.fetchall() == [(1, 1)]
    rows(connection, "rollback")
    assert rows(connection, "select * from M order by id") == [(1, "a"), (2, "b")]


def test_merge_refuses_two_source_rows_for_one_target_row(connection: Connection) -> None:
    rows(connection, "create or replace table M2 (id int, v int)")
    rows(connection, "insert into M2 values (1, 0)")
    with pytest.raises(ProgrammingError, match="Duplicate row") as caught:
        rows(
            connection,
            "merge into M2 t using (select 1 as id, 1 as v union all select 1, 2) s on t.id = s.id "
            "when matched then update set v = s.v",
        )
    assert caught.value.errno == 100090
    assert rows(connection, "select v from M2") == [(0,)]


@pytest.mark.parametrize("style", ["pyformat", "qmark"])
def test_bound_values_reach_a_merge(warehouse: LocalWarehouse, style: str) -> None:
    """The ledger's first statement, with values a SQL text would choke on."""
    mark = "%s" if style == "pyformat" else "?"
    with warehouse.connect(paramstyle=style) as connection:
        rows(connection, "create or replace table LEDGER (object_name varchar, generation number, note varchar)")
        merge = (
            f"merge into LEDGER t using (select {mark} as object_name, {mark} as generation) s "
            "on t.object_name = s.object_name and t.generation = s.generation "
            f"when not matched then insert (object_name, generation, note) values (s.object_name, s.generation, {mark})"
        )
        values = ("landing/it's $HOME/part-00000.parquet", 1732092000000001, "a 'quoted' $name ? %s")
        assert rows(connection, merge, values) == [(1,)]
        assert rows(connection, merge, values) == [(0,)]
        assert rows(connection, "select * from LEDGER") == [values]


def test_null_timestamps_stay_null_and_others_keep_their_microseconds(connection: Connection) -> None:
    sql = """
        select column1::timestamp_ntz, column1::timestamp_tz from values
        ('1969-12-31 23:59:59.999999'), (null), ('2026-11-20 07:00:00.000001'), ('9999-12-31 23:59:59.999999')"""
    without_zone = [
        naive(1969, 12, 31, 23, 59, 59, 999999),
        None,
        naive(2026, 11, 20, 7, 0, 0, 1),
        naive(9999, 12, 31, 23, 59, 59, 999999),
    ]
    assert rows(connection, sql) == [(v, v and v.replace(tzinfo=dt.UTC)) for v in without_zone]


def test_ddl_commits_the_open_transaction(connection: Connection) -> None:
    rows(connection, "create or replace table D (a int)")
    rows(connection, "begin")
    rows(connection, "insert into D values (1)")
    rows(connection, "create temporary table D_STAGE (a int)")
    rows(connection, "rollback")
    assert rows(connection, "select a from D") == [(1,)]


def test_a_second_begin_and_a_lone_commit_do_nothing(connection: Connection) -> None:
    rows(connection, "commit")
    rows(connection, "create or replace table B (a int)")
    rows(connection, "begin")
    rows(connection, "insert into B values (1)")
    rows(connection, "begin transaction")
    rows(connection, "rollback")
    assert rows(connection, "select * from B") == []


def test_autocommit_off_begins_with_the_first_write(warehouse: LocalWarehouse) -> None:
    with warehouse.connect(autocommit=False) as connection, warehouse.connect() as reader:
        rows(connection, "create or replace table A (a int)")
        rows(connection, "insert into A values (1)")
        assert rows(reader, "select * from A") == []
        connection.commit()
        assert rows(reader, "select * from A") == [(1,)]
        rows(connection, "insert into A values (2)")
        connection.rollback()
        assert rows(reader, "select * from A") == [(1,)]


def test_keys_are_parsed_and_not_enforced(connection: Connection) -> None:
    rows(
        connection,
        "create or replace table K (id int primary key not enforced, other int unique, name varchar not null, "
        "constraint pk unique (other, name) not enforced) cluster by (name)",
    )
    rows(connection, "insert into K values (1, 1, 'a'), (1, 1, 'a')")
    assert rows(connection, "select count(*) from K") == [(2,)]
    with pytest.raises(IntegrityError, match="NOT NULL"):
        rows(connection, "insert into K (id) values (2)")


def test_comments_may_have_apostrophes_and_columns_may_have_comments(connection: Connection) -> None:
    rows(connection, "create or replace table C (id int, \"Mixed\" int) comment = 'it''s a table'")
    rows(connection, "comment on table C is $$it's one$$")
    rows(connection, "alter table OPP.RAW.C alter id COMMENT $$it's the key$$, \"Mixed\" COMMENT $$o'k$$")
    assert rows(
        connection,
        "select column_name, comment from OPP.INFORMATION_SCHEMA.COLUMNS where table_name = 'C' order by 1",
    ) == [("ID", "it's the key"), ("Mixed", "o'k")]
    assert rows(connection, "select comment from OPP.INFORMATION_SCHEMA.TABLES where table_name = 'C'") == [
        ("it's one",)
    ]


def test_what_the_stand_in_cannot_do_is_a_sql_error_at_once(connection: Connection) -> None:
    """Never HTTP 500, which the connector would repeat until its network timeout."""
    started = time.monotonic()
    for sql in ("undrop table NOPE", "alter warehouse X resume", "grant select on table t to role r"):
        with pytest.raises(ProgrammingError):
            rows(connection, sql)
    assert time.monotonic() - started < 5  # not a benchmark: the retries would take 20 s each


def test_closing_a_connection_rolls_back_and_frees_the_lock(warehouse: LocalWarehouse) -> None:
    with warehouse.connect() as other:
        rows(other, "create or replace table L (a int)")
        first = warehouse.connect()
        rows(first, "begin")
        rows(first, "insert into L values (1)")
        first.close()
        rows(other, "alter session set lock_timeout = 5")
        rows(other, "insert into L values (2)")
        assert rows(other, "select * from L") == [(2,)]


def test_a_writer_waits_no_longer_than_its_lock_timeout_and_readers_never(warehouse: LocalWarehouse) -> None:
    with warehouse.connect() as holder, warehouse.connect(session_parameters={"LOCK_TIMEOUT": 1}) as other:
        rows(holder, "create or replace table W (a int)")
        rows(holder, "begin")
        rows(holder, "insert into W values (1)")
        assert rows(other, "select count(*) from W") == [(0,)]
        with pytest.raises(ProgrammingError) as caught:
            rows(other, "insert into W values (2)")
        assert caught.value.errno == 625
        rows(holder, "commit")
        rows(other, "insert into W values (3)")
        assert rows(other, "select a from W order by a") == [(1,), (3,)]


def test_a_transaction_that_waited_sees_what_was_committed_meanwhile(warehouse: LocalWarehouse) -> None:
    """Two deliveries of one object: the one that waits for the ledger must find the row and insert none."""
    merge = (
        "merge into SEEN t using (select 'o' as object_name) s on t.object_name = s.object_name "
        "when not matched then insert (object_name) values (s.object_name)"
    )
    inserted: list[Any] = []
    with warehouse.connect() as first, warehouse.connect() as second:
        rows(first, "create or replace table SEEN (object_name varchar)")
        for each in (first, second):
            rows(each, "begin")
            rows(each, "select count(*) from SEEN")
        inserted += rows(first, merge)
        waiting = threading.Thread(target=lambda: inserted.extend(rows(second, merge)))
        waiting.start()
        rows(first, "commit")
        waiting.join(20)
        rows(second, "commit")
        assert inserted == [(1,), (0,)]


def test_concurrent_loads_of_one_table_lose_and_double_nothing(warehouse: LocalWarehouse) -> None:
    """4 sessions times 5 transactions merge the same 50 new keys and count one up."""
    with warehouse.connect() as connection:
        rows(connection, "create or replace table N (id int, n int)")

        def load() -> None:
            with warehouse.connect() as own:
                for _ in range(5):
                    rows(own, "begin")
                    rows(
                        own,
                        "merge into N t using (select seq4() as id from table(generator(rowcount => 50))) s "
                        "on t.id = s.id when matched then update set n = t.n + 1 "
                        "when not matched then insert (id, n) values (s.id, 1)",
                    )
                    rows(own, "commit")

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert rows(connection, "select count(*), count(distinct id), min(n), max(n) from N") == [(50, 50, 20, 20)]


def test_a_failed_statement_never_lets_half_a_transaction_be_committed(connection: Connection) -> None:
    """Snowflake would keep the earlier statements; the stand-in cannot, so it refuses COMMIT instead of losing them."""
    rows(connection, "create or replace table F (a int not null)")
    rows(connection, "begin")
    rows(connection, "insert into F values (1)")
    with pytest.raises(IntegrityError):
        rows(connection, "insert into F values (null)")
    with pytest.raises(ProgrammingError, match="ROLLBACK first"):
        rows(connection, "commit")
    rows(connection, "rollback")
    rows(connection, "insert into F values (2)")
    assert rows(connection, "select * from F") == [(2,)]


def test_a_statement_over_its_timeout_is_canceled(connection: Connection) -> None:
    rows(connection, "alter session set statement_timeout_in_seconds = 1")
    with pytest.raises(ProgrammingError) as caught:
        rows(
            connection,
            "with n as (select seq4() as i from table(generator(rowcount => 1000000))) "
            "select count(*) from n a, n b where hash(a.i, b.i) = 0",
        )
    assert caught.value.errno == 630
    rows(connection, "alter session unset statement_timeout_in_seconds")
    assert rows(connection, "select 1") == [(1,)]


def test_the_query_history_tells_tag_warehouse_rows_and_error(warehouse: LocalWarehouse) -> None:
    with warehouse.connect(session_parameters={"QUERY_TAG": "history-test"}, warehouse="H_WH") as connection:
        rows(connection, "create or replace table H (a int)")
        rows(connection, "insert into H values (1), (2), (3)")
        with pytest.raises(ProgrammingError):
            rows(connection, "select * from H_MISSING")
        for relation in (
            "table(information_schema.query_history())",
            "table(OPP.information_schema.query_history(result_limit => 100))",
            "_fs_local.query_history",
            "snowflake.account_usage.query_history",
        ):
            found = rows(
                connection,
                f"select query_type, warehouse_name, rows_produced, error_message like '%H_MISSING%', "
                f"end_time >= start_time from {relation} q "
                "where q.query_tag = 'history-test' and query_text ilike any ('insert into H%', '% from H_MISSING') "
                "order by start_time",
            )
            assert found == [("INSERT", "H_WH", 3, None, True), ("UNKNOWN", "H_WH", None, True, True)]


def test_insert_overwrite_is_all_or_nothing(connection: Connection) -> None:
    rows(connection, "create or replace table O (a int not null)")
    rows(connection, "insert into O values (1)")
    with pytest.raises(IntegrityError):
        rows(connection, "insert overwrite into O select null")
    assert rows(connection, "select * from O") == [(1,)]
    rows(connection, "insert overwrite into O select 2")
    assert rows(connection, "select * from O") == [(2,)]


def test_text_that_is_no_json_is_snowflakes_error(connection: Connection) -> None:
    with pytest.raises(ProgrammingError) as caught:
        rows(connection, "select parse_json('{no')")
    assert caught.value.errno == 100069


def test_a_dollar_inside_a_string_is_not_a_variable(connection: Connection) -> None:
    assert rows(connection, "select '$HOME'") == [("$HOME",)]
    rows(connection, "set answer = 42")
    assert rows(connection, "select $answer + 1, '$answer'") == [(43, "$answer")]


def test_unqualified_context_functions(connection: Connection) -> None:
    found = rows(connection, "select current_user(), current_account(), current_database(), current_schema()")
    assert found == [("LOADER", "LOCAL", "OPP", "RAW")]


def test_executemany_binds_every_row(warehouse: LocalWarehouse) -> None:
    with warehouse.connect(paramstyle="qmark") as connection:
        rows(connection, "create or replace table E (a int, b varchar)")
        with connection.cursor() as cursor:
            cursor.executemany("insert into E values (?, ?)", [(1, "x"), (2, None)])
            assert cursor.rowcount == 2
        assert rows(connection, "select * from E order by a") == [(1, "x"), (2, None)]


def test_a_repeated_request_is_answered_again_and_not_run_again(
    warehouse: LocalWarehouse, connection: Connection
) -> None:
    """The connector sends a request again when its answer got lost: the same requestId, so the same answer."""
    rows(connection, "create or replace table R (a int)")
    rest = connection.rest
    assert rest is not None
    answers = []
    for _ in range(2):
        request = urllib.request.Request(
            f"http://127.0.0.1:{warehouse.port}/queries/v1/query-request?requestId=one",
            data=json.dumps({"sqlText": "insert into R values (1)"}).encode(),
            headers={"Authorization": f'Snowflake Token="{rest.token}"', "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - the URL is the test's own
            answers.append(json.loads(response.read())["data"]["rowset"])
    assert answers == [[["1"]], [["1"]]]
    assert rows(connection, "select count(*) from R") == [(1,)]


def test_a_session_of_a_restarted_server_fails_at_once(tmp_path: Path) -> None:
    with local_warehouse(tmp_path) as own:
        connection = own.connect()
        own.stop()
        own.start()
        with pytest.raises(snowflake.connector.errors.Error) as caught:
            rows(connection, "select 1")
        assert caught.value.errno == 390111
