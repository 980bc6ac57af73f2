"""GitHub's limits: 5,000 requests an hour, and 900 points a minute that no header tells of beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from local.sources.kit.token_bucket import Buckets, Quota

PRIMARY = 5000
POINTS = Quota.a_minute(900)
_HOUR = 3600.0


@dataclass(slots=True)
class HourWindow:
    """Requests of one token since the hour's window opened; the whole of them come back when it closes."""

    resets_at: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A request over a limit: the first is `primary` (wait for the reset), else secondary (wait `retry_after`)."""

    primary: bool
    retry_after: int
    headers: dict[str, str]


@dataclass(slots=True)
class Quotas:
    """The limits of every token. `clock` gives unix seconds."""

    clock: Callable[[], float]
    primary_limit: int = PRIMARY
    _points: Buckets = field(init=False)
    _hours: dict[str, HourWindow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._points = Buckets(self.clock)

    def take(self, account: str) -> dict[str, str] | Refused:
        """Count one request: the headers of its answer, or why it is refused."""
        now = self.clock()
        hour = self._hour(account, now)
        if hour.used >= self.primary_limit:
            return Refused(True, math.ceil(hour.resets_at - now), self.headers(account))
        points = self._points.of(account, POINTS)
        if not points.take():
            return Refused(False, max(60, points.whole_seconds_until_one), self.headers(account))
        hour.used += 1
        return self.headers(account)

    def give_back(self, account: str) -> dict[str, str]:
        """Take a request off the hour's count (an answer 304 doesn't count): the headers as they are then."""
        hour = self._hour(account, self.clock())
        hour.used = max(0, hour.used - 1)
        return self.headers(account)

    def headers(self, account: str) -> dict[str, str]:
        """What every answer tells of the hour."""
        hour = self._hour(account, self.clock())
        return {
            "x-ratelimit-limit": str(self.primary_limit),
            "x-ratelimit-remaining": str(max(0, self.primary_limit - hour.used)),
            "x-ratelimit-used": str(hour.used),
            "x-ratelimit-reset": str(math.ceil(hour.resets_at)),
            "x-ratelimit-resource": "core",
        }

    def _hour(self, account: str, now: float) -> HourWindow:
        hour = self._hours.get(account)
        if hour is None or now >= hour.resets_at:
            hour = self._hours[account] = HourWindow(now + _HOUR)
        return hour
