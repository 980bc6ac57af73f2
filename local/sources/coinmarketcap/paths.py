"""Where CoinMarketCap answers, and which of its lists the faults can act on."""

from __future__ import annotations

from local.sources.kit.faults import ListPaths

COINMARKETCAP = "coinmarketcap"
SECRET = "coinmarketcap"  # noqa: S105 - the reference of a secret, not its value
LISTINGS = "/v1/cryptocurrency/listings/latest"
KEY_INFO = "/v1/key/info"
LISTS = ListPaths(records=(LISTINGS,), paged=(LISTINGS,))
