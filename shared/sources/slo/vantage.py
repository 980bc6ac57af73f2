"""Vantage, an internal monitor whose contract is assumed: percents as strings, valid and bad events, epoch ms."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec import Struct

from shared.contracts.slo_measurements import SLO_MEASUREMENTS
from shared.contracts.slo_objectives import SLO_OBJECTIVES
from shared.extract.pages import (
    PageFlow,
    PageRequest,
    PageSeen,
    content_of,
    numbered_pages,
    numbered_requests,
)
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.registry.slo import SloSettings
from shared.sources.by_contract import ByContract
from shared.sources.envelope import field_of, records_in
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.record import Refused, decoded, instant_of_ms, known_fields
from shared.sources.settings import typed_settings
from shared.sources.slo.rows import measurement_row, objective_row
from shared.sources.slo.watched import Watched, hours_only, hours_pages, listed, watched
from shared.sources.table import Row, Table

_SLOS, _WINDOWS = "/v2/slos", "/v2/slo_windows/query"
_LONGEST_SPAN = timedelta(days=7)
_SLOS_A_QUERY = 20
_MOST_SLOS = 50
_ID_DIGITS = 20
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Slo(Struct, frozen=True):
    slo_id: int
    title: str
    service_name: str
    target: Decimal
    timeframe: str
    archived: bool
    created_ms: int
    modified_ms: int
    owner: str | None = None
    sli_type: str | None = None


class _Window(Struct, frozen=True):
    slo_id: int
    start_ms: int
    end_ms: int
    valid_events: int
    bad_events: int
    computed_ms: int
    recomputed: bool = False


_SLO_FIELDS = known_fields(_Slo)
_WINDOW_FIELDS = known_fields(_Window, "sli_percent")


class _Slos:
    """`GET /v2/slos`."""

    def pages(self, source: Source, _extraction: ExtractionRange, resume: str) -> PageFlow:
        """All of them, every time: there is no filter by change."""
        return _slos(source, resume)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """`slos` with `page` and `total_pages`."""
        records, seen = _slo_list(response)
        return RawPage(records, seen)

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Those that changed in the range as rows; in a full one all."""
        monitor, table = typed_settings(SloSettings, source).monitor, Table(SLO_OBJECTIVES, extraction)

        def convert(record: bytes, payload: str) -> Iterable[Row]:
            slo = decoded(_Slo, record)
            days = _window_days(slo.timeframe)
            yield objective_row(
                payload,
                {
                    "monitor": monitor,
                    "slo_id": str(slo.slo_id),
                    "name": slo.title,
                    "service": slo.service_name,
                    "team": slo.owner,
                    "indicator": slo.sli_type,
                    "target": slo.target / 100,
                    "window_kind": "calendar_month" if days is None else "rolling",
                    "window_days": days,
                    "is_retired": slo.archived,
                    "created_at": instant_of_ms(slo.created_ms),
                    "updated_at": instant_of_ms(slo.modified_ms),
                },
            )

        table.add_pages(pages, convert, _SLO_FIELDS)
        return table.rows()


class _Hours:
    """`POST /v2/slo_windows/query`, some SLOs and a week at a time."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """All SLOs first, then the windows of each score of them in the range."""
        listing = _slos(source, "")
        return hours_pages(listing, extraction, resume, at_once=_SLOS_A_QUERY, longest=_LONGEST_SPAN, ask=_windows)

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of SLOs to be asked for, or `windows` with `page` and `has_more`."""
        if request.path == _SLOS:
            records, seen = _slo_list(response)
            return listed(records, _watched, seen)
        records, envelope = records_in(response.body, "windows")
        number = _number(envelope, "page")
        more = field_of(envelope, "has_more", bool)
        if more is None:
            raise UnusableBody("no 'has_more'")
        following = str(number + 1) if more else None
        return RawPage(records, PageSeen(len(records), following, content=content_of(records)))

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Hours as rows. Every hour asked for is kept, whenever it was computed."""
        monitor = typed_settings(SloSettings, source).monitor
        table = Table(SLO_MEASUREMENTS, extraction, skips=False)

        def convert(record: bytes, payload: str) -> Iterable[Row]:
            window = decoded(_Window, record)
            start, end = instant_of_ms(window.start_ms), instant_of_ms(window.end_ms)
            if end - start != timedelta(hours=1):
                raise Refused("not_an_hour", f"a window from {start.isoformat()} to {end.isoformat()}")
            yield measurement_row(
                payload,
                {
                    "monitor": monitor,
                    "slo_id": str(window.slo_id),
                    "hour_start_at": start,
                    "good_events": window.valid_events - window.bad_events,
                    "total_events": window.valid_events,
                    "reported_at": instant_of_ms(window.computed_ms),
                    "is_restated": window.recomputed,
                },
            )

        table.add_pages(hours_only(table, pages), convert, _WINDOW_FIELDS)
        return table.rows()


def _slos(source: Source, resume: str) -> PageFlow:
    size = str(min(source.page_size, _MOST_SLOS))
    return numbered_pages(_SLOS, (("per_page", size),), parameter="page", resume=resume)


def _windows(some: Sequence[Watched], first: datetime, last: datetime) -> PageFlow:
    asked = {
        "from_ms": (first - _EPOCH) // _MILLISECOND,
        "to_ms": (last - _EPOCH) // _MILLISECOND,
        "slo_ids": [int(watched.id) for watched in some],
    }

    def page(number: int) -> PageRequest:
        return PageRequest(_WINDOWS, method="POST", body=msgspec.json.encode({**asked, "page": number}))

    return numbered_requests(page)


def _slo_list(response: HttpResponse) -> tuple[Sequence[bytes], PageSeen]:
    records, envelope = records_in(response.body, "slos")
    number = _number(envelope, "page")
    following = str(number + 1) if number < _number(envelope, "total_pages") else None
    return records, PageSeen(len(records), following, content=content_of(records))


def _number(envelope: Mapping[str, msgspec.Raw], name: str) -> int:
    value = field_of(envelope, name, int)
    if not isinstance(value, int):
        # without it a list would seem to end here
        raise UnusableBody(f"no {name!r}")
    return value


def _watched(record: bytes) -> Watched:
    slo = decoded(_Slo, record)
    archived_at = instant_of_ms(slo.modified_ms) if slo.archived else None
    # digits of one length, so that their order as text is that of the numbers
    return watched(f"{slo.slo_id:0{_ID_DIGITS}d}", instant_of_ms(slo.created_ms), archived_at)


def _window_days(timeframe: str) -> int | None:
    if timeframe == "calendar_month":
        return None
    days = timeframe.removesuffix("d")
    if days == timeframe or not (days.isascii() and days.isdecimal() and len(days) < 5):
        raise Refused("wrong_type", f"a timeframe of {timeframe!r}")
    return int(days)


class Vantage(ByContract):
    """SLOs and their windows."""

    def __init__(self) -> None:
        super().__init__({"slo_objectives": _Slos(), "slo_measurements": _Hours()})
