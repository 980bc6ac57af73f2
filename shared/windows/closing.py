"""Closing windows: after a part is done, or a deadline has passed, take every step that follows, each safe to repeat.

watermarks of complete sources → gaps that this closes → the deletion of spooled events that all have read → the outcome
for the warehouse → the dbt request → the index of open windows → the job. A window without rows anywhere is remembered
as built; no warehouse wakes up for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared import logs
from shared.errors import StateConflict
from shared.instants import to_text
from shared.ports import Clock, Jobs, Spool
from shared.state import layout
from shared.state.builds_hold import builds_are_held
from shared.state.documents import Document, Documents
from shared.state.lease import is_live
from shared.windows.draining import drain_spools
from shared.windows.markers import read_markers
from shared.windows.opening import read_expected
from shared.windows.outcome import SourceStatus, WindowOutcome, WindowStatus, window_outcome
from shared.windows.watermark import Watermark, advanced, move_watermark, read_watermark
from shared.windows.window import Window, end_of_id


@dataclass(frozen=True, slots=True)
class ClosingPorts:
    """What closing a window needs from the outside."""

    documents: Documents
    clock: Clock
    jobs: Jobs
    dbt_job: str
    spool: Spool


def settle_window(ports: ClosingPorts, window: Window) -> WindowOutcome | None:
    """Bring everything that follows from the window's markers up to date; None when its tick has not frozen it yet.

    Also settles the older open windows of the pipeline: a source that recovered supersedes its part in them.
    """
    outcome = _settle(ports, window)
    if outcome is None:
        return None
    for name in list(ports.documents.names(layout.open_window(window.pipeline))):
        other = _window_of(ports.documents, name)
        if other is not None and other.end < window.end:
            _settle(ports, other)
    return outcome


def settle_open_windows(ports: ClosingPorts, on_error: Callable[[str, Exception], None]) -> list[WindowOutcome]:
    """Settle every open window of every pipeline; a failure of one is reported and does not stop the others."""
    outcomes = []
    for name in list(ports.documents.names(layout.OPEN)):
        try:
            window = _window_of(ports.documents, name)
            outcome = _settle(ports, window) if window is not None else None
        except Exception as exc:  # noqa: BLE001 - reported to the caller, which decides
            on_error(name, exc)
            continue
        if outcome is not None:
            outcomes.append(outcome)
    return outcomes


def start_job_if_needed(ports: ClosingPorts) -> bool:
    """Start the dbt job when something is pending, nobody builds and nobody holds the builds; tells whether it did.

    A builder lists again after it has given its lease back, so a request it has not seen yet is not lost.
    """
    if is_live(ports.documents.get(layout.DBT_LEASE), ports.clock.now()):
        return False
    if builds_are_held(ports.documents):
        return False
    ports.jobs.start(ports.dbt_job)
    logs.info("dbt.job_started", job=ports.dbt_job)
    return True


def _settle(ports: ClosingPorts, window: Window) -> WindowOutcome | None:
    while True:
        try:
            return _settle_once(ports, window)
        except StateConflict:
            # somebody closed the window at the same moment, perhaps knowing less or more: look again at what is there
            continue


def _settle_once(ports: ClosingPorts, window: Window) -> WindowOutcome | None:
    documents, now = ports.documents, ports.clock.now()
    expected = read_expected(documents, window)
    if expected is None:
        return None
    markers = {source: read_markers(documents, source, window.id) for source in expected.sources}
    watermarks = {source: read_watermark(documents, source) for source in expected.sources}
    covered = {source: watermark.covered_to for source, watermark in watermarks.items()}
    outcome = window_outcome(expected, markers, covered, now)
    with logs.bound(pipeline=window.pipeline, window=window.id):
        _move_watermarks(documents, outcome, watermarks, now)
        drain_spools(documents, ports.spool, outcome)
        if outcome.status is not WindowStatus.OPEN:
            _close(ports, outcome, now)
    return outcome


def _move_watermarks(
    documents: Documents, outcome: WindowOutcome, known: Mapping[str, Watermark], now: datetime
) -> None:
    window = outcome.expected.window
    for source in outcome.sources:
        if not source.scheduled_complete:
            continue
        # one that is there already stays there: watermarks only move forward
        if advanced(known[source.source], source.scheduled_watermark, window.end) != known[source.source]:
            before, after = move_watermark(documents, source.source, source.scheduled_watermark, window.end)
            if before != after:
                logs.info("watermark.moved", source=source.source, start=before.value, end=after.value)
        for name in list(documents.names(layout.gap(source.source))):
            gap_id = name.rpartition("/")[2].removesuffix(".json")
            if end_of_id(gap_id) <= window.end:
                _close_gap(documents, source.source, name, window, now)


def _close_gap(documents: Documents, source: str, name: str, by: Window, now: datetime) -> None:
    gap = documents.get(name)
    if gap is None:
        return
    closed = documents.get(layout.closed(gap.value["pipeline"], gap.value["window_id"]))
    if closed is not None and gap.value["window_id"] != by.id:  # its own late part does not supersede but complete it
        sources = {**closed.value["sources"]}
        if sources[source]["status"] == SourceStatus.MISSING:
            sources[source] = {**sources[source], "status": SourceStatus.SUPERSEDED}
            # a later instant than the gap's own: of two closers of one window, the warehouse may have heard the later
            value = {**closed.value, "sources": sources, "closed_at": to_text(now)}
            # for the warehouse first: once the outcome says superseded, nobody comes back here to tell it
            documents.create(layout.closing(by.pipeline, gap.value["window_id"], f"gap-{source}"), value)
            try:
                documents.replace(closed, value)
            except StateConflict:
                return  # somebody closed the window anew meanwhile; this gap is looked at again with the next window
    documents.delete(gap)
    logs.info("window.gap_closed", source=source, gap=gap.value["window_id"], by=by.id)


def _close(ports: ClosingPorts, outcome: WindowOutcome, now: datetime) -> None:
    documents, window, digest = ports.documents, outcome.expected.window, outcome.digest
    known = documents.get(layout.closed(window.pipeline, window.id))
    value = _closed_value(outcome, now)
    if known is None or known.value["digest"] != digest or known.value["status"] != outcome.status:
        for source in outcome.missing:
            documents.create(layout.gap(source, window.id), {"pipeline": window.pipeline, "window_id": window.id})
        documents.create(layout.closing(window.pipeline, window.id, f"{digest}-{outcome.status}"), value)
        _write_closed(documents, window, known, value)
        log = logs.info if outcome.status is WindowStatus.COMPLETE else logs.error
        log(
            f"window.closed_{outcome.status}",
            rows=outcome.rows,
            missing=outcome.missing,
            digest=digest,
            message=f"window {window.id} of {window.pipeline} closed {outcome.status}"
            + (f"; stale: {', '.join(outcome.missing)}" if outcome.missing else ""),
        )
    _request_build(ports, outcome, now)
    documents.discard(layout.open_window(window.pipeline, window.id))


def _write_closed(documents: Documents, window: Window, known: Document | None, value: dict[str, object]) -> None:
    name = layout.closed(window.pipeline, window.id)
    if known is not None:
        documents.replace(known, value)
    elif not documents.create(name, value)[1]:
        # what came meanwhile may know more than this look did
        raise StateConflict(f"window {window.id} of {window.pipeline} was closed by somebody else; look again")


def _request_build(ports: ClosingPorts, outcome: WindowOutcome, now: datetime) -> None:
    documents, window, digest = ports.documents, outcome.expected.window, outcome.digest
    if documents.exists(layout.built(window.pipeline, digest)):
        return
    value = {
        "pipeline": window.pipeline,
        "window": window.interval,
        "digest": digest,
        "requested_at": to_text(now),
        "rows": outcome.rows,
        "missing": outcome.missing,
    }
    if outcome.rows == 0:
        documents.create(layout.built(window.pipeline, digest), {**value, "built": "no rows"})
        return
    _, created = documents.create(layout.request(window.pipeline, digest), value)
    if created and documents.exists(layout.built(window.pipeline, digest)):
        # a builder finished it between the two looks: it writes "built" before it takes the request away
        documents.discard(layout.request(window.pipeline, digest))
        return
    if created:
        logs.info("dbt.requested", digest=digest, rows=outcome.rows)
    start_job_if_needed(ports)


def _closed_value(outcome: WindowOutcome, now: datetime) -> dict[str, object]:
    window = outcome.expected.window
    return {
        "pipeline": window.pipeline,
        "window": window.interval,
        "status": outcome.status,
        "digest": outcome.digest,
        "closed_at": to_text(now),
        "sources": {
            source.source: {"status": source.status, "rows": source.rows, "rejected": source.rejected}
            for source in outcome.sources
        },
    }


def _window_of(documents: Documents, name: str) -> Window | None:
    document = documents.get(name)
    pipeline = name.split("/")[1]
    return None if document is None else Window.from_interval(pipeline, document.value["window"])
