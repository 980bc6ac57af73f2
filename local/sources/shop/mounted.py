"""The shop as a family of the common server."""

from __future__ import annotations

from datetime import datetime

from local.sources.kit.family import Family, OpenedDouble, Surroundings
from local.sources.shop.api import Shop
from local.sources.shop.paths import LISTS, SECRET, SHOP
from local.sources.shop.world import ShopWorld


def shop_family(start: datetime) -> Family:
    """A shop that opened at `start`, a UTC midnight."""

    def open_double(surroundings: Surroundings) -> OpenedDouble:
        return Shop(surroundings, ShopWorld(surroundings.seed, start)).opened()

    return Family(SHOP, (SECRET,), LISTS, open_double)
