"""Every incident of a workspace, month of creation by month: what a whole month lacks is gone at the source.

The vendor tells nobody that an incident was deleted. So all of them are listed, those of every category (a declined or
merged incident is not gone), and a month is a whole for each mode that is asked for and each visibility that the key
can see: of what it cannot see, nothing may be taken for gone.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec

from shared.contracts.contract import month_of
from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages, gathered_links, one_page, within_scope
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io import identity
from shared.sources.incident_io.incidents import PATH, every_incident, incident_page
from shared.sources.incident_io.rows import incident_rows
from shared.sources.incident_io.workspace import settings_of
from shared.sources.record import Instant

_QUIET_MONTHS = 12
# Months before the first incident are read in runs: a request each would take longer than all the others.

_CREATED = "created_at[date_range]"


class _Created(msgspec.Struct):
    created_at: Instant


_created = msgspec.json.Decoder(_Created)


class Census:
    """`GET /v2/incidents` by whole months of `created_at`, after `GET /v1/identity` and one look at the oldest."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """Months from the source's history on to the window's end; `resume` names a month and what the key can see."""
        months = _months(month_of(source.history_start), month_of(extraction.end))
        month, _, seen = resume.partition("/")
        quiet = 0
        if month:
            visible = seen.split(",")
            months = [each for each in months if each >= month]
        else:
            roles = yield from gathered_links(one_page(PageRequest(identity.PATH)), "")
            visible = ["public", "private"] if identity.SEES_PRIVATE in roles else ["public"]
            # without a month: the oldest incident of all
            quiet = _before_the_first((yield PageRequest(PATH, every_incident(source, page_size=1))), months)
        for run in (*_runs(months[:quiet], _QUIET_MONTHS), *_runs(months[quiet:], 1)):
            scope = tuple(_scopes(source, run, visible))
            # a day wider at both ends, whatever time zone the vendor takes days in
            first = date.fromisoformat(f"{run[0]}-01") - timedelta(days=1)
            last = _next_month(date.fromisoformat(f"{run[-1]}-01"))
            query = (*every_incident(source), (_CREATED, f"{first}~{last}"))
            requests = cursor_pages(PATH, query, parameter="after")
            yield from within_scope(requests, scope, f"{run[0]}/{','.join(visible)}")

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """A page's incidents as bytes; none of what only prepares the reading: the key's roles, the oldest incident."""
        if request.path == identity.PATH:
            return RawPage([], PageSeen(0, links=tuple(identity.identity_of(response).roles)))
        page = incident_page(response)
        if any(name == _CREATED for name, _ in request.query):
            return page
        return RawPage([], PageSeen(len(page.records), oldest=_oldest(page.records)))

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Incidents as rows of the incidents contract, however long ago they changed.

        A month with a rejected record is not whole: nothing of it is taken for gone.
        """
        records = [record for page in pages for record in page.records]
        everything = ExtractionRange(extraction.start, extraction.end, full=True)
        return incident_rows(settings_of(source), records, everything)


def _scopes(source: Source, months: Sequence[str], visible: Sequence[str]) -> Iterator[str]:
    settings = settings_of(source)
    for month in months:
        for mode in settings.modes:
            for visibility in visible:
                yield f"{settings.workspace}/{mode}/{visibility}/{month}"


def _before_the_first(seen: PageSeen, months: Sequence[str]) -> int:
    """How many of the months are before the first incident."""
    if not seen.records:
        return len(months)
    if seen.oldest is None:
        return 0
    first = month_of(seen.oldest)
    return sum(month < first for month in months)


def _oldest(records: Sequence[bytes]) -> datetime | None:
    try:
        return _created.decode(records[0]).created_at if records else None
    except (msgspec.DecodeError, RecursionError):
        return None  # rejected when its month is read


def _months(first: str, last: str) -> list[str]:
    months, day = [], date.fromisoformat(f"{first}-01")
    while (month := f"{day:%Y-%m}") <= last:
        months.append(month)
        day = _next_month(day)
    return months


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _runs(months: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (months[start : start + size] for start in range(0, len(months), size))
