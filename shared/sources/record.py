"""What every family asks of a record before it looks inside: a size that can be loaded, and text that is JSON text."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec

T = TypeVar("T")

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant in RFC 3339, with its offset."""

Identifier = Annotated[str, msgspec.Meta(min_length=1)]
"""An opaque id that may stand in a key."""

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# Zero values (year 1 or 1970) and "never" values (year 9999) are no instants of anything that happened.

MAX_RECORD_BYTES = 8 * 1024 * 1024
# Half of the 16 MiB that a Snowflake VARIANT or VARCHAR has taken for ever.

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_anything = msgspec.json.Decoder()
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Refused(Exception):
    """A record that breaks the contract, and why."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def checked_text(record: bytes) -> str:
    """The record's text. Raises Refused when it is too large, no UTF-8, or hides a lone surrogate."""
    if len(record) > MAX_RECORD_BYTES:
        raise Refused("too_large", f"{len(record)} bytes, at most {MAX_RECORD_BYTES} can be loaded")
    try:
        text = str(record, "utf-8")
        if "\\u" in text:
            _anything.decode(record)
    except (UnicodeDecodeError, msgspec.DecodeError) as exc:
        raise Refused("not_json", str(exc)) from exc
    except RecursionError as exc:
        raise Refused("too_deep", "nested deeper than the decoder goes") from exc
    return text


def decoded(kind: type[T], record: bytes | msgspec.Raw) -> T:
    """The record as `kind`. Raises Refused for one that is no JSON, or of another shape."""
    try:
        return msgspec.json.decode(record, type=kind)
    except msgspec.ValidationError as exc:
        raise Refused("wrong_type", str(exc)) from exc
    except msgspec.DecodeError as exc:
        raise Refused("not_json", str(exc)) from exc
    except RecursionError as exc:
        raise Refused("too_deep", "nested deeper than the decoder goes") from exc


def plausible(name: str, instant: datetime) -> datetime:
    """The instant in UTC. Raises Refused for one that nothing can have happened at."""
    if not EARLIEST <= instant < LATEST:
        raise Refused("implausible_instant", f"{name} is {instant.isoformat()}")
    return instant.astimezone(UTC)


def instant_of_ms(milliseconds: int) -> datetime:
    """The instant that is so many milliseconds after 1970. Raises Refused for one outside the calendar."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as exc:
        raise Refused("implausible_instant", f"{milliseconds} ms after 1970") from exc


def unknown_fields(record: bytes | msgspec.Raw, known: frozenset[str]) -> set[str]:
    """Names of a decoded record's fields that are not among the known ones."""
    return _fields.decode(record).keys() - known


def known_fields(kind: type[msgspec.Struct], *others: str) -> frozenset[str]:
    """Names of the fields that a struct reads, and of others that are known and not read."""
    return frozenset((*(field.encode_name for field in msgspec.structs.fields(kind)), *others))
