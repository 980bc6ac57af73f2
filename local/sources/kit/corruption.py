"""Breaking one record on purpose, in every way that JSON or a schema can be broken."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_MARK = "\ue000raw"
"""A private-use character, so that no real text can be taken for a placeholder."""


def corrupt(record: bytes, changes: dict[str, Any]) -> bytes:
    """The record's JSON with the changes put in (see `faults.FaultRule`). ValueError for a path that leads nowhere."""
    decoded: Any = msgspec.json.decode(record)
    raws: list[str] = []
    for path, value in changes.items():
        _put(decoded, path, value, raws)
    text = msgspec.json.encode(decoded).decode()
    text = re.sub(f'"{_MARK}(\\d+)"', lambda match: raws[int(match[1])], text)
    return text.encode("utf-8", "surrogatepass")


def _put(decoded: Any, path: str, value: Any, raws: list[str]) -> None:
    *way, last = path.split(".")
    place = decoded
    for step in way:
        place = _step_into(place, step, path)
    if isinstance(value, dict) and value.get("$absent") is True:
        if isinstance(place, dict):
            place.pop(last, None)
            return
        raise ValueError(f"{path}: only a field of an object can be absent")
    if isinstance(value, dict) and "$raw" in value:
        raws.append(str(value["$raw"]))
        value = f"{_MARK}{len(raws) - 1}"
    elif isinstance(value, dict) and "$length" in value:
        value = "x" * int(value["$length"])
    if isinstance(place, dict):
        place[last] = value
    elif isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        place[int(last)] = value
    else:
        raise ValueError(f"{path}: nothing there to put {last!r} into")


def _step_into(place: Any, step: str, path: str) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    raise ValueError(f"{path}: there is no {step!r}")
