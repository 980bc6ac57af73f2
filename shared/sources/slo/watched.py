"""Which hours of which objective can be asked for: measurements have no list of their own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from shared.extract.pages import PageFlow, PageSeen, chunks, gathered_links, within_scope
from shared.instants import from_text, to_text
from shared.sources.family import ExtractionRange, RawPage
from shared.sources.record import Refused, plausible
from shared.sources.table import Table

LISTING = "objectives"
"""The context of a page that lists objectives in order to read their hours."""


class Watched(msgspec.Struct, frozen=True, order=True):
    """An objective, and the hours that it can have: those that begin in [since, until)."""

    id: str
    since: datetime
    until: datetime | None = None
    """None while it is measured."""

    def span(self, extraction: ExtractionRange) -> tuple[datetime, datetime]:
        """Its hours in the range, which is widened to whole hours at its beginning."""
        start = max(extraction.start, self.since)
        end = extraction.end if self.until is None else min(extraction.end, self.until)
        return start.astimezone(UTC).replace(minute=0, second=0, microsecond=0), end


def watched(objective: str, created_at: datetime, retired_at: datetime | None) -> Watched:
    """An objective that is measured from the hour of its creation on. Raises Refused for an instant that cannot be."""
    since = plausible("created_at", created_at).replace(minute=0, second=0, microsecond=0)
    return Watched(objective, since, None if retired_at is None else plausible("retired_at", retired_at))


def listed(records: Sequence[bytes], read: Callable[[bytes], Watched], seen: PageSeen) -> RawPage:
    """A page of objectives: links to those that `read` understands; those that it refuses are its records."""
    links, strangers = [], []
    for record in records:
        try:
            links.append(msgspec.json.encode(read(record)).decode())
        except Refused:
            strangers.append(record)
    return RawPage(strangers, replace(seen, links=tuple(links)), {"list": LISTING})


def hours_pages(
    listing: PageFlow,
    extraction: ExtractionRange,
    resume: str,
    *,
    at_once: int,
    longest: timedelta,
    ask: Callable[[Sequence[Watched], datetime, datetime], PageFlow],
) -> PageFlow:
    """All objectives first, then the hours of each `at_once` of them in the range, at most `longest` at a time.

    `ask` makes the requests for some objectives' hours that begin in [start, end); they are one scope, whose text says
    with which objective and instant it begins.
    """
    links = yield from gathered_links(listing, resume)
    objective, instant = after_mark(resume)
    left = [one for one in watched_of(links) if one.id >= objective]
    for some in chunks(left, at_once):
        each = [one.span(extraction) for one in some]
        start, end = min(start for start, _ in each), max(end for _, end in each)
        if some[0].id == objective and instant is not None:
            start = instant
        for first, last in spans(start, end, longest):
            at = mark(some[0].id, first)
            yield from within_scope(ask(some, first, last), (at,), at)


def hours_only(table: Table, pages: Sequence[RawPage]) -> Iterator[RawPage]:
    """The pages of hours. Objectives that were not understood have hours that nobody reads: that is worth an alert."""
    for page in pages:
        if page.context.get("list") != LISTING:
            yield page
            continue
        for record in page.records:
            table.reject(Refused("wrong_type", "an objective that cannot be asked for its hours"), record)


def watched_of(links: Sequence[str]) -> list[Watched]:
    """The objectives of the links, by id; each once."""
    return sorted({one.id: one for one in (msgspec.json.decode(link, type=Watched) for link in links)}.values())


def spans(start: datetime, end: datetime, longest: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) in pieces of at most `longest`, oldest first; none when it is empty."""
    while start < end:
        following = min(start + longest, end)
        yield start, following
        start = following


def mark(objective: str, start: datetime) -> str:
    """The text from which reading begins again at an objective and instant."""
    return f"{to_text(start)} {objective}"


def after_mark(resume: str) -> tuple[str, datetime | None]:
    """The objective and instant of a mark; an empty one is before all."""
    if not resume:
        return "", None
    start, _, objective = resume.partition(" ")
    return objective, from_text(start)
