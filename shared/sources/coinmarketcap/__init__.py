"""CoinMarketCap: a market as it stands at the moment of asking."""

from shared.sources.coinmarketcap.family import CoinMarketCap

__all__ = ["CoinMarketCap"]
