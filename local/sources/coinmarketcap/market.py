"""The market: invented coins whose prices at any instant follow from the seed alone.

A price is a sum of waves of different lengths with a little noise a minute, so that it needs no history: the change
since yesterday is today's price against yesterday's, both computed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random

CACHE = timedelta(seconds=60)
"""Answers are made once a minute."""
_HOURS = (5, 29, 24 * 7, 24 * 40, 24 * 300)
_SWINGS = (0.004, 0.015, 0.05, 0.12, 0.35)
_WORDS = ("Lantern", "Pebble", "Orbit", "Fjord", "Saffron", "Cobalt", "Maple", "Quill", "Tundra", "Velvet", "Zephyr")
_KINDS = ("", " Network", " Protocol", " Cash", " Token")
_TAGS = ("mineable", "smart-contracts", "defi", "memes", "stablecoin", "layer-1", "store-of-value")
_BASE_PLATFORM = 2


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin. `symbol` isn't unique; `max_supply` None is unlimited or unknown; quoted in [added_at, delisted_at)."""

    id: int
    name: str
    symbol: str
    slug: str
    price: float
    supply: float
    emission_a_year: float
    total_supply: float | None
    max_supply: float | None
    infinite_supply: bool
    added_at: datetime
    delisted_at: datetime | None
    tags: tuple[str, ...]
    platform: int | None
    pairs: int
    turnover: float
    phases: tuple[float, ...]
    tied: bool

    def listed(self, now: datetime) -> bool:
        """Whether the listings have it at `now`."""
        return self.added_at <= now and (self.delisted_at is None or now < self.delisted_at)


def draw_coins(seed: int, start: datetime, size: int) -> tuple[Coin, ...]:
    """`size` coins. The largest by far has no `max_supply`; some come after `start`, some go."""
    return tuple(_coin(Random(f"{seed}/coin/{number}"), start, number) for number in range(1, size + 1))


def _coin(rng: Random, start: datetime, number: int) -> Coin:
    word = _WORDS[(number - 1) % len(_WORDS)]
    kind = _KINDS[(number - 1) // len(_WORDS) % len(_KINDS)]
    again = (number - 1) // (len(_WORDS) * len(_KINDS))
    name = f"{word}{kind}" + (f" {again + 1}" if again else "")
    # every coin of one first word shares its symbol: the id alone tells them apart
    symbol = word[:4].upper()
    worth = (3e12 if number == 1 else 1.2e12) / math.pow(number, 1.6)
    tied = number % 13 == 5
    price = 1.0 if tied else math.exp(rng.uniform(math.log(1e-8), math.log(9e4)))
    supply = worth / price
    late, leaves = number % 7 == 6, number % 11 == 10
    added_at = start + timedelta(days=rng.randint(20, 200), hours=rng.randrange(24)) if late else start
    limited = number != 1 and rng.random() < 0.55
    return Coin(
        id=number * 37 + 1000,
        name=name,
        symbol=symbol,
        slug=name.lower().replace(" ", "-"),
        price=price,
        supply=supply,
        emission_a_year=0.0 if tied else rng.uniform(0.0, 0.06),
        total_supply=None if rng.random() < 0.05 else supply * rng.uniform(1.2, 1.6),
        max_supply=round(supply * 2) if limited else None,
        infinite_supply=not limited and number != 1,
        # what is old was listed long before the world begins
        added_at=added_at if late else start - timedelta(days=rng.randint(200, 4000)),
        delisted_at=start + timedelta(days=rng.randint(60, 300), hours=rng.randrange(24)) if leaves else None,
        tags=tuple(rng.sample(_TAGS, rng.randint(0, 3))),
        platform=_BASE_PLATFORM if number % 3 == 0 else None,
        pairs=rng.randint(3, 11_000 // number + 5),
        turnover=rng.uniform(0.005, 0.25),
        phases=tuple(rng.random() for _ in _HOURS),
        tied=tied,
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """A coin in US dollars at one minute; a change is None when the coin wasn't listed that long ago."""

    coin: Coin
    rank: int
    at: datetime
    price: float
    volume_24h: float
    volume_change_24h: float
    changes: dict[str, float | None]
    circulating_supply: float
    market_cap: float
    dominance: float


_SPANS = {
    "percent_change_1h": timedelta(hours=1),
    "percent_change_24h": timedelta(hours=24),
    "percent_change_7d": timedelta(days=7),
    "percent_change_30d": timedelta(days=30),
    "percent_change_60d": timedelta(days=60),
    "percent_change_90d": timedelta(days=90),
}


class Market:
    """Every coin's price, volume and supply at any instant; all is the same within a minute."""

    def __init__(self, seed: int, start: datetime, *, size: int = 120) -> None:
        self.start = start.astimezone(UTC)
        self.coins = draw_coins(seed, self.start, size)
        self._seed = seed
        self._quotes = lru_cache(4)(self._draw_quotes)

    def quotes(self, now: datetime) -> tuple[Quote, ...]:
        """Every listed coin as of the minute of `now`, by rank (market capitalisation, largest first)."""
        return self._quotes(minute_of(now))

    def price(self, coin: Coin, now: datetime) -> float:
        """US dollars for one coin, in the minute of `now`."""
        minute = minute_of(now)
        noise = Random(f"{self._seed}/{coin.id}/{minute.isoformat()}").gauss(0, 0.001)
        if coin.tied:
            return coin.price * (1 + noise / 2)
        hours = (minute - self.start) / timedelta(hours=1)
        waves = zip(_HOURS, _SWINGS, coin.phases, strict=True)
        return coin.price * math.exp(noise + sum(s * math.sin(2 * math.pi * (hours / h + p)) for h, s, p in waves))

    def supply(self, coin: Coin, now: datetime) -> float:
        """Coins in circulation; grows slowly, never above the maximum."""
        years = (minute_of(now) - self.start) / timedelta(days=365)
        grown = coin.supply * (1 + coin.emission_a_year * max(0.0, years))
        return min(grown, coin.max_supply) if coin.max_supply is not None else grown

    def volume(self, coin: Coin, now: datetime) -> float:
        """What was traded in the 24 hours before `now`, in US dollars."""
        day = (minute_of(now) - self.start) / timedelta(days=1)
        wave = 1 + 0.5 * math.sin(2 * math.pi * (day / 7 + coin.phases[0]))
        return self.price(coin, now) * self.supply(coin, now) * coin.turnover * wave

    def _draw_quotes(self, minute: datetime) -> tuple[Quote, ...]:
        listed = [coin for coin in self.coins if coin.listed(minute)]
        worth = {coin.id: self.price(coin, minute) * self.supply(coin, minute) for coin in listed}
        everything = sum(worth.values())
        by_worth = sorted(listed, key=lambda coin: (-worth[coin.id], coin.id))
        return tuple(
            Quote(
                coin=coin,
                rank=rank,
                at=minute,
                price=self.price(coin, minute),
                volume_24h=self.volume(coin, minute),
                volume_change_24h=_percent(self.volume(coin, minute), self.volume(coin, minute - timedelta(days=1))),
                changes=dict(self._changes(coin, minute)),
                circulating_supply=self.supply(coin, minute),
                market_cap=worth[coin.id],
                dominance=worth[coin.id] / everything * 100,
            )
            for rank, coin in enumerate(by_worth, start=1)
        )

    def _changes(self, coin: Coin, minute: datetime) -> Iterator[tuple[str, float | None]]:
        price = self.price(coin, minute)
        for name, span in _SPANS.items():
            then = minute - span
            yield name, _percent(price, self.price(coin, then)) if then >= coin.added_at else None


def minute_of(instant: datetime) -> datetime:
    """The UTC minute that an instant lies in."""
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


def _percent(now: float, before: float) -> float:
    return (now / before - 1) * 100
