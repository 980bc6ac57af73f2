"""Listings as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local.sources.coinmarketcap.market import Coin, Quote

JsonObject = dict[str, Any]


def vendor_time(instant: datetime) -> str:
    """An instant as the API writes it: always milliseconds, always Z."""
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def listing_object(quote: Quote, platform: Coin | None, rates: dict[str, float]) -> JsonObject:
    """A coin with its quote in each currency; `rates` are what a US dollar is in it."""
    coin = quote.coin
    at = vendor_time(quote.at)
    return {
        "id": coin.id,
        "name": coin.name,
        "symbol": coin.symbol,
        "slug": coin.slug,
        "num_market_pairs": coin.pairs,
        "date_added": vendor_time(coin.added_at),
        "tags": list(coin.tags),
        "max_supply": coin.max_supply,
        "infinite_supply": coin.infinite_supply,
        "circulating_supply": quote.circulating_supply,
        "total_supply": coin.total_supply,
        "platform": None if platform is None else _platform(platform, coin),
        "cmc_rank": quote.rank,
        "self_reported_circulating_supply": None,
        "self_reported_market_cap": None,
        "tvl_ratio": None,
        "last_updated": at,
        "quote": {currency: _quote(quote, rate, at) for currency, rate in rates.items()},
    }


def _platform(platform: Coin, coin: Coin) -> JsonObject:
    address = f"0x{coin.id:040x}"
    named: JsonObject = {"id": platform.id, "name": platform.name, "symbol": platform.symbol, "slug": platform.slug}
    return named | {"token_address": address}


def _quote(quote: Quote, rate: float, at: str) -> JsonObject:
    fully_diluted = quote.price * (quote.coin.max_supply or quote.coin.total_supply or quote.circulating_supply)
    return {
        "price": quote.price * rate,
        "volume_24h": quote.volume_24h * rate,
        "volume_change_24h": quote.volume_change_24h,
        **quote.changes,
        "market_cap": quote.market_cap * rate,
        "market_cap_dominance": round(quote.dominance, 4),
        "fully_diluted_market_cap": fully_diluted * rate,
        "tvl": None,
        "last_updated": at,
    }
