"""Instants as the platform writes them: RFC 3339 in UTC, to the microsecond at most."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """`2026-11-20T07:00:00Z`; microseconds only where there are any. Raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """An aware UTC datetime. Raises ValueError for text that is no instant or has no time zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError as exc:  # a first or last day whose offset leads out of the calendar
        raise ValueError(f"{text!r} is outside the calendar in UTC") from exc
