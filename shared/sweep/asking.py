"""Asking again, with measure: not sooner than a while after the last time, and not for ever.

The message goes first and is counted afterwards: a death in between asks once more than was counted, which nobody
minds, while a count without its message would be a repair that was only noted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from shared.errors import StateConflict
from shared.instants import from_text, to_text
from shared.state import layout
from shared.sweep.round import Round


class Asked(Enum):
    """What came of it."""

    NOW = auto()
    TOO_SOON = auto()
    TOO_OFTEN = auto()


@dataclass(frozen=True, slots=True)
class Measure:
    """How often at most, and how long after the time before."""

    most: int
    spacing: timedelta


def ask(sweep: Round, subject: str, measure: Measure, publish: Callable[[], None]) -> Asked:
    """Publish, if the measure allows one more time. Raises PublishFailed, which does not count."""
    name = layout.attempts(subject)
    before = sweep.documents.get(name)
    count = int(before.value["count"]) if before is not None else 0
    if before is not None and sweep.now - from_text(before.value["last_at"]) < measure.spacing:
        return Asked.TOO_SOON
    if count >= measure.most:
        return Asked.TOO_OFTEN
    publish()
    value = {"count": count + 1, "last_at": to_text(sweep.now)}
    try:
        if before is None:
            sweep.documents.create(name, value)
        else:
            sweep.documents.replace(before, value)
    except StateConflict:
        pass  # another sweep asked at the same moment, and counted it
    return Asked.NOW
