"""Pages that are a JSON object with a list of records inside."""

from collections.abc import Mapping, Sequence

import msgspec

from shared.extract.sender import UnusableBody
from shared.sources.cutting import cut_array

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def records_in(body: bytes, key: str) -> tuple[Sequence[bytes], Mapping[str, msgspec.Raw]]:
    """The records of the list under `key`, each as received, and the whole object undecoded.

    A page that one record makes unreadable (NaN, endless nesting) is cut all the same, and only that record is rejected
    later. Raises UnusableBody for what is no such page.
    """
    try:
        envelope = _object.decode(body)
        return [bytes(raw) for raw in _list.decode(envelope[key])], envelope
    except (msgspec.DecodeError, RecursionError, KeyError) as strict:
        try:
            records, rest = cut_array(body, key)
            return records, _object.decode(rest)
        except (ValueError, RecursionError):
            raise UnusableBody(f"no list {key!r} ({strict!r}); it begins with {body[:60]!r}") from strict


def object_of(fields: Mapping[str, bytes | msgspec.Raw]) -> bytes:
    """An object of values as received: a part of a record with what stands around it and is needed to understand it."""
    return b"{%b}" % b", ".join(b'"%b": %b' % (name.encode(), bytes(value)) for name, value in fields.items())


def field_of(envelope: Mapping[str, msgspec.Raw], key: str, kind: type) -> object:
    """A field of the object around the records, None when it is absent. Raises UnusableBody for another type."""
    raw = envelope.get(key)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=kind | None)
    except msgspec.DecodeError as exc:
        raise UnusableBody(f"field {key!r}: {exc}") from exc
