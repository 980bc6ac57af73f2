"""Identifiers in the vendor's shape: 26 characters of Crockford base 32 whose first ten carry the creation time."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def base32(number: int, length: int) -> str:
    """The number in Crockford base 32, most significant digit first, padded to `length`; higher digits are cut off."""
    digits = []
    for _ in range(length):
        digits.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(digits))


def epoch_milliseconds(instant: datetime) -> int:
    """Whole milliseconds since 1970; zero for anything earlier, since an identifier's time part can't be negative."""
    return max(0, (instant - _EPOCH) // timedelta(milliseconds=1))


def ulid(created_at: datetime, *parts: str) -> str:
    """A 26-character identifier: the time orders it, the SHA-256 of the parts tells it from others of that time."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return base32(epoch_milliseconds(created_at), 10) + base32(int.from_bytes(digest[:10], "big"), 16)


def pick(options: int, *parts: str) -> int:
    """A number in [0, options), always the same for the same parts: choices of detail that need no seed."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big") % options


def instant_of(unix_seconds: float) -> datetime:
    """The instant of a unix time, to the second."""
    return _EPOCH + timedelta(seconds=int(unix_seconds))
