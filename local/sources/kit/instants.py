"""Instants as the doubles read and write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant must carry its offset: a local time would be read differently on each machine."""


def rfc3339(instant: datetime) -> str:
    """The instant in UTC as most vendors write it: microseconds without trailing zeros, no fraction when it is zero."""
    whole, _, fraction = instant.astimezone(UTC).replace(tzinfo=None).isoformat().partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"
