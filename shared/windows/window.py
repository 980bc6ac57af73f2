"""A window: the half-open UTC interval [start, end) of a pipeline, named by its end."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.instants import from_text, to_text

_ID = re.compile(r"[0-9]{8}T[0-9]{4}Z")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open UTC interval [start, end) of a pipeline, on whole minutes."""

    pipeline: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant.tzinfo is not UTC:
                raise ValueError(f"window of {self.pipeline}: {instant!r} is not in UTC")
            if instant.second or instant.microsecond:
                raise ValueError(f"window of {self.pipeline}: {to_text(instant)} is not a whole minute")
        if self.start >= self.end:
            raise ValueError(f"window of {self.pipeline}: {to_text(self.start)} is not before {to_text(self.end)}")

    @property
    def id(self) -> str:
        """The end, as in object names: `20261120T0700Z`."""
        return id_of_end(self.end)

    @property
    def interval(self) -> str:
        """ISO 8601 interval, as in messages and metadata: `2026-11-20T06:00:00Z/2026-11-20T07:00:00Z`."""
        return f"{to_text(self.start)}/{to_text(self.end)}"

    @classmethod
    def from_interval(cls, pipeline: str, interval: str) -> "Window":
        """The window that `interval` names. Raises ValueError when the text is no interval of whole minutes."""
        start, slash, end = interval.partition("/")
        if not slash:
            raise ValueError(f"{interval!r} is no interval start/end")
        return cls(pipeline, from_text(start), from_text(end))


def is_window_id(text: str) -> bool:
    """Whether `text` is a window's id: the right form, and a minute that exists."""
    return _end(text) is not None


def id_of_end(end: datetime) -> str:
    """The id of a window that ends then; ids sort as their ends do."""
    return end.strftime("%Y%m%dT%H%MZ")


def end_of_id(window_id: str) -> datetime:
    """The instant at which the window of this id ends. Raises ValueError for anything else."""
    end = _end(window_id)
    if end is None:
        raise ValueError(f"{window_id!r} is no window id")
    return end


def _end(text: str) -> datetime | None:
    if _ID.fullmatch(text) is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
