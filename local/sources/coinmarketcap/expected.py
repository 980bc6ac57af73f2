"""What a correct reader of the listings holds of a moment, as plain rows, told from the market, not from any page."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from local.sources.coinmarketcap.market import Market, minute_of


class ListingRow(TypedDict):
    """One coin at one minute, in US dollars; `max_supply` None is unlimited or unknown."""

    id: int
    symbol: str
    name: str
    rank: int
    price: float
    market_cap: float
    volume_24h: float
    circulating_supply: float
    max_supply: float | None
    last_updated: datetime


def expected_listings(market: Market, now: datetime) -> list[ListingRow]:
    """Every coin that is listed in the minute of `now`, by rank."""
    minute = minute_of(now)
    listed = [c for c in market.coins if c.added_at <= minute and (c.delisted_at is None or minute < c.delisted_at)]
    worth = {coin.id: market.price(coin, minute) * market.supply(coin, minute) for coin in listed}
    ranked = sorted(listed, key=lambda coin: (-worth[coin.id], coin.id))
    return [
        {
            "id": coin.id,
            "symbol": coin.symbol,
            "name": coin.name,
            "rank": rank,
            "price": market.price(coin, minute),
            "market_cap": worth[coin.id],
            "volume_24h": market.volume(coin, minute),
            "circulating_supply": market.supply(coin, minute),
            "max_supply": coin.max_supply,
            "last_updated": minute,
        }
        for rank, coin in enumerate(ranked, start=1)
    ]
