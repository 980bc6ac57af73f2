"""Which hours of which objective can be asked for: measurements have no list of their own."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.extract.pages import PageSeen
from shared.instants import from_text, to_text
from shared.sources.family import ExtractionRange, RawPage
from shared.sources.record import Refused
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


def listed(
    records: Sequence[bytes], watched: Sequence[Watched | None], next_cursor: str | None, **seen: Any
) -> RawPage:
    """A page of objectives: links to those that were understood; those that were not are its records."""
    links = tuple(msgspec.json.encode(one).decode() for one in watched if one is not None)
    strangers = [record for record, one in zip(records, watched, strict=True) if one is None]
    return RawPage(strangers, PageSeen(len(records), next_cursor, links, **seen), {"list": LISTING})


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


def reject_strangers(table: Table, page: RawPage) -> None:
    """Objectives that were not understood have hours that nobody reads: that is worth an alert."""
    for record in page.records:
        table.reject(Refused("wrong_type", "an objective that cannot be asked for its hours"), record)


def is_listing(context: Mapping[str, Any]) -> bool:
    """Whether a page lists objectives."""
    return context.get("list") == LISTING
