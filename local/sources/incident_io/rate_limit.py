"""The vendor's request quotas: token buckets a key, and the headers that tell how full they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from local.sources.incident_io.errors import VendorError
from local.sources.incident_io.ids import instant_of
from local.sources.kit.instants import rfc3339
from local.sources.kit.token_bucket import Buckets, Quota, TokenBucket

LISTS = Quota.a_minute(60)
REQUESTS = Quota.a_minute(1200)


class RateLimiter:
    """The quotas of every key. `clock` gives unix seconds, the base of the headers as well."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets = Buckets(clock)

    def admit(self, key_name: str, *, lists_incidents: bool) -> dict[str, str]:
        """Count one request: the headers of its answer, or VendorError (429) with `Retry-After` in whole seconds."""
        now = self._clock()
        quotas = (LISTS, REQUESTS) if lists_incidents else (REQUESTS,)
        buckets = [self._buckets.of(key_name, quota) for quota in quotas]
        empty = [bucket for bucket in buckets if bucket.tokens < 1]
        if empty:
            raise self._refusal(key_name, max(empty, key=lambda bucket: bucket.seconds_until(1)), quotas, now)
        for bucket in buckets:
            bucket.take()
        return self._headers(min(buckets, key=lambda bucket: bucket.tokens), quotas, now)

    def _headers(self, bucket: TokenBucket, quotas: Sequence[Quota], now: float) -> dict[str, str]:
        remaining = int(bucket.tokens)
        policies = [f"{limit};window=60" for limit in sorted((quota.capacity for quota in quotas), reverse=True)]
        return {
            "X-RateLimit-Limit": ", ".join([str(bucket.capacity), *policies]),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Used": str(bucket.capacity - remaining),
            "X-RateLimit-Reset": str(math.ceil(now + bucket.seconds_until(bucket.capacity))),
        }

    def _refusal(self, key_name: str, bucket: TokenBucket, quotas: Sequence[Quota], now: float) -> VendorError:
        wait = bucket.whole_seconds_until_one
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
            headers=self._headers(bucket, quotas, now) | {"Retry-After": str(wait)},
            extra={"rate_limit": told},
        )
