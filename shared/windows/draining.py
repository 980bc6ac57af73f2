"""The spool's part in a window: which events it reads, frozen once a workspace, and their deletion when all have read.

The events of an open window are left out of the windows after it, so that a backlog is read once and not by each of
them anew. What a window leaves undone at its deadline is still in the spool, and listed again by the next.
"""

from collections.abc import Iterator

from shared import logs
from shared.errors import RejectedObject
from shared.instants import from_text, to_text
from shared.ports import Spool
from shared.spool import SpooledEvent, WaitingEvent, spool_prefix
from shared.state import layout
from shared.state.documents import Document, Documents
from shared.windows.outcome import SourceStatus, WindowOutcome
from shared.windows.window import Window

MOST_EVENTS = 5000
"""Events that a window reads of a workspace at most; the windows after it read the rest. At 300 requests a minute the
objects that so many events are about can be asked for within a window's deadline of 15 minutes, or nearly so."""


def freeze_listing(documents: Documents, spool: Spool, window: Window, workspace: str) -> tuple[WaitingEvent, ...]:
    """The workspace's events that the window reads, listing them when nobody has. By name, so in no order of time."""
    name = layout.listing(window.pipeline, window.id, workspace)
    found = documents.get(name)
    if found is None:
        elsewhere = _listed_by_open_windows(documents, window, workspace)
        waiting: list[WaitingEvent] = []
        for event in _waiting(spool, workspace):
            if event.version not in elsewhere:
                waiting.append(event)
            if len(waiting) == MOST_EVENTS:
                logs.warning("extract.spool_backlog", workspace=workspace, events=MOST_EVENTS)
                break
        found, _ = documents.create(name, {"events": [_to_json(event) for event in waiting]})
    return _events(found, workspace)


def drain_spools(documents: Documents, spool: Spool, outcome: WindowOutcome) -> None:
    """Delete the listed events of every workspace whose sources are all complete. Safe to repeat, at any death."""
    window = outcome.expected.window
    complete = {each.source for each in outcome.sources if each.status is SourceStatus.COMPLETE}
    for workspace, sources in outcome.expected.spools.items():
        listing = documents.get(layout.listing(window.pipeline, window.id, workspace))
        if listing is None or not listing.value["events"] or not complete.issuperset(sources):
            continue
        done = layout.drained(window.pipeline, window.id, workspace)
        if not documents.exists(done):
            versions = [waiting.version for waiting in _events(listing, workspace)]
            deleted = spool.delete_each(versions)
            documents.create(done, {"events": len(versions)})
            logs.info("spool.drained", workspace=workspace, events=len(versions), deleted=deleted)


def _waiting(spool: Spool, workspace: str) -> Iterator[WaitingEvent]:
    for stored in spool.list(spool_prefix(workspace)):
        try:
            event = SpooledEvent.from_mapping(stored.name, stored.metadata)
        except RejectedObject as exc:
            # a stranger's object is left where it is; the sweep names it
            logs.error("extract.spool_stranger", exc, object=stored.name)
            continue
        yield WaitingEvent(event, stored.generation, stored.size)


def _listed_by_open_windows(documents: Documents, window: Window, workspace: str) -> set[tuple[str, int]]:
    listed: set[tuple[str, int]] = set()
    for name in documents.names(layout.open_window(window.pipeline)):
        window_id = name.rpartition("/")[2].removesuffix(".json")
        other = documents.get(layout.listing(window.pipeline, window_id, workspace)) if window_id != window.id else None
        if other is not None:
            listed |= {waiting.version for waiting in _events(other, workspace)}
    return listed


def _events(listing: Document, workspace: str) -> tuple[WaitingEvent, ...]:
    return tuple(
        WaitingEvent(SpooledEvent(workspace, webhook_id, event_type, from_text(received_at)), generation, size)
        for webhook_id, event_type, received_at, generation, size in listing.value["events"]
    )


def _to_json(waiting: WaitingEvent) -> list[str | int]:
    event = waiting.event
    return [event.webhook_id, event.event_type, to_text(event.received_at), waiting.generation, waiting.size]
