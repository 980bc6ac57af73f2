"""CoinMarketCap over HTTP. Every answer, refusals too, carries a `status` with an `error_code` of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from local.sources.coinmarketcap.credits import DAY_LIMIT, MINUTE_LIMIT, MONTH_LIMIT, Ledger, Plan
from local.sources.coinmarketcap.market import Market, Quote
from local.sources.coinmarketcap.objects import listing_object, vendor_time
from local.sources.coinmarketcap.paths import COINMARKETCAP, KEY_INFO, LISTINGS
from local.sources.kit.family import Surroundings
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal, Vendor

LIMIT_DEFAULT, LIMIT_LARGEST = 100, 5000
ROWS_A_CREDIT = 200
RATES = {"USD": 1.0, "EUR": 0.92, "GBP": 0.79}
SORTS = ("market_cap", "name", "symbol", "date_added", "price", "volume_24h")
_KEY_INVALID, _KEY_MISSING = 1001, 1002
_LIMITS = {
    MINUTE_LIMIT: "You've exceeded your API Key's HTTP request rate limit. Rate limits reset every minute.",
    DAY_LIMIT: "You've exceeded your API Key's daily rate limit.",
    MONTH_LIMIT: "You've exceeded your API Key's monthly rate limit.",
}
_HOUR, _DAY = 3600, 86_400


class CoinMarketCap(Vendor):
    """The API as one key sees it."""

    family = COINMARKETCAP

    def __init__(self, surroundings: Surroundings, market: Market, plan: Plan | None = None) -> None:
        super().__init__(surroundings)
        self._market = market
        self._ledger = Ledger(surroundings.wall_clock, plan or Plan())
        self._references = {key: reference for reference, key in surroundings.keys.items()}

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The listings, and what the key has used."""
        return {("GET", LISTINGS): self._listings, ("GET", KEY_INFO): self._key_info}

    def account_of(self, asked: Asked) -> str:
        """By the header X-CMC_PRO_API_KEY."""
        key = asked.headers.get("x-cmc_pro_api_key")
        if not key:
            raise self._refused(401, _KEY_MISSING, "API key missing.")
        if key not in self._references:
            raise self._refused(401, _KEY_INVALID, "This API Key is invalid.")
        return self._references[key]

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{status: {error_code, error_message, …}}`.

        A status below 400 is an error all the same, code 500: the vendor tells some only in the body. Of a 429 the
        `Retry-After` decides which limit it is: the minute's, from an hour on the day's, above a day the month's.
        """
        code = 500 if status < 400 else status
        if status == 401:
            code = _KEY_INVALID
        elif status == 429:
            wait = (headers or {}).get("Retry-After", "")
            seconds = int(wait) if wait.isascii() and wait.isdecimal() else 60
            code = MONTH_LIMIT if seconds > _DAY else DAY_LIMIT if seconds >= _HOUR else MINUTE_LIMIT
            message = _LIMITS[code]
        return self._refused(status, code, message, headers)

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """30 requests a minute, and the credits of a day and of a month."""
        code = self._ledger.admit(asked.account)
        if code is None:
            return {}
        # the vendor tells how long to wait only for the limit that waiting helps against
        headers = {"Retry-After": str(self._ledger.seconds_until_reset(code))} if code == MINUTE_LIMIT else {}
        raise self._refused(429, code, _LIMITS[code], headers)

    def _listings(self, asked: Asked) -> Answer:
        start = self._whole(asked, "start", 1, 10**9)
        limit = self._whole(asked, "limit", LIMIT_DEFAULT, LIMIT_LARGEST)
        rates = self._rates(asked)
        quotes = self._sorted(asked)
        if asked.has_fault("loop_cursor"):
            start = 1
        page = [] if asked.has_fault("empty_page_with_cursor") else quotes[start - 1 : start - 1 + limit]
        coins = dict(enumerate(self._market.coins, start=1))
        rows = [listing_object(q, coins.get(q.coin.platform or 0), rates) for q in page]
        spent = max(1, math.ceil(len(rows) / ROWS_A_CREDIT)) + len(rates) - 1
        self._ledger.spend(asked.account, spent)
        return Answer({"status": self._status(0, None, spent), "data": asked.records(rows)})

    def _key_info(self, asked: Asked) -> Answer:
        account, plan = self._ledger.account(asked.account), self._ledger.plan
        usage = {
            "current_minute": {"requests_made": account.requests},
            "current_day": {"credits_used": account.credits_today},
            "current_month": {"credits_used": account.credits_this_month},
        }
        limits = {
            "credit_limit_daily": plan.credits_a_day,
            "credit_limit_monthly": plan.credits_a_month,
            "rate_limit_minute": plan.requests_a_minute,
        }
        return Answer({"status": self._status(0, None, 0), "data": {"plan": limits, "usage": usage}})

    def _sorted(self, asked: Asked) -> list[Quote]:
        quotes = list(self._market.quotes(self.surroundings.clock.now))
        sort = self._choice(asked, "sort", SORTS)
        descending = self._choice(asked, "sort_dir", ("desc", "asc")) == "desc"
        keys: dict[str, Any] = {
            "market_cap": lambda q: q.market_cap,
            "name": lambda q: q.coin.name,
            "symbol": lambda q: q.coin.symbol,
            "date_added": lambda q: q.coin.added_at,
            "price": lambda q: q.price,
            "volume_24h": lambda q: q.volume_24h,
        }
        quotes.sort(key=keys[sort], reverse=descending)
        return quotes

    def _rates(self, asked: Asked) -> dict[str, float]:
        wanted = (asked.single("convert") or "USD").upper().split(",")
        strangers = [currency for currency in wanted if currency not in RATES]
        if strangers:
            raise self._refused(400, 400, f'Invalid value for "convert": "{strangers[0]}"')
        return {currency: RATES[currency] for currency in dict.fromkeys(wanted)}

    def _choice(self, asked: Asked, name: str, allowed: tuple[str, ...]) -> str:
        value = asked.single(name) or allowed[0]
        if value not in allowed:
            raise self._refused(400, 400, f'"{name}" must be one of [{", ".join(allowed)}]')
        return value

    def _whole(self, asked: Asked, name: str, default: int, largest: int) -> int:
        text = asked.single(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:12]) <= largest):
            raise self._refused(400, 400, f'"{name}" must be a whole number from 1 to {largest}')
        return int(text)

    def _refused(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        return Refusal(status, {"status": self._status(code, message, 0)}, headers)

    def _status(self, code: int, message: str | None, spent: int) -> dict[str, Any]:
        return {
            "timestamp": vendor_time(self.surroundings.clock.now),
            "error_code": code,
            "error_message": message,
            "elapsed": 12,
            "credit_count": spent,
            "notice": None,
        }
