"""The latest listings: snapshots without a filter, errors told in the body whatever the status."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from shared.contracts.market_listings import MARKET_LISTINGS
from shared.errors import AuthenticationFailed, RequestRefused
from shared.extract.pages import PageFlow, PageRequest, PageSeen, content_of, offset_pages, relabelled, within_scope
from shared.extract.retry import asked_wait
from shared.extract.sender import Throttled, UnusableBody
from shared.ports import HttpResponse
from shared.registry.coinmarketcap import CoinMarketCapSettings
from shared.registry.model import Source
from shared.sources.envelope import field_of, records_in
from shared.sources.family import ExtractionRange, RawPage, Rows, Send
from shared.sources.record import Instant, Refused, decoded, known_fields, plausible
from shared.sources.settings import typed_settings
from shared.sources.table import Row, Table

_LISTINGS = "/v1/cryptocurrency/listings/latest"
_KEY_ERRORS = range(1001, 1008)
_MINUTES_LIMITS = (1008, 1011)
_SPENT = {1009: "day", 1010: "month"}
_MINUTE_SECONDS = 60.0


class _Status(Struct, frozen=True):
    timestamp: Instant
    error_code: int
    error_message: str | None = None


class _Quote(Struct, frozen=True):
    price: float | None = None
    volume_24h: float | None = None
    market_cap: float | None = None
    market_cap_dominance: float | None = None
    fully_diluted_market_cap: float | None = None
    percent_change_1h: float | None = None
    percent_change_24h: float | None = None
    percent_change_7d: float | None = None
    percent_change_30d: float | None = None


class _Listing(Struct, frozen=True):
    id: int
    name: str
    symbol: str
    quote: dict[str, Raw]
    slug: str | None = None
    cmc_rank: int | None = None
    num_market_pairs: int | None = None
    circulating_supply: float | None = None
    total_supply: float | None = None
    max_supply: float | None = None
    infinite_supply: bool | None = None
    date_added: Instant | None = None
    last_updated: Instant | None = None
    tags: list[str] = []


_FIELDS = known_fields(
    _Listing,
    *("platform", "self_reported_circulating_supply", "self_reported_market_cap", "tvl_ratio", "minted_market_cap"),
)
_QUOTED = tuple(_Quote.__struct_fields__)


class CoinMarketCap:
    """`GET /v1/cryptocurrency/listings/latest`."""

    def verify(self, source: Source, send: Send) -> None:
        """Nothing to verify: the first page tells whether the key is good."""

    def pages(self, source: Source, _extraction: ExtractionRange, _resume: str) -> PageFlow:
        """The whole market as one snapshot: when its pages cannot all be read, it is taken anew.

        By the day that they were added, since ranks change from minute to minute.
        """
        currency = typed_settings(CoinMarketCapSettings, source).currency
        query = (("convert", currency), ("sort", "date_added"), ("sort_dir", "asc"))
        listing = offset_pages(_LISTINGS, query, offset="start", limit="limit", size=source.page_size, first=1)
        return within_scope(_with_limits_told(listing), ("snapshot",), "")

    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """`data`, and in `status` the instant of the snapshot.

        Raises AuthenticationFailed, RequestRefused (also when the day's credits are spent), Throttled for the minute's
        limit, and UnusableBody for any other error and for a market without listings.
        """
        status = _status(response)
        if status.error_code or response.status != 200:
            raise _error(source, status, asked_wait(response.headers, status.timestamp))
        records, _ = records_in(response.body, "data")
        if not records and dict(request.query)["start"] == "1":
            raise UnusableBody("a market without a single listing")
        seen = PageSeen(len(records), content=content_of(records))
        return RawPage(records, seen, {"fetched_at": status.timestamp})

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Listings as rows of one snapshot, that of its first page."""
        settings = typed_settings(CoinMarketCapSettings, source)
        fetched_at: datetime = min(page.context["fetched_at"] for page in pages).astimezone(UTC)
        table = Table(MARKET_LISTINGS, extraction, skips=False)

        def convert(record: bytes, payload: str) -> Iterable[Row]:
            listing = decoded(_Listing, record)
            values = _values(listing, settings.currency)
            snapshot = {"provider": settings.provider, "fetched_on": fetched_at.date(), "fetched_at": fetched_at}
            yield Row({**values, **snapshot, "currency": settings.currency}, payload)

        table.add_pages(pages, convert, _FIELDS)
        return table.rows()


def _with_limits_told(flow: PageFlow) -> PageFlow:
    """The flow's requests; of those over a limit the body tells which one."""
    return relabelled(flow, lambda request: replace(request, limit_in_body=True))


def _status(response: HttpResponse) -> _Status:
    try:
        envelope = msgspec.json.decode(response.body, type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError):
        # one unreadable listing; the status is beside the list
        envelope = dict(records_in(response.body, "data")[1])
    status = field_of(envelope, "status", _Status)
    if not isinstance(status, _Status):
        raise UnusableBody("no status")
    try:
        plausible("timestamp", status.timestamp)
    except Refused as exc:
        raise UnusableBody(str(exc)) from exc
    return status


def _error(source: Source, status: _Status, asked: float | None) -> Exception:
    code, what = status.error_code, f"{source.name}: error {status.error_code}: {status.error_message}"
    if code in _KEY_ERRORS:
        return AuthenticationFailed(
            f"{what}; put a valid key, whose plan has the listings, into secret {source.secret!r}", secret=source.secret
        )
    if code in _SPENT:
        return RequestRefused(
            f"{what}; the credits of the {_SPENT[code]} are spent: this snapshot is lost, the next window takes one"
        )
    if code in _MINUTES_LIMITS:
        return Throttled(what, _MINUTE_SECONDS if asked is None else asked)
    if code == 400:
        return RequestRefused(f"{what}; a parameter is wrong, a retry will not help")
    return UnusableBody(what)


def _values(listing: _Listing, currency: str) -> Mapping[str, object]:
    if currency not in listing.quote:
        raise Refused("missing_value", f"no quote in {currency}")
    quote = decoded(_Quote, listing.quote[currency])
    return {
        "listing_id": listing.id,
        "symbol": listing.symbol,
        "name": listing.name,
        "slug": listing.slug,
        "rank": listing.cmc_rank,
        "market_pairs": listing.num_market_pairs,
        "circulating_supply": listing.circulating_supply,
        "total_supply": listing.total_supply,
        "max_supply": listing.max_supply,
        "is_supply_infinite": listing.infinite_supply,
        "listed_at": listing.date_added,
        "last_updated_at": listing.last_updated,
        "tags": listing.tags,
        **{name: getattr(quote, name) for name in _QUOTED},
    }
