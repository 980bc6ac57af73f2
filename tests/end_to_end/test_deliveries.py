"""Messages that come several times at once, not at all, or all over again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.messages import LANDED_TOPIC
from shared.registry import registry
from shared.windows.window import end_of_id
from tests.end_to_end import marts
from tests.end_to_end.running import ASKED, HOUR, SOURCES, Running, part, window

SOURCE = SOURCES["companyb"]


def test_five_deliveries_of_one_object_at_once(stack: Running) -> None:
    """One row in the ledger, one dbt run, and all five are acknowledged in the end."""
    reports = stack.reports()
    taken = stack.take_window()
    loaded = part(SOURCE, taken)
    stack.lose_notification(loaded)
    stack.tick(taken)
    stack.wait("the object", lambda: stack.landing.stat(loaded.object_name))
    others = len(registry().enabled(taken.pipeline)) - 1
    stack.wait("the others", lambda: len(stack.events("load", "load.part_marked", window=taken.id)) == others)
    attributes, data = stack.notification(loaded)
    assert not stack.events("load", window=taken.id, source=SOURCE)

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: stack.push("load", LANDED_TOPIC, attributes, data).status_code, range(5)))
    again = [stack.push("load", LANDED_TOPIC, attributes, data).status_code for answer in answers if answer >= 300]

    assert all(answer < 300 for answer in again)
    assert stack.closed(taken)["status"] == "complete"
    assert stack.ledger_rows(loaded) == 1
    assert len(stack.events("load", "load.merged", window=taken.id, source=SOURCE)) == 1
    assert len(stack.events("load", "load.part_marked", window=taken.id, source=SOURCE)) == 1
    assert stack.raw_keys_twice() == 0
    assert len(stack.rest()) == len(reports) + 1


@pytest.mark.usefixtures("unbuilt")
def test_a_lost_notification_is_found_by_the_sweep(stack: Running) -> None:
    """Cloud Storage never tells of an object: the sweep publishes the notification, and the window completes."""
    taken = stack.take_window()
    lost = part(SOURCE, taken)
    stack.lose_notification(lost)
    stack.tick(taken)
    others = len(registry().enabled(taken.pipeline)) - 1
    stack.wait("the others", lambda: len(stack.events("load", "load.part_marked", window=taken.id)) == others)
    stack.wait("the object", lambda: stack.landing.stat(lost.object_name))
    assert stack.closed_now(taken) is None

    def swept() -> bool:
        stack.sweep()  # an object that has just landed may still be on its way: it is left alone at first
        return bool(stack.events("sweep", "sweep.object_republished", object=lost.object_name))

    stack.wait("the sweep's find", swept)

    assert stack.closed(taken)["status"] == "complete"
    assert stack.ledger_rows(lost) == 1


def test_all_ticks_again_change_nothing(stack: Running) -> None:
    """Every complete window is ticked again: the tables stay as they are, row for row, and dbt has nothing to do."""
    stack.run_window(stack.take_window())
    reports = stack.rest()
    shown = stack.status()["pipelines"]["ops_incidents"]["windows"]
    ids = [w["id"] for w in shown if {source["status"] for source in w["sources"].values()} == {"complete"}]
    before = (stack.raw_rows(), marts.incidents(stack), marts.services(stack), stack.watermarks())
    finished = len(stack.events("extract", "run.finished"))

    for window_id in ids:
        end = end_of_id(window_id)
        stack.tick(window(end - HOUR, end))

    wanted = finished + len(ids) * len(ASKED)
    stack.wait("the extractions", lambda: len(stack.events("extract", "run.finished")) >= wanted)
    assert ids
    assert len(stack.rest()) == len(reports)
    after = (stack.raw_rows(), marts.incidents(stack), marts.services(stack), stack.watermarks())
    assert [sorted(map(str, table)) for table in after] == [sorted(map(str, table)) for table in before]
