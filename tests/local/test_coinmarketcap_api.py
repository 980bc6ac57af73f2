"""CoinMarketCap's contract as docs/sources/coinmarketcap.md has it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.sources.coinmarketcap.api import CoinMarketCap
from local.sources.coinmarketcap.credits import Ledger, Plan
from local.sources.coinmarketcap.expected import expected_listings
from local.sources.coinmarketcap.market import Market
from local.sources.coinmarketcap.paths import COINMARKETCAP, LISTS, SECRET
from local.sources.kit.family import Family
from tests.local.opened_doubles import FAMILIES, NOW, SEED, START, Opened, RecordedPage, opened, recorded

LISTINGS = "/v1/cryptocurrency/listings/latest"
MARKET = Market(SEED, START)


@pytest.fixture(scope="module")
def served() -> Iterator[Opened]:
    with opened(FAMILIES["coinmarketcap"]) as double:
        yield double


@pytest.fixture
def double(served: Opened) -> Opened:
    served.clock.now = NOW
    served.arm()
    return served


def read_all(double: Opened, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        page = double.get(LISTINGS, start=len(rows) + 1, limit=limit)["data"]
        rows += page
        if len(page) < limit:
            return rows


@pytest.mark.parametrize(("key", "code"), [("", 1002), ("wrong", 1001)])
def test_a_missing_or_wrong_key_is_refused(double: Opened, key: str, code: int) -> None:
    """401 with a code that tells which."""
    refused = double.client.get(LISTINGS, headers={"X-CMC_PRO_API_KEY": key})
    assert refused.status_code == 401
    assert refused.json()["status"]["error_code"] == code
    assert "data" not in refused.json()


@pytest.mark.parametrize("limit", [7, 100, 5000])
def test_the_pages_joined_are_the_listings(double: Opened, limit: int) -> None:
    """By market capitalisation, every listed coin once."""
    rows = read_all(double, limit)
    expected = expected_listings(MARKET, NOW)
    assert [row["id"] for row in rows] == [e["id"] for e in expected]
    for row, e in zip(rows, expected, strict=True):
        quote = row["quote"]["USD"]
        assert (row["symbol"], row["name"], row["cmc_rank"]) == (e["symbol"], e["name"], e["rank"])
        assert (quote["price"], quote["market_cap"], quote["volume_24h"]) == (
            e["price"],
            e["market_cap"],
            e["volume_24h"],
        )
        assert (row["max_supply"], row["circulating_supply"]) == (e["max_supply"], e["circulating_supply"])
        assert datetime.fromisoformat(row["last_updated"]) == e["last_updated"]


def test_the_first_row_has_no_max_supply(double: Opened) -> None:
    """A type guessed from it would be wrong for the second."""
    rows = read_all(double, 5000)
    assert rows[0]["max_supply"] is None
    assert any(row["max_supply"] is not None for row in rows)
    assert any(row["platform"] for row in rows)
    assert any(row["total_supply"] is None for row in rows)
    assert any(row["tags"] == [] for row in rows)


def test_symbols_are_not_unique(double: Opened) -> None:
    """Ids are."""
    rows = read_all(double, 5000)
    assert max(Counter(row["symbol"] for row in rows).values()) > 2
    assert len({row["id"] for row in rows}) == len({row["slug"] for row in rows}) == len(rows)


def test_prices_span_many_magnitudes(double: Opened) -> None:
    """From parts of a cent, written with an exponent, to tens of thousands."""
    body = double.client.get(LISTINGS, params={"limit": 5000}).text
    prices = [row["quote"]["USD"]["price"] for row in json.loads(body)["data"]]
    assert min(prices) < 1e-6
    assert max(prices) > 1e3
    assert "e-" in body


def test_a_minute_is_one_answer(double: Opened) -> None:
    """The cache's: within it only `status.timestamp` moves on; in the next every price has moved."""
    double.clock.now = NOW.replace(second=1)
    first = double.get(LISTINGS)
    double.clock.now = NOW.replace(second=59)
    second = double.get(LISTINGS)
    assert first["data"] == second["data"]
    assert first["status"]["timestamp"] != second["status"]["timestamp"]
    double.clock.now = NOW + timedelta(minutes=1)
    third = double.get(LISTINGS)
    for before, after in zip(first["data"], third["data"], strict=True):
        assert before["quote"]["USD"]["price"] != after["quote"]["USD"]["price"]


def test_coins_come_and_go(double: Opened) -> None:
    """What is delisted is gone from the listings; what is new has no change since before it came."""
    listed = []
    for days in (1, 60, 320):
        double.clock.now = START + timedelta(days=days)
        listed.append({row["id"]: row for row in read_all(double, 5000)})
    assert listed[0].keys() - listed[2].keys()
    assert listed[2].keys() - listed[0].keys()
    new = [row for i, row in listed[1].items() if i not in listed[0]]
    assert new
    for row in new:
        quote = row["quote"]["USD"]
        assert quote["percent_change_90d"] is None
        assert datetime.fromisoformat(row["date_added"]) > START


def test_changes_are_those_of_the_prices() -> None:
    """Against the price of then."""
    for quote in MARKET.quotes(NOW)[:20]:
        before = MARKET.price(quote.coin, NOW - timedelta(days=7))
        assert quote.changes["percent_change_7d"] == pytest.approx((quote.price / before - 1) * 100)
    assert sum(quote.dominance for quote in MARKET.quotes(NOW)) == pytest.approx(100)


def test_the_same_seed_gives_the_same_market() -> None:
    """In whatever order it is asked."""
    other = Market(SEED, START)
    later = expected_listings(other, NOW + timedelta(days=9))
    assert expected_listings(other, NOW) == expected_listings(MARKET, NOW)
    assert later == expected_listings(MARKET, NOW + timedelta(days=9))
    assert expected_listings(Market(SEED + 1, START), NOW) != expected_listings(MARKET, NOW)


def test_other_currencies_cost_more(double: Opened) -> None:
    """A credit for 200 rows begun, and one for each currency beyond the first."""
    body = double.get(LISTINGS, limit=5000, convert="USD,EUR")
    assert body["status"]["credit_count"] == 2
    quote = body["data"][0]["quote"]
    assert quote["EUR"]["price"] == pytest.approx(quote["USD"]["price"] * 0.92)
    assert quote["EUR"]["percent_change_24h"] == quote["USD"]["percent_change_24h"]
    assert double.get(LISTINGS, start=10_000)["status"]["credit_count"] == 1


@pytest.mark.parametrize(
    "query", ["start=0", "limit=0", "limit=5001", "limit=x", "convert=XXX", "sort=odd", "sort_dir=up"]
)
def test_a_parameter_that_can_not_be_used_is_refused(double: Opened, query: str) -> None:
    """400, and the code says so too."""
    refused = double.client.get(f"{LISTINGS}?{query}")
    assert refused.status_code == 400
    assert refused.json()["status"]["error_code"] == 400
    assert refused.json()["status"]["error_message"]


def test_listings_can_be_sorted(double: Opened) -> None:
    """By name up, or by price down, for instance."""
    names = [row["name"] for row in double.get(LISTINGS, sort="name", sort_dir="asc", limit=5000)["data"]]
    assert names == sorted(names)
    prices = [row["quote"]["USD"]["price"] for row in double.get(LISTINGS, sort="price", limit=5000)["data"]]
    assert prices == sorted(prices, reverse=True)


def test_an_error_can_come_with_status_200(double: Opened) -> None:
    """Only the body tells."""
    double.arm({"action": "status", "status": 200})
    body = double.get(LISTINGS)
    assert body["status"]["error_code"] == 500
    assert "data" not in body


@pytest.mark.parametrize(
    ("retry_after", "code"), [(None, 1008), ("60", 1008), ("3600", 1009), ("86400", 1009), ("86401", 1010)]
)
def test_a_429_is_for_the_minute_or_for_long(double: Opened, retry_after: str | None, code: int) -> None:
    """Of a fault, how long it lasts says which limit it is."""
    double.arm({"action": "status", "status": 429, "retry_after": retry_after})
    refused = double.client.get(LISTINGS)
    assert (refused.status_code, refused.json()["status"]["error_code"]) == (429, code)
    assert refused.headers.get("retry-after") == retry_after


def test_thirty_requests_a_minute() -> None:
    """1008, and waiting as long as told helps."""
    with opened(FAMILIES["coinmarketcap"], rate_limited=True) as double:
        answers = [double.client.get(LISTINGS, params={"limit": 1}) for _ in range(31)]
        assert [a.status_code for a in answers] == [200] * 30 + [429]
        assert answers[-1].json()["status"]["error_code"] == 1008
        double.wall[0] += int(answers[-1].headers["retry-after"])
        assert double.client.get(LISTINGS).status_code == 200


@pytest.mark.parametrize(
    ("plan", "code", "wait"),
    [
        (Plan(credits_a_day=3), 1009, timedelta(days=1)),
        (Plan(credits_a_month=3), 1010, timedelta(days=31)),
    ],
)
def test_credits_run_out_for_the_day_or_the_month(plan: Plan, code: int, wait: timedelta) -> None:
    """A minute's wait doesn't help, and none is told."""
    family = Family(COINMARKETCAP, (SECRET,), LISTS, lambda s: CoinMarketCap(s, Market(s.seed, START), plan).opened())
    with opened(family, rate_limited=True) as double:
        for _ in range(3):
            assert double.get(LISTINGS)["status"]["credit_count"] == 1
        assert double.client.get("/v1/key/info").status_code == 429
        for later in (0, 61):
            double.wall[0] += later
            refused = double.client.get(LISTINGS)
            assert (refused.status_code, refused.json()["status"]["error_code"]) == (429, code)
            assert "retry-after" not in refused.headers
        double.wall[0] += wait.total_seconds()
        assert double.client.get(LISTINGS).status_code == 200


def test_limits_are_lifted_at_their_turn() -> None:
    """The minute's at the next minute, the day's at midnight, the month's on the first (UTC)."""
    at = datetime.fromisoformat("2026-12-31T23:59:30.500Z").timestamp()
    ledger = Ledger(lambda: at, Plan())
    assert [ledger.seconds_until_reset(code) for code in (1008, 1009, 1010)] == [30, 30, 30]
    at = datetime.fromisoformat("2026-02-10T12:00:00Z").timestamp()
    assert [ledger.seconds_until_reset(code) for code in (1008, 1009, 1010)] == [60, 12 * 3600, (18 * 24 + 12) * 3600]


def test_the_key_tells_what_it_has_used() -> None:
    """Beside the plan's limits."""
    with opened(FAMILIES["coinmarketcap"], rate_limited=True) as double:
        double.get(LISTINGS)
        told = double.get("/v1/key/info")["data"]
        assert told["usage"]["current_day"] == {"credits_used": 1}
        assert told["usage"]["current_minute"] == {"requests_made": 2}
        assert told["plan"]["rate_limit_minute"] == 30


def test_pages_can_be_hostile(double: Opened) -> None:
    """Broken records, a page that comes again, an empty page that isn't the last."""
    double.arm({"action": "corrupt_record", "record": {"quote.USD.price": {"$raw": "NaN"}, "id": "1"}})
    assert '"price":NaN' in double.client.get(LISTINGS).text
    double.arm({"action": "loop_cursor"})
    assert double.get(LISTINGS, start=11, limit=10)["data"] == double.get(LISTINGS, limit=10)["data"]
    double.arm({"action": "empty_page_with_cursor"})
    assert double.get(LISTINGS)["data"] == []
    assert double.get(LISTINGS)["data"]


@pytest.mark.parametrize("page", recorded("coinmarketcap"), ids=lambda page: page.name)
def test_a_recorded_page_is_what_the_double_shows(double: Opened, page: RecordedPage) -> None:
    """A page that no longer comes from anywhere would let its readers' tests pass for nothing."""
    assert page.answer(double) == json.loads(page.file.read_text(encoding="utf-8"))
