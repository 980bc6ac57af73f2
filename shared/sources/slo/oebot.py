"""OEBOT, an internal monitor whose contract is assumed: targets as fractions, good and total events, RFC 3339."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from msgspec import Struct

from shared.contracts.slo_measurements import SLO_MEASUREMENTS
from shared.contracts.slo_objectives import SLO_OBJECTIVES
from shared.extract.pages import PageFlow, PageRequest, PageSeen, Query, cursor_pages
from shared.extract.sender import UnusableBody
from shared.instants import to_text
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.registry.slo import SloSettings
from shared.sources.by_contract import ByContract
from shared.sources.envelope import field_of, records_in
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.record import Identifier, Instant, Refused, decoded, known_fields, plausible
from shared.sources.settings import typed_settings
from shared.sources.slo.rows import measurement_row, objective_row
from shared.sources.slo.watched import Watched, after_mark, hours_only, hours_pages, listed, watched
from shared.sources.table import Row, Table

_OBJECTIVES = "/api/v1/objectives"
_MOST_OBJECTIVES = 100
_LONGEST_SPAN = timedelta(days=20)
# The monitor allows 31 days, but a page holds 500 hours: so every span is one page.


class _Window(Struct, frozen=True):
    type: str
    days: int | None = None
    unit: str | None = None


class _Objective(Struct, frozen=True):
    id: Identifier
    name: str
    service: str
    target: Decimal
    window: _Window
    state: str
    created_at: Instant
    updated_at: Instant
    team: str | None = None
    indicator: str | None = None


class _Measurement(Struct, frozen=True):
    hour: Instant
    good: int
    total: int
    reported_at: Instant
    version: int = 1


_OBJECTIVE_FIELDS = known_fields(_Objective)
_MEASUREMENT_FIELDS = known_fields(_Measurement, "sli")


class _Objectives:
    """`GET /api/v1/objectives`."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """What changed in the range; in a full one everything."""
        since: Query = () if extraction.full else (("updated_since", to_text(extraction.start)),)
        return _objectives(source, since, resume)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """`objectives` and `next_cursor`."""
        records, following = _list(response, "objectives")
        return RawPage(records, PageSeen(len(records), following))

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Objectives as rows."""
        monitor, table = typed_settings(SloSettings, source).monitor, Table(SLO_OBJECTIVES, extraction)

        def convert(record: bytes, payload: str) -> Iterable[Row]:
            objective = decoded(_Objective, record)
            yield objective_row(
                payload,
                {
                    "monitor": monitor,
                    "slo_id": objective.id,
                    "name": objective.name,
                    "service": objective.service,
                    "team": objective.team,
                    "indicator": objective.indicator,
                    "target": objective.target,
                    "window_kind": _window_kind(objective.window),
                    "window_days": objective.window.days,
                    "is_retired": objective.state == "retired",
                    "created_at": objective.created_at,
                    "updated_at": objective.updated_at,
                },
            )

        table.add_pages(pages, convert, _OBJECTIVE_FIELDS)
        return table.rows()


class _Measurements:
    """`GET /api/v1/objectives/{id}/measurements`, objective by objective."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """All objectives first, then the hours of each in the range."""

        def ask(some: Sequence[Watched], first: datetime, last: datetime) -> PageFlow:
            (objective,) = some
            query = (("from", to_text(first)), ("to", to_text(last)), ("limit", str(source.page_size)))
            path = f"{_OBJECTIVES}/{quote(objective.id, safe='')}/measurements"
            return cursor_pages(path, query, parameter="cursor")

        listing = _objectives(source, (), "")
        return hours_pages(listing, extraction, resume, at_once=1, longest=_LONGEST_SPAN, ask=ask)

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of objectives to be asked, or `measurements` of one; both with `next_cursor`."""
        if request.path == _OBJECTIVES:
            records, following = _list(response, "objectives")
            return listed(records, _watched, PageSeen(len(records), following))
        records, following = _list(response, "measurements")
        return RawPage(records, PageSeen(len(records), following), {"slo_id": after_mark(request.scope[0])[0]})

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Hours as rows. Every hour asked for is kept, whenever it was reported."""
        monitor = typed_settings(SloSettings, source).monitor
        table = Table(SLO_MEASUREMENTS, extraction, skips=False)
        for page in hours_only(table, pages):
            slo_id = page.context["slo_id"]

            def convert(record: bytes, payload: str, slo_id: str = slo_id) -> Iterable[Row]:
                measured = decoded(_Measurement, record)
                yield measurement_row(
                    payload,
                    {
                        "monitor": monitor,
                        "slo_id": slo_id,
                        "hour_start_at": plausible("hour", measured.hour),
                        "good_events": measured.good,
                        "total_events": measured.total,
                        "reported_at": measured.reported_at,
                        "is_restated": measured.version > 1,
                    },
                )

            table.add_pages((page,), convert, _MEASUREMENT_FIELDS)
        return table.rows()


def _objectives(source: Source, query: Query, resume: str) -> PageFlow:
    limit = str(min(source.page_size, _MOST_OBJECTIVES))
    return cursor_pages(_OBJECTIVES, (*query, ("limit", limit)), parameter="cursor", resume=resume)


def _list(response: HttpResponse, name: str) -> tuple[Sequence[bytes], str | None]:
    records, envelope = records_in(response.body, name)
    if "next_cursor" not in envelope:
        # it is null on the last page: without it a list would seem to end here
        raise UnusableBody("no 'next_cursor'")
    following = field_of(envelope, "next_cursor", str)
    return records, str(following) if following else None


def _watched(record: bytes) -> Watched:
    objective = decoded(_Objective, record)
    # a retirement is an update, and hours that began before it may still be reported
    return watched(objective.id, objective.created_at, objective.updated_at if objective.state == "retired" else None)


def _window_kind(window: _Window) -> str:
    match window:
        case _Window(type="rolling", days=int()):
            return "rolling"
        case _Window(type="calendar", days=None, unit="month"):
            return "calendar_month"
    raise Refused("wrong_type", f"a window of {window.type!r}, {window.days!r} days, unit {window.unit!r}")


class Oebot(ByContract):
    """Objectives and their measurements."""

    def __init__(self) -> None:
        super().__init__({"slo_objectives": _Objectives(), "slo_measurements": _Measurements()})
