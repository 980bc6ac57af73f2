"""Token buckets: the one idea behind the vendors' request quotas. Headers and refusals are each vendor's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quota:
    """A burst of `capacity` requests, of which `per_second` come back each second."""

    capacity: int
    per_second: float

    @classmethod
    def a_minute(cls, requests: int) -> Quota:
        """As many at once as in a whole minute."""
        return cls(requests, requests / 60)


@dataclass(slots=True)
class TokenBucket:
    """Holds up to a quota's capacity."""

    quota: Quota
    tokens: float
    filled_at: float

    @property
    def capacity(self) -> int:
        """How many tokens a full bucket holds."""
        return self.quota.capacity

    def refill(self, now: float) -> None:
        """Add what has been gained since the last time; a clock that goes back adds nothing."""
        gained = max(0.0, now - self.filled_at) * self.quota.per_second
        self.tokens, self.filled_at = min(float(self.capacity), self.tokens + gained), now

    def seconds_until(self, tokens: float) -> float:
        """How long until the bucket holds this many; 0 when it does."""
        return max(0.0, tokens - self.tokens) / self.quota.per_second

    def take(self) -> bool:
        """Take one token; False, and nothing taken, when there is none."""
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    @property
    def whole_seconds_until_one(self) -> int:
        """`Retry-After` for a refusal: at least a second, rounded up, so that who waits so long is admitted."""
        return max(1, math.ceil(self.seconds_until(1)))


@dataclass(slots=True)
class Buckets:
    """The buckets of every account. `clock` gives unix seconds: quotas follow real time, not the instant shown."""

    clock: Callable[[], float]
    _buckets: dict[tuple[Hashable, Quota], TokenBucket] = field(default_factory=dict)

    def of(self, account: Hashable, quota: Quota) -> TokenBucket:
        """The account's bucket for this quota, full at first, refilled to now."""
        now = self.clock()
        bucket = self._buckets.get((account, quota))
        if bucket is None:
            bucket = self._buckets[account, quota] = TokenBucket(quota, float(quota.capacity), now)
        bucket.refill(now)
        return bucket
