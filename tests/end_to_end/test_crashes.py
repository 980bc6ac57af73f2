"""The loader dies between two effects: the next delivery finishes the work, and nothing is there twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import httpx

from local.warehouse import connect
from shared.state import layout
from shared.windows.window import Window
from tests.end_to_end.running import SOURCES, Event, Running, part

LEDGER = "raw.public.fact_incidents__ledger"


def test_killed_inside_the_transaction(stack: Running) -> None:
    """The ledger's row is written and not committed when the loader is killed: it goes with the transaction."""
    reports = stack.reports()
    window = stack.take_window()
    with _ledger_held(stack):
        stack.tick(window)
        claim = _waiting_claim(stack)
        # frozen, it cannot go on to COMMIT when its statement, which waits for the ledger, is let through
        stack.freeze("load")
    stack.wait("the claim in the ledger", lambda: _status_of(stack, claim["text"]) == "SUCCESS")
    source = json.loads(claim["tag"])["source"]
    assert stack.ledger_rows(part(source, window)) == 0
    stack.supervisor.kill("load")

    stack.revive("load")

    _assert_loaded_once(stack, window, reports)


def test_killed_between_commit_and_marker(stack: Running) -> None:
    """The rows are committed and nobody was told: the next delivery finds them in the ledger and writes the marker."""
    reports = stack.reports()
    window = stack.take_window()
    stack.storage_faults(
        {"action": "delay", "method": "POST", "name_contains": "markers/", "seconds": 5, "times": None}
    )
    stack.tick(window)
    stack.wait("a commit", lambda: any(stack.ledger_rows(part(source, window)) for source in SOURCES.values()))
    committed = [source for source in SOURCES.values() if stack.ledger_rows(part(source, window))]
    assert not any(stack.documents.exists(layout.marker(source, window.id, 0, 0)) for source in committed)
    stack.supervisor.kill("load")
    stack.storage_faults()

    stack.revive("load")

    _assert_loaded_once(stack, window, reports)
    assert stack.events("load", "load.already_loaded", window=window.id, source=committed[0])


def test_the_answer_of_the_started_job_is_lost(stack: Running) -> None:
    """The job was started, the loader hears nothing and tries again: the window is built once all the same."""
    reports = stack.reports()
    window = stack.take_window()
    faults = f"http://127.0.0.1:{stack.addresses.jobs}/_emulator/faults"
    httpx.put(faults, json=[{"action": "drop_response"}], timeout=30).raise_for_status()

    stack.run_window(window)

    _assert_loaded_once(stack, window, reports)
    assert stack.events("load", "run.deferred", error="JobUnavailable")


def _assert_loaded_once(stack: Running, window: Window, reports: list[Event]) -> None:
    assert stack.closed(window)["status"] == "complete"
    assert [stack.ledger_rows(part(source, window)) for source in SOURCES.values()] == [1, 1, 1]
    assert stack.raw_keys_twice() == 0
    landed = [stack.landing.stat(part(source, window).object_name) for source in SOURCES.values()]
    rows = {
        workspace: int(stored.metadata["rows"]) for workspace, stored in zip(SOURCES, landed, strict=True) if stored
    }
    found = stack.query(
        f"select workspace, count(*) from raw.public.fact_incidents where _window_id = '{window.id}' group by 1"
    )
    assert {workspace: int(count) for workspace, count in found} == rows
    new = stack.rest()[len(reports) :]
    assert [report["succeeded"] for report in new] == [True]
    assert stack.built(window)


@contextlib.contextmanager
def _ledger_held(stack: Running) -> Iterator[None]:
    """Inside, a transaction of another session has written to the ledger, so that a load has to wait for it."""
    with connect(stack.addresses, "RAW") as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        cursor.execute(
            f"insert into {LEDGER} select 'held', 1, 'x', 'x', 0, 0, 0, 'x', current_timestamp() where 1 = 1"
        )
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _waiting_claim(stack: Running) -> dict[str, str]:
    """The loader's statement that waits for the ledger."""
    found: list[dict[str, str]] = []

    def probe() -> bool:
        rows = stack.query(
            "select query_text, query_tag from table(information_schema.query_history()) "
            "where execution_status = 'RUNNING' and query_text ilike 'merge into%ledger%'"
        )
        found.extend({"text": row[0], "tag": row[1]} for row in rows)
        return bool(found)

    stack.wait("a load that waits for the ledger", probe)
    return found[0]


def _status_of(stack: Running, text: str) -> str:
    """What became of a statement; its text names the landing object."""
    statement = "select query_text, execution_status from table(information_schema.query_history())"
    return next((str(status) for known, status in stack.query(statement) if known == text), "")
