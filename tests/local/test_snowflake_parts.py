"""The stand-in's rules without a server."""

import threading
import time
from importlib import metadata
from pathlib import Path

import pytest
import sqlglot
from snowflake.connector.errors import ProgrammingError

from local.snowflake import pins
from local.snowflake.__main__ import options
from local.snowflake.clients import Clients
from local.snowflake.history import Query, QueryHistory
from local.snowflake.parameters import SessionParameters
from local.snowflake.stages import Location
from local.snowflake.statements import Kind, kind_of
from local.snowflake.writer_lock import WriterLock


def test_another_version_of_fakesnow_is_refused_with_the_expected_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    pins.check_pins()
    found = {package: metadata.version(package) for package in pins.PINS}
    monkeypatch.setattr(pins, "version", {**found, "fakesnow": "0.12.2"}.__getitem__)
    with pytest.raises(pins.WrongVersion, match=r"fakesnow 0\.12\.2 is installed, 0\.12\.1 is expected"):
        pins.check_pins()


def test_the_lock_serves_in_order_of_arrival() -> None:
    lock, served = WriterLock(), list[int]()
    lock.acquire("holder", "T", 0)

    def write(number: int) -> None:
        lock.acquire(number, "T", 20)
        served.append(number)
        lock.release(number)

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=write, args=(number,)))
        threads[-1].start()
        while lock.waiting <= number:
            time.sleep(0.001)
    lock.release("holder")
    for thread in threads:
        thread.join(20)
    assert served == [0, 1, 2, 3, 4]


def test_lock_timeout_ends_a_wait_for_the_same_table_only() -> None:
    lock = WriterLock()
    assert lock.acquire("a", "T", 0)
    assert not lock.acquire("a", "U", 0)
    for table in ("T", "U"):
        with pytest.raises(ProgrammingError) as caught:
            lock.acquire("b", table, 0)
        assert caught.value.errno == 625
    patient = threading.Thread(target=lock.acquire, args=("c", "OTHER", 0))
    patient.start()
    while not lock.waiting:
        time.sleep(0.001)
    lock.release("b")
    assert lock.holder == "a"
    lock.release("a")
    patient.join(20)
    assert lock.holder == "c"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1", Kind.READ),
        ("with a as (select 1) select * from a", Kind.READ),
        ("show tables", Kind.READ),
        ("describe table T", Kind.READ),
        ("merge into T using S on T.a = S.a when matched then delete", Kind.DML),
        ("copy into T from @S", Kind.DML),
        ("create temporary table T (a int)", Kind.DDL),
        ("alter table T alter a comment $$x$$, b comment $$y$$", Kind.DDL),
        ("truncate table T", Kind.DDL),
        ("alter session set query_tag = 'x'", Kind.SESSION),
        ("begin", Kind.BEGIN),
    ],
)
def test_the_kind_of_a_statement(sql: str, kind: Kind) -> None:
    assert kind_of(sqlglot.parse_one(sql, read="snowflake")) is kind


def test_a_client_without_its_last_connection_is_gone() -> None:
    clients = Clients()
    clients.seen("token", ("h", 1))
    clients.seen("token", ("h", 2))
    clients.closed(("h", 1))
    assert clients.gone_for("token") == 0
    clients.closed(("h", 2))
    time.sleep(0.002)
    assert clients.gone_for("token") > 0


def test_a_client_that_opens_a_connection_a_statement_is_never_taken_for_gone() -> None:
    clients = Clients()
    clients.seen("token", ("h", 1))
    clients.closed(("h", 1))
    clients.seen("token", ("h", 2))
    clients.closed(("h", 2))
    time.sleep(0.002)
    assert clients.gone_for("token") == 0


def test_parameters_refuse_what_they_cannot_mean() -> None:
    parameters = SessionParameters()
    for name, value in (("LOCK_TIMEOUT", "soon"), ("LOCK_TIMEOUT", -1), ("ABORT_DETACHED_QUERY", "maybe")):
        with pytest.raises(ProgrammingError):
            parameters.set(name, value)
    parameters.set("lock_timeout", "120")
    assert parameters.seconds("LOCK_TIMEOUT") == 120
    parameters.unset("LOCK_TIMEOUT")
    assert parameters.seconds("LOCK_TIMEOUT") == 60


def test_the_history_is_bounded() -> None:
    history = QueryHistory(kept=2)
    for number in range(3):
        history.add(Query(str(number), "SELECT", 1, "U", "R", "W", None, None, ""))
    assert [query.query_text for query in history.newest()] == ["1", "2"]


def test_a_location_never_leaves_its_directory(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "secret").write_text("x")
    location = Location(tmp_path / "bucket", "gcs://bucket", "landing/")
    with pytest.raises(ProgrammingError, match="was not found"):
        location.named(["../../secret"])


def test_the_command_line() -> None:
    given = options(["--port", "1", "--db-path", "d", "--stage-root", "gcs://a=x", "--stage-root", "gcs://b=y=z"])
    assert list(given.stage_roots) == ["gcs://a", "gcs://b"]
    assert given.stage_roots["gcs://b"].name == "y=z"
    assert given.idle_transaction_seconds == 10
    with pytest.raises(SystemExit):
        options(["--db-path", "d", "--stage-root", "nonsense"])
