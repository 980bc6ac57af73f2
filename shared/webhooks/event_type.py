"""What type of event a body holds, if it says so: a hint for whoever drains the spool, never a reason to refuse."""

import re

import msgspec

_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class _Event(msgspec.Struct):
    event_type: str = ""


_DECODER = msgspec.json.Decoder(_Event)


def event_type_of(body: bytes) -> str:
    """The body's `event_type`, the last one where it comes twice; empty where there is none that can be an object's
    metadata, or no JSON that can be read."""
    try:
        event_type = _DECODER.decode(body).event_type
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    return event_type if _TYPE.fullmatch(event_type) else ""
