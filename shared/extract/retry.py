"""When a request is tried again, and how long to wait before. Decisions only; the sender waits.

What is retried is a written list; anything else is an error at once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

BACKOFF_SECONDS = (2.0, 4.0, 8.0, 16.0)
"""Waits before the second to the fifth attempt after a 5xx or a network fault."""

LONGEST_WAIT_SECONDS = 86_400.0
"""No source means to send us away for more than a day; a nonsense value must not park it for years."""

RETRIED_STATUSES: Mapping[int, str] = {
    408: "the source gave up waiting for the request",
    409: "a conflict with another request of the same key",
    429: "the rate limit",
    500: "a fault inside the source",
    502: "a fault between us and the source",
    503: "the source is overloaded or being restarted",
    504: "the source did not answer its own front end in time",
}
"""HTTP statuses that may go away by themselves, each with its reason."""


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for: whole seconds, decimal seconds, or an HTTP date. None without one.

    Where it is missing and `X-RateLimit-Remaining` is 0, `X-RateLimit-Reset` tells the end in Unix seconds. A date in
    the past is no wait; text that is neither (or not a finite number) counts as no header. A day at most.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return _until_reset(headers, now)
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, now)
    return _bounded(seconds) if isfinite(seconds) else None


def backoff(fault: int) -> float | None:
    """The wait after the `fault`-th fault in a row (from 0); None when the attempts are used up."""
    return BACKOFF_SECONDS[fault] if fault < len(BACKOFF_SECONDS) else None


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    text = headers.get("x-ratelimit-reset", "").strip()
    # some vendors tell seconds here and not an instant: those lie decades back, and are no header
    if headers.get("x-ratelimit-remaining", "").strip() != "0" or not (text.isascii() and text.isdecimal()):
        return None
    left = int(text[:18]) - now.timestamp()
    return _bounded(left) if left > -LONGEST_WAIT_SECONDS else None


def _until(text: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if then.tzinfo is None:  # "-0000" in the date: the time is UTC, RFC 5322
        then = then.replace(tzinfo=UTC)
    return _bounded((then - now).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_WAIT_SECONDS)
