"""Flows over a window's frozen listing of spooled events: the events themselves, or the objects that they are about."""

from collections.abc import Callable
from functools import partial

from shared.extract.pages import Flow, PageFlow, SpoolRequest, within_scope
from shared.registry.model import Source
from shared.sources.family import ExtractionRange
from shared.sources.incident_io_events.event_types import fetches, ids_of
from shared.spool import WaitingEvent

EVENTS_A_PAGE = 100
BYTES_A_PAGE = 4 * 1024 * 1024
"""A page of events is held in memory; one event has 1 MiB at most."""


def event_pages(extraction: ExtractionRange, resume: str) -> Flow:
    """Every listed event. `resume` is the number of the first one to read."""
    position = int(resume or 0)
    while position < len(extraction.events):
        page = page_of(extraction.events, position)
        yield SpoolRequest(page, resume=str(position))
        position += len(page)


def changed_objects(source: Source, extraction: ExtractionRange, resume: str, ask: Callable[[str], PageFlow]) -> Flow:
    """What `ask` requests for each object that the listed events are about, once however many events there are of it.

    Only events whose type matters are read, page by page. `resume` is `<number of the page's first event>:<number of
    the id among those of the page>`: the listing is frozen, so both mean the same in every attempt. What is asked for
    first goes with the page of events in one scope, since the page alone is no progress.
    """
    events = tuple(each for each in extraction.events if fetches(each.event.event_type, source.contract))
    first, _, done = resume.partition(":")
    position, skip = int(first or 0), int(done or 0)
    asked: set[str] = set()
    while position < len(events):
        page, here = page_of(events, position), f"{position}:{skip}"
        seen = yield SpoolRequest(page, partial(ids_of, source.contract), here, (here,))
        asked.update(seen.ids[:skip])
        for number, each in enumerate(seen.ids[skip:], start=skip):
            if each not in asked:
                asked.add(each)
                yield from within_scope(ask(each), (here,), here)
                here = f"{position}:{number + 1}"
        position, skip = position + len(page), 0


def page_of(events: tuple[WaitingEvent, ...], position: int) -> tuple[WaitingEvent, ...]:
    """The events from `position` on that are read together: at least one."""
    end, size = position, 0
    while end < min(len(events), position + EVENTS_A_PAGE) and (end == position or size < BYTES_A_PAGE):
        size += events[end].size
        end += 1
    return events[position:end]
