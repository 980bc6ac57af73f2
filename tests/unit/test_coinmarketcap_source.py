"""CoinMarketCap: errors by the body, one instant a snapshot, numbers of any size."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.errors import AuthenticationFailed, PaginationLoop, RequestRefused
from shared.extract.pages import PageRequest
from shared.extract.sender import Throttled, UnusableBody
from tests.support.source_pages import as_dicts, changed, fixture, rows_of, source, split, walk

CMC = source("market_coinmarketcap_listings")
FIRST = PageRequest("/v1/cryptocurrency/listings/latest", (("start", "1"), ("limit", "5000")))
PAGE = fixture("coinmarketcap", "listings_page")


def _page(count: int, first: int = 1, at: str = "2026-03-15T12:00:00.000Z") -> bytes:
    body = json.loads(PAGE)
    body["status"]["timestamp"] = at
    body["data"] = [{**body["data"][0], "id": first + n} for n in range(count)]
    return json.dumps(body).encode()


def _refusal(code: int) -> bytes:
    return changed(fixture("coinmarketcap", "refused"), "status.error_code", code)


def test_a_listing_is_a_row_of_the_day() -> None:
    """The day is that of the provider's clock."""
    first = as_dicts(rows_of(CMC, split(CMC, FIRST, PAGE)))[0]
    assert (first["provider"], first["listing_id"], first["symbol"]) == ("coinmarketcap", 1037, "LANT")
    assert first["fetched_on"] == date(2026, 3, 15)
    assert first["fetched_at"] == datetime(2026, 3, 15, 12, tzinfo=UTC)
    assert (first["price"], first["currency"], first["rank"]) == (652.4168776281932, "USD", 1)
    assert first["max_supply"] is None


def test_pages_around_midnight_are_one_snapshot() -> None:
    """Of the first page's day."""
    pages = [split(CMC, FIRST, _page(2, 1, "2026-03-14T23:59:59.900Z")), split(CMC, FIRST, _page(2, 3))]
    rows = as_dicts(rows_of(CMC, *pages))
    assert {row["fetched_on"] for row in rows} == {date(2026, 3, 14)}
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("number", "value"), [("1e-12", 1e-12), ("90000", 9e4), ("9007199254740993000000000", 9.007199254740993e24)]
)
def test_numbers_of_any_size_are_floats(number: str, value: float) -> None:
    """Also whole ones beyond 64 bits."""
    page = json.loads(PAGE)
    page["data"][0]["max_supply"] = page["data"][0]["quote"]["USD"]["price"] = "@"
    body = json.dumps(page).replace('"@"', number).encode()
    first = as_dicts(rows_of(CMC, split(CMC, FIRST, body)))[0]
    assert (first["price"], first["max_supply"]) == (value, value)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("id", "1", "wrong_type"),
        ("symbol", None, "wrong_type"),
        ("quote", {}, "missing_value"),
        ("quote.USD.price", "12", "wrong_type"),
        ("date_added", "2026", "wrong_type"),
        ("tags", None, "wrong_type"),
    ],
)
def test_a_listing_that_breaks_the_contract_is_rejected_alone(place: str, value: Any, reason: str) -> None:
    """The others of the snapshot are rows."""
    rows = rows_of(CMC, split(CMC, FIRST, changed(PAGE, f"data.0.{place}", value)))
    assert [rejection.reason for rejection in rows.rejections] == [reason]
    assert rows.count == len(json.loads(PAGE)["data"]) - 1


def test_one_that_is_no_json_costs_only_itself() -> None:
    """The status beside the list is read all the same."""
    page = PAGE.replace(b'"num_market_pairs": 8935', b'"num_market_pairs": NaN')
    rows = rows_of(CMC, split(CMC, FIRST, page))
    assert [rejection.reason for rejection in rows.rejections] == ["not_json"]


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, AuthenticationFailed) for code in range(1001, 1008)),
        (1008, Throttled),
        (1009, RequestRefused),
        (1010, RequestRefused),
        (1011, Throttled),
        (400, RequestRefused),
        (500, UnusableBody),
        (9999, UnusableBody),
    ],
)
def test_an_error_is_told_by_its_code_whatever_the_status(status: int, code: int, error: type[Exception]) -> None:
    """Only the minute's limit is worth waiting for."""
    with pytest.raises(error) as caught:
        split(CMC, FIRST, _refusal(code), status)
    if isinstance(caught.value, Throttled):
        assert caught.value.seconds == 60


def test_the_wait_that_is_asked_for_is_kept() -> None:
    """Where the vendor says how long."""
    with pytest.raises(Throttled) as caught:
        split(CMC, FIRST, _refusal(1008), 429, {"retry-after": "7"})
    assert caught.value.seconds == 7


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"<html>",
        b'{"status": {}, "data": []}',
        b'{"data": []}',
        _page(0),
        PAGE[:-20],
        _page(1, 1, "0001-01-01T00:00:00+05:00"),
    ],
)
def test_what_is_no_snapshot_is_asked_for_again(body: bytes) -> None:
    """A market without a single listing included."""
    with pytest.raises(UnusableBody):
        split(CMC, FIRST, body)


def test_a_limit_without_a_body_is_a_fault() -> None:
    """As a front end may answer."""
    with pytest.raises(UnusableBody):
        split(CMC, FIRST, b"slow down", 429)


@pytest.mark.parametrize(("total", "starts"), [(2, ["1"]), (3, ["1", "4"]), (7, ["1", "4", "7"])])
def test_pages_are_read_until_one_is_not_full(total: int, starts: list[str]) -> None:
    """An empty last page is fine, an empty first one is not."""
    of = source("market_coinmarketcap_listings", page_size=3)

    def answer(request: PageRequest) -> bytes:
        start = int(dict(request.query)["start"])
        return _page(max(0, min(3, total - start + 1)), start)

    requests = walk(of, answer)
    assert [dict(request.query)["start"] for request in requests] == starts
    assert all(request.limit_in_body and request.scope == ("snapshot",) for request in requests)
    assert dict(requests[0].query)["sort"] == "date_added"


def test_a_page_that_comes_again_is_a_loop() -> None:
    """Full pages without end would be read for ever."""
    of = source("market_coinmarketcap_listings", page_size=3)
    with pytest.raises(PaginationLoop, match="the same records"):
        walk(of, lambda _: _page(3))
