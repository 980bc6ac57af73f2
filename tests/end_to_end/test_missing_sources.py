"""One workspace fails while the others go on: the window waits, closes without it, and the gap is covered later."""

from __future__ import annotations

from shared.landing import PartMetadata
from shared.windows.watermark import read_watermark
from shared.windows.window import Window
from tests.end_to_end.running import ASKED, HOUR, SOURCES, Running, part

B, C = SOURCES["companyb"], SOURCES["companyc"]
MISSING = ["incident_io_companyb_follow_ups", B]
OTHERS = 4
"""Sources of the two workspaces that go on."""


def test_a_revoked_key(stack: Running, canary: str) -> None:
    """401 for good: an alert a source names the secret, the window closes partial, the next one covers the gap."""
    stack.rest()
    gap = stack.take_window()
    watermark = read_watermark(stack.documents, B)
    alerts = len(stack.events("extract", severity="ERROR"))
    stack.source_faults({"action": "status", "status": 401, "workspace": "companyb", "always": True})

    stack.tick(gap)
    stack.wait("the other two", lambda: len(stack.events("load", "load.part_marked", window=gap.id)) == OTHERS)
    stack.logged("extract", "run.failed", secret="incident-io-companyb")
    stack.sweep()
    assert stack.closed_now(gap) is None, "it is still waited for"
    shown = stack.window_status(gap)
    assert (shown["status"], shown["missing"], shown["built"]) == ("open", MISSING, False)

    stack.pass_deadline(gap)
    stack.sweep()
    closed = stack.closed(gap, "partial")
    assert closed["sources"][B]["status"] == "missing"
    [told] = stack.events("sweep", "window.closed_partial", window=gap.id)
    assert (told["severity"], told["missing"]) == ("ERROR", MISSING)
    assert B in told["message"]
    assert stack.rest()[-1]["succeeded"]
    assert stack.built(gap)
    assert _created_in(stack, gap) == {"companya": 1, "companyc": 1}
    shown = stack.window_status(gap)
    assert (shown["status"], shown["missing"], shown["built"]) == ("partial", MISSING, True)
    assert stack.status()["sources"][B]["gaps"] == [gap.id]
    assert read_watermark(stack.documents, B) == watermark
    new = stack.events("extract", severity="ERROR")[alerts:]
    assert [(event["event"], event["error"], event["secret"]) for event in new] == [
        ("run.failed", "AuthenticationFailed", "incident-io-companyb")
    ] * len(MISSING)

    stack.source_faults()
    after = stack.take_window()
    assert stack.run_window(after)["status"] == "complete"
    assert watermark.value is not None
    assert _metadata(stack, B, after).range_start == watermark.value - HOUR
    stack.wait("the gap's end", lambda: stack.status()["sources"][B]["gaps"] == [])
    shown = stack.window_status(gap)
    assert shown["sources"][B]["status"] == "superseded"
    stack.rest()
    assert _created_in(stack, gap) == {"companya": 1, "companyb": 1, "companyc": 1}
    recorded = stack.query(f"select source, status from raw.public.pipeline_windows where window_id = '{gap.id}'")
    assert sorted(recorded) == [(name, "superseded" if name in MISSING else "complete") for name in ASKED]

    assert _holders(stack, canary) == []


def test_a_source_that_is_down_and_comes_back_late(stack: Running) -> None:
    """503 beyond the deadline: built without it, and built again when its parts arrive after all."""
    before = len(stack.rest())
    taken = stack.take_window()
    stack.source_faults({"action": "status", "status": 503, "workspace": "companyc", "always": True})
    stack.tick(taken)
    stack.wait("the other two", lambda: len(stack.events("load", "load.part_marked", window=taken.id)) == OTHERS)
    stack.logged("extract", "extract.request_retried", source=C, window=taken.id)
    stack.pass_deadline(taken)
    stack.sweep()
    partial = stack.closed(taken, "partial")
    assert [report["succeeded"] for report in stack.rest()[before:]] == [True]
    assert _created_in(stack, taken) == {"companya": 1, "companyb": 1}

    stack.source_faults()

    complete = stack.closed(taken, "complete")
    assert complete["digest"] != partial["digest"]
    late = stack.rest()[before + 1 :]
    assert all(report["succeeded"] for report in late)
    assert 1 <= len(late) <= len(MISSING), "its two sources come back together, or one after the other"
    assert stack.built(taken)
    assert _created_in(stack, taken) == {"companya": 1, "companyb": 1, "companyc": 1}
    assert stack.raw_keys_twice() == 0


def _created_in(stack: Running, window: Window) -> dict[str, int]:
    """Incidents of the fact that were created in the window, by workspace."""
    rows = stack.query(
        "select workspace, count(*) from analytics.marts.fct_ops__incidents "
        f"where created_at >= '{window.start:%Y-%m-%d %H:%M:%S}' and created_at < '{window.end:%Y-%m-%d %H:%M:%S}' "
        "group by 1"
    )
    return {workspace: int(count) for workspace, count in rows}


def _metadata(stack: Running, source: str, window: Window) -> PartMetadata:
    name = part(source, window).object_name
    stored = stack.landing.stat(name)
    assert stored is not None
    return PartMetadata.from_mapping(name, stored.metadata)


def _holders(stack: Running, canary: str) -> list[str]:
    """Files of the stack, whatever they are, in which the keys stand."""
    stack.rest()
    files = [path for path in stack.folders.root.rglob("*") if path.is_file()]
    assert len(files) > 100
    return [str(path) for path in files if canary.encode() in path.read_bytes()]
