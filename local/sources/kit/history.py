"""Values that change at known instants: a price, a target, a team."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class History(Generic[T]):
    """What something was from each instant on: `changes` are (instant, value), oldest first, at least one.

    Raises ValueError when they are empty or out of order.
    """

    changes: tuple[tuple[datetime, T], ...]

    def __post_init__(self) -> None:
        instants = [at for at, _ in self.changes]
        if not instants or any(b <= a for a, b in itertools.pairwise(instants)):
            raise ValueError(f"a history needs changes in order of time, not {instants}")

    @classmethod
    def of(cls, since: datetime, value: T, *later: tuple[datetime, T]) -> History[T]:
        """A first value and what it changed to afterwards."""
        return cls(((since, value), *later))

    def at(self, now: datetime) -> T:
        """The value at an instant; before the first change already the first value."""
        return self.changes[max(0, bisect_right(self.changes, now, key=lambda change: change[0]) - 1)][1]

    def changed_at(self, now: datetime) -> datetime:
        """When the value got to be what it is at an instant."""
        return self.changes[max(0, bisect_right(self.changes, now, key=lambda change: change[0]) - 1)][0]
