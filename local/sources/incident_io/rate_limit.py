"""The vendor's request quotas: token buckets a key, and the headers that tell how full they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from local.sources.incident_io.archive import rfc3339
from local.sources.incident_io.errors import VendorError
from local.sources.incident_io.ids import instant_of

INCIDENTS_A_MINUTE = 60
REQUESTS_A_MINUTE = 1200


@dataclass(slots=True)
class TokenBucket:
    """Holds up to `capacity` tokens and gains as many a minute."""

    capacity: int
    tokens: float
    filled_at: float

    def refill(self, now: float) -> None:
        """Add what has been gained since the last time; a clock that goes back adds nothing."""
        gained = max(0.0, now - self.filled_at) * self.capacity / 60
        self.tokens, self.filled_at = min(float(self.capacity), self.tokens + gained), now

    def seconds_until(self, tokens: float) -> float:
        """How long until the bucket holds this many; 0 when it does."""
        return max(0.0, tokens - self.tokens) * 60 / self.capacity


@dataclass(slots=True)
class RateLimiter:
    """The quotas of every key. `clock` gives unix seconds, the base of the headers as well."""

    clock: Callable[[], float]
    _buckets: dict[tuple[str, int], TokenBucket] = field(default_factory=dict)

    def admit(self, key_name: str, *, lists_incidents: bool) -> dict[str, str]:
        """Count one request: the headers of its answer, or VendorError (429) with `Retry-After` in whole seconds."""
        now = self.clock()
        limits = (INCIDENTS_A_MINUTE, REQUESTS_A_MINUTE) if lists_incidents else (REQUESTS_A_MINUTE,)
        buckets = [self._bucket(key_name, limit, now) for limit in limits]
        empty = [bucket for bucket in buckets if bucket.tokens < 1]
        if empty:
            raise self._refusal(key_name, max(empty, key=lambda bucket: bucket.seconds_until(1)), limits, now)
        for bucket in buckets:
            bucket.tokens -= 1
        return self._headers(min(buckets, key=lambda bucket: bucket.tokens), limits, now)

    def _bucket(self, key_name: str, limit: int, now: float) -> TokenBucket:
        bucket = self._buckets.setdefault((key_name, limit), TokenBucket(limit, float(limit), now))
        bucket.refill(now)
        return bucket

    def _headers(self, bucket: TokenBucket, limits: tuple[int, ...], now: float) -> dict[str, str]:
        remaining = int(bucket.tokens)
        policies = [f"{limit};window=60" for limit in sorted(limits, reverse=True)]
        return {
            "X-RateLimit-Limit": ", ".join([str(bucket.capacity), *policies]),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Used": str(bucket.capacity - remaining),
            "X-RateLimit-Reset": str(math.ceil(now + bucket.seconds_until(bucket.capacity))),
        }

    def _refusal(self, key_name: str, bucket: TokenBucket, limits: tuple[int, ...], now: float) -> VendorError:
        wait = max(1, math.ceil(bucket.seconds_until(1)))
        told = {
            "name": key_name,
            "limit": bucket.capacity,
            "remaining": 0,
            "retry_after": rfc3339(instant_of(now + wait)),
        }
        return VendorError(
            429,
            "too_many_requests",
            "too_many_requests",
            f"You have made more than {bucket.capacity} requests in a minute; try again in {wait} seconds.",
            headers=self._headers(bucket, limits, now) | {"Retry-After": str(wait)},
            extra={"rate_limit": told},
        )
