"""CoinMarketCap as a family of the common server."""

from __future__ import annotations

from datetime import datetime

from local.sources.coinmarketcap.api import CoinMarketCap
from local.sources.coinmarketcap.market import Market
from local.sources.coinmarketcap.paths import COINMARKETCAP, LISTS, SECRET
from local.sources.kit.family import Family, OpenedDouble, Surroundings


def coinmarketcap_family(start: datetime) -> Family:
    """A market that is watched from `start` on."""

    def open_double(surroundings: Surroundings) -> OpenedDouble:
        return CoinMarketCap(surroundings, Market(surroundings.seed, start)).opened()

    return Family(COINMARKETCAP, (SECRET,), LISTS, open_double)
