"""A window that was built is extracted again by hand: another revision, and one more build."""

from __future__ import annotations

import json

from shared.windows.watermark import read_watermark
from tests.end_to_end.running import ASKED, SOURCES, Running, part

SOURCE = SOURCES["companya"]


def test_a_replayed_window_is_built_once_more(stack: Running) -> None:
    """`make replay` takes the next revision; RAW, watermark and the other sources stay as they are."""
    window = stack.take_window()
    first = stack.run_window(window)
    reports = len(stack.rest())
    watermark = read_watermark(stack.documents, SOURCE)
    keys = stack.query("select workspace, incident_id, updated_at from raw.public.fact_incidents")

    asked = json.loads(stack.command("operate", "replay", SOURCE, window.id, "--json"))
    stack.wait("the second outcome", lambda: (stack.closed_now(window) or first)["digest"] != first["digest"])

    assert (asked["revision"], asked["window"]) == ("1", window.interval)
    assert [report["succeeded"] for report in stack.rest()[reports:]] == [True]
    assert [stack.ledger_rows(part(SOURCE, window, revision=revision)) for revision in (0, 1)] == [1, 1]
    assert sorted(stack.query("select workspace, incident_id, updated_at from raw.public.fact_incidents")) == sorted(
        keys
    )
    assert read_watermark(stack.documents, SOURCE) == watermark
    picture = json.loads(stack.command("operate", "status", "--json", "--windows", "200"))
    [shown] = [w for w in picture["pipelines"]["ops_incidents"]["windows"] if w["id"] == window.id]
    assert (shown["status"], shown["built"]) == ("complete", True)
    assert {name: source["revisions"] for name, source in shown["sources"].items()} == {
        name: [0, 1] if name == SOURCE else [0] for name in ASKED
    }
    assert picture["dbt"] == {"running": None, "held": None, "pending": []}
