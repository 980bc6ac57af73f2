"""A family: one vendor's API as the common server knows it, and what all families share there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from local.sources.kit.clock import ShownClock
from local.sources.kit.faults import FaultBoard, ListPaths
from local.sources.kit.stats import Stats


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a double is opened with. `keys` maps references of secrets to keys and holds only the family's own."""

    clock: ShownClock
    faults: FaultBoard
    keys: Mapping[str, str] = field(repr=False)
    seed: int = 7
    rate_limited: bool = True
    wall_clock: Callable[[], float] = time.time
    """Unix seconds: quotas follow real time, not the instant shown."""
    without_quirks: frozenset[str] = frozenset()
    """Oddities that are switched off, by name; each family's documentation names its own."""


@dataclass(frozen=True, slots=True)
class OpenedDouble:
    """A double that answers the vendor's own paths, without the family's prefix."""

    app: ASGIApp
    stats: Stats


@dataclass(frozen=True, slots=True)
class Family:
    """`name` is its prefix on the common server; `secrets` are the references whose keys it takes."""

    name: str
    secrets: tuple[str, ...]
    lists: ListPaths
    open: Callable[[Surroundings], OpenedDouble]
    quirks: frozenset[str] = frozenset()
    """The names of its oddities that can be switched off."""
