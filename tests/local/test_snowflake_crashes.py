"""Clients and servers that die: nothing committed is lost, nothing open stays locked."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError

from tests.local.snowflake_fixtures import ROOT, LocalWarehouse, local_warehouse, rows

_CLIENT = """
import json, sys
import snowflake.connector
connection = snowflake.connector.connect(**json.loads(sys.argv[1]))
cursor = connection.cursor()
for sql in sys.argv[2:]:
    cursor.execute(sql)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    with local_warehouse(tmp_path_factory.mktemp("crashes"), "--idle-transaction-seconds", "1") as running:
        yield running


def start_client(warehouse: LocalWarehouse, *statements: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _CLIENT, json.dumps(warehouse.connection_options()), *statements],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_killed_client_does_not_keep_the_writer_lock(tmp_path: Path) -> None:
    """SIGKILL between BEGIN and COMMIT: the connection's end is noticed, long before the idle limit of a minute."""
    with local_warehouse(tmp_path, "--idle-transaction-seconds", "60") as warehouse, warehouse.connect() as connection:
        rows(connection, "create table T (a int)")
        client = start_client(warehouse, "begin", "insert into T values (1)")
        client.send_signal(signal.SIGKILL)
        client.communicate()
        rows(connection, "alter session set lock_timeout = 10")
        rows(connection, "insert into T values (2)")
        assert rows(connection, "select a from T") == [(2,)]
        assert "its client's connection closed" in warehouse.log()


def test_an_idle_transaction_is_rolled_back_and_its_client_is_told(warehouse: LocalWarehouse) -> None:
    with warehouse.connect() as idle, warehouse.connect() as other:
        rows(other, "create or replace table IDLE (a int)")
        rows(idle, "begin")
        rows(idle, "insert into IDLE values (1)")
        rows(other, "insert into IDLE values (2)")
        for sql in ("insert into IDLE values (3)", "commit"):
            with pytest.raises(ProgrammingError, match="idle for more than 1 seconds") as caught:
                rows(idle, sql)
            assert caught.value.errno == 604
        rows(idle, "rollback")
        rows(idle, "insert into IDLE values (4)")
        assert rows(other, "select a from IDLE order by a") == [(2,), (4,)]


def test_a_long_statement_is_not_an_idle_transaction(warehouse: LocalWarehouse) -> None:
    with warehouse.connect(session_parameters={"STATEMENT_TIMEOUT_IN_SECONDS": 3}) as connection:
        rows(connection, "create or replace table BUSY (a int)")
        rows(connection, "begin")
        with pytest.raises(ProgrammingError) as caught:
            rows(
                connection,
                "insert into BUSY with n as (select seq4() as i from table(generator(rowcount => 1000000))) "
                "select count(*) from n a, n b where hash(a.i, b.i) = 0",
            )
        assert caught.value.errno == 630


def test_a_statement_of_a_killed_client_is_canceled_if_it_asked_for_that(tmp_path: Path) -> None:
    """ABORT_DETACHED_QUERY: the statement does not run on for nobody."""
    with local_warehouse(tmp_path) as warehouse, warehouse.connect() as connection:
        client = start_client(warehouse, "alter session set abort_detached_query = true", "select 1")
        running = subprocess.Popen(
            [sys.executable, "-c", _CLIENT, json.dumps(warehouse.connection_options()),
             "alter session set abort_detached_query = true",
             "with n as (select seq4() as i from table(generator(rowcount => 1000000))) "
             "select count(*) from n a, n b where hash(a.i, b.i) = 0"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        find = (
            "select execution_status, error_code from _fs_local.query_history "
            "where query_text like 'with n as%' and query_text not like '%query_history%'"
        )
        wait_until(lambda: rows(connection, find) == [("RUNNING", None)])
        for process in (running, client):
            process.send_signal(signal.SIGKILL)
            process.communicate()
        wait_until(lambda: rows(connection, find) == [("FAIL", "000604")])


def test_a_statement_timeout_of_the_connector_cancels_it(warehouse: LocalWarehouse) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        with pytest.raises(ProgrammingError) as caught:
            cursor.execute(
                "with n as (select seq4() as i from table(generator(rowcount => 1000000))) "
                "select count(*) from n a, n b where hash(a.i, b.i) = 0",
                timeout=1,
            )
        assert caught.value.errno == 604
        assert rows(connection, "select 1") == [(1,)]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_server_keeps_what_was_committed(tmp_path: Path) -> None:
    with local_warehouse(tmp_path) as warehouse:
        connection = warehouse.connect()
        rows(connection, "create table KEPT (a int) comment = 'kept too'")
        rows(connection, "create stage LANDING url = 'gcs://landing-bucket/'")
        rows(connection, "insert into KEPT values (1)")
        rows(connection, "begin")
        rows(connection, "insert into KEPT values (2)")
        warehouse.stop(signal.SIGKILL)
        warehouse.start()
        with warehouse.connect() as again:
            assert rows(again, "select a from KEPT") == [(1,)]
            assert rows(again, "LIST @LANDING") == []
            [(comment,)] = rows(again, "select comment from information_schema.tables where table_name = 'KEPT'")
            assert comment == "kept too"


def test_sigterm_closes_the_databases(tmp_path: Path) -> None:
    """No write-ahead log is left: everything is in the database file, which DuckDB alone can open."""
    with local_warehouse(tmp_path) as warehouse:
        connection = warehouse.connect()
        rows(connection, "create table T (a int)")
        rows(connection, "begin")
        rows(connection, "insert into T values (1)")
        started = time.monotonic()
        assert warehouse.stop() in (0, -signal.SIGTERM)
        assert time.monotonic() - started < 10
        assert sorted(p.name for p in warehouse.db_path.iterdir()) == ["OPP.db", "_fs_global.duckdb"]


def test_a_dropped_database_does_not_come_back(tmp_path: Path) -> None:
    with local_warehouse(tmp_path) as warehouse:
        with warehouse.connect() as connection:
            rows(connection, "create database GONE")
            rows(connection, "create schema GONE.S")
            rows(connection, "create table GONE.S.T (a int)")
            rows(connection, "use schema OPP.RAW")
            rows(connection, "drop database GONE")
        warehouse.stop()
        warehouse.start()
        with warehouse.connect() as connection:
            assert not [r for r in rows(connection, "show databases") if "GONE" in r]
