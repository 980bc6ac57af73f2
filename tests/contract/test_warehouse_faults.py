"""Whatever goes wrong below the Snowflake adapter comes out as WarehouseUnavailable or WarehouseRefused."""

import dataclasses
import gzip
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import snowflake.connector

from shared.adapters.snowflake import Limits, SnowflakeAccess, SnowflakeWarehouse
from shared.contracts.contract import Column, Kind
from shared.contracts.incidents import INCIDENTS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.errors import WarehouseRefused, WarehouseUnavailable
from shared.ports import LoadedRows
from tests.contract.servers import Answer, Asked, Server, closed_port, hang_up, json_reply, reply
from tests.contract.stack import SHORT, Stack
from tests.contract.test_warehouse import NOON, Raw, incident, land, load, memory_raw, stack_raw, window

pytestmark = [
    pytest.mark.emulated,
    # the connector aborts a statement that takes too long in a thread of its own, which finds the server gone as well
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

IMPATIENT = Limits(lock=1, statement=2, network=1, login=1)
PATIENT = Limits(lock=20, statement=30, network=30, login=5)


@pytest.fixture
def schema(stack: Stack) -> str:
    return stack.new_schema()


@pytest.fixture
def raw(stack: Stack, schema: str) -> Raw:
    return stack_raw(stack, schema)


def at(port: int, schema: str = "PUBLIC", limits: Limits = SHORT) -> SnowflakeWarehouse:
    """A warehouse behind another port."""

    def options(_: bool) -> dict[str, Any]:
        return {"account": "a", "user": "u", "password": "p", "host": "127.0.0.1", "port": port, "protocol": "http"}

    return SnowflakeWarehouse(SnowflakeAccess("RAW", schema, "LANDING", options, limits))


def _statement(asked: Asked) -> str:
    if "/queries/v1/query-request" not in asked.target:
        return ""
    body = gzip.decompress(asked.body) if asked.headers.get("content-encoding") == "gzip" else asked.body
    return str(json.loads(body).get("sqlText", ""))


def before(port: int, breaks: Callable[[str], str | None]) -> Answer:
    """Pass every request on, but ask `breaks` about each statement what is to be lost of its exchange, if anything."""

    def answer(asked: Asked, connection: socket.socket) -> None:
        lost = breaks(_statement(asked))
        if lost == "request":
            return hang_up(asked, connection)
        headers = {k: v for k, v in asked.headers.items() if k not in ("host", "content-length", "connection")}
        url = f"http://127.0.0.1:{port}{asked.target}"
        given = httpx.request(asked.method, url, headers=headers, content=asked.body, timeout=20)
        if lost == "answer":
            return hang_up(asked, connection)
        content, length = given.content, len(given.content)
        if lost == "half the answer":
            content = content[: length // 2]
        if lost == "the warehouse's own answer":
            content, length = b"<html>Log in</html>", 19
        return reply(given.status_code, content, {"content-type": "application/json"}, length=length)(asked, connection)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        json_reply(503, "{}"),
        json_reply(500, "{}"),
        json_reply(429, "{}"),
        json_reply(403, "{}"),
        json_reply(404, "{}"),
        json_reply(200, "{}"),
        json_reply(200, "[]"),
        json_reply(200, '{"success": true, "data": {}}'),
        json_reply(200, '{"success": true, "data": null}'),
        reply(200, b"<html>Log in</html>", {"content-type": "text/html"}),
        reply(200, b'{"success": ', {"content-type": "application/json"}, length=500),
        reply(302, b"", {"location": "/again"}),
    ],
    ids=[
        *("hang-up", "503", "500", "429", "403", "404", "empty", "list", "no token", "null"),
        *("200 of a proxy", "half a body", "redirect loop"),
    ],
)
def test_a_login_that_is_never_answered_well(server: Server, answer: Answer) -> None:
    server.answer = answer
    fake = memory_raw()
    with pytest.raises(WarehouseUnavailable, match="load of landing"):
        at(server.port, limits=IMPATIENT).load_part(INCIDENTS, land(fake, incident()), loaded_at=NOON)


def test_nobody_listens() -> None:
    with pytest.raises(WarehouseUnavailable):
        at(closed_port()).record(PIPELINE_WINDOWS, [])


def _login_refused(code: str, message: str) -> Answer:
    answer = {"success": False, "code": code, "message": message, "data": {"authnMethod": ""}}
    return json_reply(200, json.dumps(answer))


REFUSALS = {
    "the JWT is invalid": ("390144", "JWT token is invalid."),
    "the password is wrong": ("390100", "Incorrect username or password was specified."),
    "the user is locked": ("390102", "User is temporarily locked."),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_login_fetches_the_key_again_once_and_is_then_permanent(server: Server, refusal: str) -> None:
    server.answer = _login_refused(*REFUSALS[refusal])
    fetched: list[bool] = []

    def options(fresh: bool) -> dict[str, Any]:
        fetched.append(fresh)
        return {
            "account": "a", "user": "u", "password": "sk-largest-secret", "host": "127.0.0.1", "port": server.port,
            "protocol": "http",
        }  # fmt: skip

    warehouse = SnowflakeWarehouse(SnowflakeAccess("RAW", "PUBLIC", "LANDING", options, SHORT))
    with pytest.raises(WarehouseRefused) as caught:
        warehouse.record(PIPELINE_WINDOWS, [])
    assert fetched == [False, True]
    assert "sk-largest-secret" not in str(caught.value)


def test_a_rotated_key_is_fetched_again_and_the_part_loads(stack: Stack, server: Server, schema: str) -> None:
    server.answer = _login_refused(*REFUSALS["the JWT is invalid"])
    raw = stack_raw(stack, schema)

    def options(fresh: bool) -> dict[str, Any]:
        return {**stack.connect_options(), **({} if fresh else {"port": server.port})}

    warehouse = SnowflakeWarehouse(SnowflakeAccess("RAW", schema, "LANDING", options, SHORT))
    assert warehouse.load_part(INCIDENTS, land(raw, incident()), loaded_at=NOON).inserted == 1


def test_a_lock_that_is_not_granted_in_time(stack: Stack, schema: str, raw: Raw) -> None:
    part = land(raw, incident("1"))
    warehouse = stack.warehouse(schema, limits=SHORT)
    warehouse.load_part(INCIDENTS, land(raw, incident("there")), loaded_at=NOON)
    with snowflake.connector.connect(**stack.connect_options()) as holder:
        holder.cursor().execute("BEGIN")
        holder.cursor().execute(f'DELETE FROM RAW.{schema}."{INCIDENTS.ledger_table}" WHERE FALSE')
        with pytest.raises(WarehouseUnavailable, match="625"):
            warehouse.load_part(INCIDENTS, part, loaded_at=NOON)
        holder.cursor().execute("ROLLBACK")
    assert warehouse.load_part(INCIDENTS, part, loaded_at=NOON).inserted == 1


def test_a_warehouse_that_dies_between_loads_and_comes_back(stack: Stack, schema: str, raw: Raw) -> None:
    warehouse = stack.warehouse(schema, limits=IMPATIENT)
    first, second = land(raw, incident("1")), land(raw, incident("2"))
    warehouse.load_part(INCIDENTS, first, loaded_at=NOON)
    stack.kill_warehouse()
    try:
        for _ in range(2):
            with pytest.raises(WarehouseUnavailable):
                warehouse.load_part(INCIDENTS, second, loaded_at=NOON)
    finally:
        stack.start_warehouse()
    assert warehouse.load_part(INCIDENTS, second, loaded_at=NOON).inserted == 1
    assert warehouse.load_part(INCIDENTS, first, loaded_at=NOON).already_loaded
    assert len(raw.table()) == 2


def test_a_session_that_the_warehouse_has_forgotten(stack: Stack, schema: str, raw: Raw) -> None:
    warehouse = stack.warehouse(schema, limits=SHORT)
    warehouse.load_part(INCIDENTS, land(raw, incident("1")), loaded_at=NOON)
    part = land(raw, incident("2"))
    stack.kill_warehouse()
    stack.start_warehouse()
    with pytest.raises(WarehouseUnavailable):
        warehouse.load_part(INCIDENTS, part, loaded_at=NOON)
    assert warehouse.load_part(INCIDENTS, part, loaded_at=NOON).inserted == 1


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("CREATE TEMPORARY", "answer"),
        ("BEGIN", "the warehouse's own answer"),
        ("MERGE", "answer"),
        ("COPY", "half the answer"),
        ("COPY", "answer"),
    ],
)
def test_a_connection_lost_before_the_commit_leaves_nothing(
    stack: Stack, server: Server, schema: str, raw: Raw, statement: str, lost: str
) -> None:
    load(raw, land(raw, incident("there")))
    part = land(raw, incident("1"))
    server.answer = before(stack.snowflake_port, lambda sql: lost if sql.startswith(statement) else None)
    with pytest.raises(WarehouseUnavailable):
        at(server.port, schema, dataclasses.replace(IMPATIENT, login=5)).load_part(INCIDENTS, part, loaded_at=NOON)
    assert [row["incident_id"] for row in raw.table()] == ["there"]
    # the lost session may hold its locks until the warehouse notices that nobody is there
    assert stack.warehouse(schema, limits=PATIENT).load_part(INCIDENTS, part, loaded_at=NOON).inserted == 1


def test_the_lost_answer_to_a_commit_is_settled_by_the_next_delivery(
    stack: Stack, server: Server, schema: str, raw: Raw
) -> None:
    part = land(raw, incident("1"))
    server.answer = before(stack.snowflake_port, lambda sql: "answer" if sql == "COMMIT" else None)
    with pytest.raises(WarehouseUnavailable):
        at(server.port, schema, dataclasses.replace(IMPATIENT, login=5)).load_part(INCIDENTS, part, loaded_at=NOON)
    assert load(raw, part) == LoadedRows(already_loaded=True, copied=1)
    assert len(raw.table()) == 1


def test_a_rollback_that_fails_takes_its_session_along(stack: Stack, server: Server, schema: str, raw: Raw) -> None:
    """Else the next load would commit what this one had claimed."""
    load(raw, land(raw, incident("there")))
    bad, good = land(raw, incident("bad"), stated=2), land(raw, incident("good"))
    server.answer = before(stack.snowflake_port, lambda sql: "request" if sql == "ROLLBACK" else None)
    warehouse = at(server.port, schema, dataclasses.replace(PATIENT, network=1))
    with pytest.raises(WarehouseRefused, match="2 rows landed"):
        warehouse.load_part(INCIDENTS, bad, loaded_at=NOON)
    server.answer = before(stack.snowflake_port, lambda _: None)
    assert warehouse.load_part(INCIDENTS, good, loaded_at=NOON).inserted == 1
    assert sorted(row["incident_id"] for row in raw.table()) == ["good", "there"]
    assert (bad.object_name, bad.generation) not in raw.ledger()


def test_a_stage_that_does_not_exist_is_refused_and_rolled_back(stack: Stack, schema: str, raw: Raw) -> None:
    part = land(raw, incident("1"))
    with pytest.raises(WarehouseRefused, match="ABSENT"):
        stack.warehouse(schema, stage="ABSENT").load_part(INCIDENTS, part, loaded_at=NOON)
    assert raw.table() == []
    assert raw.ledger() == set()


def test_a_window_table_of_another_shape_is_refused(stack: Stack, schema: str) -> None:
    stack.sql(f"CREATE TABLE RAW.{schema}.PIPELINE_WINDOWS (PIPELINE VARCHAR)")
    with pytest.raises(WarehouseRefused):
        stack.warehouse(schema, limits=SHORT).record(PIPELINE_WINDOWS, [window()])


@pytest.mark.parametrize("name", ["landing/it's/r0/part.parquet", 'landing/a"b/r0/part.parquet', "landing/ü/p.parquet"])
def test_a_name_that_may_not_stand_in_a_statement_is_refused(raw: Raw, name: str) -> None:
    part = dataclasses.replace(land(raw, incident("1")), object_name=name)
    with pytest.raises(WarehouseRefused):
        load(raw, part)
    assert raw.ledger() == set()


def test_a_table_that_lacks_a_required_column_is_refused(stack: Stack, raw: Raw) -> None:
    load(raw, land(raw, incident("1")))
    wider = dataclasses.replace(INCIDENTS, columns=(*INCIDENTS.columns, Column("novel", Kind.TEXT, "New.", True)))
    part = land(raw, incident("2") | {"novel": "x"}, contract=wider)
    with pytest.raises(WarehouseRefused, match="novel"):
        load(raw, part, contract=wider)
    assert len(raw.table()) == 1


def test_a_file_that_is_no_parquet_is_refused(raw: Raw) -> None:
    part = land(raw, incident("1"))
    stored = raw.landing.replace(part.object_name, b"PAR1 but not really PAR1", owner="x", generation=part.generation)
    with pytest.raises(WarehouseRefused):
        load(raw, dataclasses.replace(part, generation=stored.generation))
    assert raw.ledger() == set()
    assert load(raw, land(raw, incident("2"))).inserted == 1
