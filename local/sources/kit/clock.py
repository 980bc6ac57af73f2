"""The instant that the doubles show: one clock for all of them, moved by the control endpoints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


class ShownClock:
    """Stands where it was set, so that an answer depends on the clock and never on when it was asked for."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._watchers: list[Callable[[datetime], None]] = []

    @property
    def now(self) -> datetime:
        """The instant as of which everything is shown; setting it may jump forward or back."""
        return self._now

    @now.setter
    def now(self, instant: datetime) -> None:
        self._now = instant
        for watcher in self._watchers:
            watcher(instant)

    def watch(self, watcher: Callable[[datetime], None]) -> None:
        """Call `watcher` with the new instant whenever the clock is set."""
        self._watchers.append(watcher)
