"""Incidents of a workspace, read by the day of their last update."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from shared.extract.pages import PageFlow, PageRequest, PageSeen, Query, cursor_pages
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.cutting import cut_array
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.rows import incident_rows
from shared.sources.incident_io.workspace import settings_of

PATH = "/v2/incidents"

STATUS_CATEGORIES = ("triage", "live", "learning", "paused", "closed", "declined", "canceled", "merged")
"""All eight: without them the vendor leaves out declined, canceled and merged incidents."""


class _Meta(msgspec.Struct):
    after: str | None = None


class _Page(msgspec.Struct):
    incidents: list[msgspec.Raw]
    pagination_meta: _Meta | None = None


_page = msgspec.json.Decoder(_Page)


class Incidents:
    """`GET /v2/incidents`, oldest first, by whole days of `updated_at`."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """All categories, the chosen modes, oldest first (the only order that new incidents do not shift).

        The filter knows whole days only, so it is a day wider at both ends; rows are then kept by `updated_at`.
        """
        first = (extraction.start - timedelta(days=1)).date()
        last = (extraction.end + timedelta(days=1)).date()
        query = (*every_incident(source), ("updated_at[date_range]", f"{first}~{last}"))
        return cursor_pages(PATH, query, parameter="after", resume=resume)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """A page's incidents as bytes, also when one of them is no JSON or nested without end: that one is rejected."""
        return incident_page(response)

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Incidents as rows of the incidents contract."""
        records = [record for page in pages for record in page.records]
        return incident_rows(settings_of(source), records, extraction)


def every_incident(source: Source, page_size: int | None = None) -> Query:
    """The query of a list that leaves out nothing of the chosen modes, oldest first."""
    return (
        ("page_size", str(page_size or source.page_size)),
        ("sort_by", "created_at_oldest_first"),
        *(("status_category[one_of]", category) for category in STATUS_CATEGORIES),
        *(("mode[one_of]", mode) for mode in settings_of(source).modes),
    )


def incident_page(response: HttpResponse) -> RawPage:
    """A page's incidents as bytes. Raises UnusableBody for what is no such page."""
    try:
        page = _page.decode(response.body)
    except (msgspec.DecodeError, RecursionError) as exc:
        page = _cut(response.body, exc)
    after = page.pagination_meta.after if page.pagination_meta else None
    return RawPage([bytes(raw) for raw in page.incidents], PageSeen(len(page.incidents), after or None))


def _cut(body: bytes, strict: Exception) -> _Page:
    try:
        records, rest = cut_array(body, "incidents")
        return _Page([msgspec.Raw(record) for record in records], _page.decode(rest).pagination_meta)
    except (ValueError, RecursionError):
        raise UnusableBody(f"{strict}; it begins with {body[:60]!r}") from strict
