"""Status: windows, sources, watermarks, pending dbt requests and quarantine, as plain data read from the buckets."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.instants import to_text
from shared.ports import Bucket
from shared.quarantine import MESSAGES, OBJECTS, RECORDS, REPLAYS
from shared.registry.load import Registry
from shared.state import layout
from shared.state.builds_hold import builds_hold
from shared.state.documents import Documents
from shared.state.lease import is_live
from shared.windows.markers import complete_markers, read_markers
from shared.windows.opening import read_expected
from shared.windows.outcome import window_outcome
from shared.windows.watermark import Watermark, read_watermark
from shared.windows.window import Window


@dataclass(frozen=True, slots=True)
class StatusPorts:
    """What status reads."""

    registry: Registry
    documents: Documents
    quarantine: Bucket


def status(ports: StatusPorts, now: datetime, *, windows: int = 5) -> dict[str, Any]:
    """The whole picture: per pipeline the newest `windows` windows, per source its watermark, and what is pending."""
    documents = ports.documents
    watermarks = {name: read_watermark(documents, name) for name in sorted(ports.registry.sources)}
    lease = documents.get(layout.DBT_LEASE)
    hold = builds_hold(documents)
    return {
        "at": to_text(now),
        "pipelines": {
            name: {
                "cron": pipeline.cron,
                "windows": [_window(ports, window, watermarks, now) for window in _newest(documents, name, windows)],
            }
            for name, pipeline in sorted(ports.registry.pipelines.items())
        },
        "sources": {name: _source(ports, name, mark) for name, mark in watermarks.items()},
        "dbt": {
            "running": lease.value["holder"] if lease is not None and is_live(lease, now) else None,
            "held": dict(hold.value) if hold is not None else None,
            "pending": [dict(request.value) for request in documents.under(layout.REQUESTS)],
        },
        "quarantine": _quarantine(ports.quarantine),
    }


def as_text(picture: dict[str, Any]) -> str:
    """The picture for a person."""
    lines = [f"at {picture['at']}"]
    for name, pipeline in picture["pipelines"].items():
        lines += ["", f"pipeline {name}  ({pipeline['cron']})"]
        for window in pipeline["windows"]:
            sources = "  ".join(f"{source}: {_told(of)}" for source, of in window["sources"].items())
            lines.append(f"  {window['id']}  {window['status']:<8}  {sources}")
        if not pipeline["windows"]:
            lines.append("  no window yet")
    lines += ["", "source                                    watermark             covered to            quarantined"]
    for name, source in picture["sources"].items():
        mark, covered = source["watermark"] or "-", source["covered_to"] or "-"
        lines.append(f"  {name:<38}  {mark:<20}  {covered:<20}  {source['quarantined_records_files']:>11}")
    dbt = picture["dbt"]
    lines += ["", f"dbt: {'running' if dbt['running'] else 'idle'}, {len(dbt['pending'])} pending requests"]
    if held := dbt["held"]:
        lines.append(f"  held since {held['since']}: {held['reason']}  (make builds ARGS=release)")
    lines += [f"  {r['pipeline']} {r['window']}: {r['rows']} rows" for r in dbt["pending"]]
    kept = picture["quarantine"]
    lines.append(
        f"quarantine: {kept['record_files']} files of records, {kept['objects']} objects, {kept['messages']} messages; "
        f"{kept['asked_again']} of them asked for again"
    )
    return "\n".join(lines)


def _told(source: dict[str, Any]) -> str:
    return f"{source['rows']} rows" if source["status"] == "complete" else str(source["status"])


def _newest(documents: Documents, pipeline: str, count: int) -> list[Window]:
    names = [n for n in documents.names(f"windows/{pipeline}/") if n.endswith("/expected.json")]
    found: list[Window] = []
    for name in sorted(names)[-count:]:
        document = documents.get(name)
        if document is not None:
            found.append(Window.from_interval(pipeline, document.value["window"]))
    return found


def _window(ports: StatusPorts, window: Window, watermarks: dict[str, Watermark], now: datetime) -> dict[str, Any]:
    expected = read_expected(ports.documents, window)
    if expected is None:
        return {"id": window.id, "window": window.interval, "status": "unknown", "sources": {}}
    markers = {source: read_markers(ports.documents, source, window.id) for source in expected.sources}
    covered = {source: watermarks.get(source, Watermark()).covered_to for source in expected.sources}
    outcome = window_outcome(expected, markers, covered, now)
    return {
        "id": window.id,
        "window": window.interval,
        "status": str(outcome.status),
        "deadline_at": to_text(expected.deadline_at),
        "built": ports.documents.exists(layout.built(window.pipeline, outcome.digest)),
        "missing": outcome.missing,
        "sources": {
            source.source: {
                "status": str(source.status),
                "rows": source.rows,
                "rejected": source.rejected,
                "revisions": sorted({marker.revision for marker in complete_markers(markers[source.source])}),
            }
            for source in outcome.sources
        },
    }


def _source(ports: StatusPorts, name: str, mark: Watermark) -> dict[str, Any]:
    return {
        "enabled": ports.registry.sources[name].enabled,
        "watermark": to_text(mark.value) if mark.value else None,
        "covered_to": to_text(mark.covered_to) if mark.covered_to else None,
        "gaps": [n.rpartition("/")[2].removesuffix(".json") for n in ports.documents.names(layout.gap(name))],
        "quarantined_records_files": _count(ports.quarantine.list(f"{RECORDS}{name}/")),
    }


def _quarantine(bucket: Bucket) -> dict[str, int]:
    return {
        "record_files": _count(bucket.list(RECORDS)),
        "objects": _count(o for o in bucket.list(OBJECTS) if o.name.endswith(".json")),
        "messages": _count(bucket.list(MESSAGES)),
        "asked_again": _count(bucket.list(REPLAYS)),
    }


def _count(things: Iterable[object]) -> int:
    return sum(1 for _ in things)
