"""What a key may spend: requests a minute, credits a day and a month. Refused differently, to be met differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_LIMIT, DAY_LIMIT, MONTH_LIMIT = 1008, 1009, 1010


@dataclass(frozen=True, slots=True)
class Plan:
    """A key's limits."""

    requests_a_minute: int = 30
    credits_a_day: int = 333
    credits_a_month: int = 10_000


@dataclass(slots=True)
class Account:
    """What a key has used, in the minute, day and month that it was last used in (UTC)."""

    minute: str = ""
    day: str = ""
    month: str = ""
    requests: int = 0
    credits_today: int = 0
    credits_this_month: int = 0


@dataclass(slots=True)
class Ledger:
    """The use of every key. `clock` gives unix seconds."""

    clock: Callable[[], float]
    plan: Plan
    _accounts: dict[str, Account] = field(default_factory=dict)

    def account(self, name: str) -> Account:
        """What a key has used by now; what belongs to an earlier minute, day or month is gone."""
        now = self._now()
        account = self._accounts.setdefault(name, Account())
        minute, day, month = now.strftime("%Y-%m-%dT%H:%M"), now.strftime("%Y-%m-%d"), now.strftime("%Y-%m")
        if account.minute != minute:
            account.minute, account.requests = minute, 0
        if account.day != day:
            account.day, account.credits_today = day, 0
        if account.month != month:
            account.month, account.credits_this_month = month, 0
        return account

    def admit(self, name: str) -> int | None:
        """Count one request; the code of the limit that forbids it, or None."""
        account = self.account(name)
        if account.credits_this_month >= self.plan.credits_a_month:
            return MONTH_LIMIT
        if account.credits_today >= self.plan.credits_a_day:
            return DAY_LIMIT
        if account.requests >= self.plan.requests_a_minute:
            return MINUTE_LIMIT
        account.requests += 1
        return None

    def spend(self, name: str, spent: int) -> None:
        """Take credits for an answer."""
        account = self.account(name)
        account.credits_today += spent
        account.credits_this_month += spent

    def seconds_until_reset(self, code: int) -> int:
        """How long until a limit is lifted: at the next minute, day or month in UTC."""
        now = self._now()
        if code == MINUTE_LIMIT:
            reset = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        else:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            reset = midnight + timedelta(days=1)
            if code == MONTH_LIMIT:
                reset = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
        return max(1, -int((now - reset).total_seconds() // 1))

    def _now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.clock())
