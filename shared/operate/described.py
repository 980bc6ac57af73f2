"""A record as it may be shown on a screen: its shape, and only such values as cannot be about a person.

Names, addresses and free text stay closed: a text is shown when its field is the record's own id, an instant or a
state, and it looks like one.
"""

import json
import re
from typing import Any

_OPEN_FIELDS = re.compile(r"id|.*_at|reference|mode|visibility|status|category|state|kind|type|date|day|currency")
_PLAIN = re.compile(r"[A-Za-z0-9_:.+\-]{1,64}")
_MOST_FIELDS = 60


def described(record: str) -> str:
    """One line a field of the record's JSON object; for anything else its size alone."""
    try:
        value = json.loads(record)
    except (ValueError, RecursionError):
        return f"no JSON, {len(record)} characters"
    if not isinstance(value, dict):
        return _shape(value)
    lines = [f"{name if name.isidentifier() else '<name>'}: {_field(name, v)}" for name, v in value.items()]
    more = [f"… {len(lines) - _MOST_FIELDS} fields more"] if len(lines) > _MOST_FIELDS else []
    return "\n".join([*lines[:_MOST_FIELDS], *more])


def _field(name: str, value: Any) -> str:
    if isinstance(value, str) and _OPEN_FIELDS.fullmatch(name) and _PLAIN.fullmatch(value):
        return value
    return _shape(value)


def _shape(value: Any) -> str:
    match value:
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return "<number>"
        case str():
            return f"<text of {len(value)}>"
        case list():
            return f"<list of {len(value)}>"
        case _:
            return f"<object of {len(value)} fields>"
