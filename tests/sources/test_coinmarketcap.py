"""Snapshots of a market: the day's latest wins, and what was not read on a day is lost."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.sources.coinmarketcap.expected import expected_listings
from local.sources.coinmarketcap.market import Market
from tests.sources.reading import SEED, START, Reading, doubles

SOURCE = "market_coinmarketcap_listings"
NOON = datetime(2026, 3, 15, 12, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(SEED, START)


@pytest.fixture
def reading() -> Iterator[Reading]:
    with doubles(NOON) as served:
        yield Reading(served)


def _held(reading: Reading, at: datetime) -> dict[int, dict[str, Any]]:
    names = ("symbol", "name", "rank", "price", "market_cap", "volume_24h", "circulating_supply", "max_supply")
    return {
        row["listing_id"]: {name: row[name] for name in names} | {"last_updated": row["last_updated_at"]}
        for row in reading.rows(SOURCE)
        if row["fetched_on"] == at.date()
    }


def _right(market: Market, at: datetime) -> dict[int, dict[str, Any]]:
    return {row["id"]: {n: v for n, v in row.items() if n != "id"} for row in expected_listings(market, at)}


def test_a_snapshot_a_day(reading: Reading, market: Market) -> None:
    """Each stays as it was; coins come and go."""
    moments = [NOON + n * 20 * DAY for n in range(5)]
    for at in moments:
        reading.read(SOURCE, at)
    for at in moments:
        assert _held(reading, at) == _right(market, at)
    assert {row["fetched_at"] for row in reading.rows(SOURCE)} == set(moments)
    listed = [set(_right(market, at)) for at in moments]
    assert listed[0] - listed[-1]
    assert listed[-1] - listed[0]


@pytest.mark.parametrize("earlier_is_late", [False, True])
def test_of_several_snapshots_a_day_the_latest_wins(market: Market, earlier_is_late: bool) -> None:
    """Also when the earlier one is loaded later."""
    later = NOON + timedelta(hours=3)
    with doubles(NOON) as served:
        reading = Reading(served, cron="0 * * * *")
        reading.read(SOURCE, NOON, load=not earlier_is_late)
        (earlier,) = reading.landing.list(f"landing/{SOURCE}/")
        reading.read(SOURCE, later)
        reading.load(earlier.name)
    assert _held(reading, NOON) == _right(market, later) != _right(market, NOON)


def test_a_null_in_the_first_row_says_nothing_of_the_others(reading: Reading) -> None:
    """The largest coin has no max_supply; the column is a number all the same."""
    reading.read(SOURCE, NOON)
    (stored,) = reading.landing.list(f"landing/{SOURCE}/")
    found = reading.landing.read(stored.name)
    assert found is not None
    column = pq.read_table(io.BytesIO(found[0]))["MAX_SUPPLY"]
    assert column.type == pa.float64()
    assert 0 < column.null_count < len(column)


def test_pages_make_one_snapshot(market: Market) -> None:
    """Of one instant, whatever the number of pages, a last one that is full included."""
    size = len(_right(market, NOON))
    for page_size in (7, size, size - 1):
        with doubles(NOON) as served:
            reading = Reading(served, page_size=page_size)
            reading.read(SOURCE, NOON)
        assert _held(reading, NOON) == _right(market, NOON)
        assert len({row["fetched_at"] for row in reading.rows(SOURCE)}) == 1
