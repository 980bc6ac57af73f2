"""A client-side rate limit: a token bucket, so that a burst up to the limit is free and the rest is paced."""

from datetime import datetime

from shared.ports import Clock


class RateLimit:
    """At most `per_minute` calls in any minute over time, with `per_minute` of them at once.

    State lives in the process: a key's extractor runs as one instance at most.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._tokens = self._capacity
        self._counted_at: datetime = clock.now()

    def wait_seconds(self) -> float:
        """Seconds until the next call may go out; 0 when it may go now."""
        self._refill()
        return max(0.0, (1 - self._tokens) / self._per_second)

    def take(self) -> None:
        """Count a call that goes out now."""
        self._refill()
        self._tokens -= 1

    def _refill(self) -> None:
        now = self._clock.now()
        passed = max(0.0, (now - self._counted_at).total_seconds())
        self._tokens = min(self._capacity, self._tokens + passed * self._per_second)
        self._counted_at = now
