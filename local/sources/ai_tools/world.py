"""The company and its use of the tools, as of any instant: what each double answers from, and what tests expect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from local.sources.ai_tools import availability, digests
from local.sources.ai_tools.calls import Call, day_calls
from local.sources.ai_tools.engineers import Account, Engineer, account, engineers
from local.sources.ai_tools.quirks import QUIRKS
from local.sources.ai_tools.tools import PROFILES, Tool

_KEPT_DAYS = 3000
"""Some 60 calls of 400 bytes a day of a tool: a year of all of them stays below 100 MB."""
_EMPTY_ONE_IN = 40


@dataclass(frozen=True, slots=True)
class Identity:
    """One name that an engineer goes by: what a person would have to enter into a table of identities."""

    tool: Tool
    actor: str
    engineer: str
    email: str


@dataclass(frozen=True)
class World:
    """Everything follows from the seed. ValueError for a quirk that doesn't exist."""

    seed: int = 7
    quirks: frozenset[str] = QUIRKS
    staff: tuple[Engineer, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        strangers = sorted(self.quirks - QUIRKS)
        if strangers:
            raise ValueError(f"no quirk is called {', '.join(strangers)}; there are {', '.join(sorted(QUIRKS))}")
        object.__setattr__(self, "staff", engineers(self.seed))

    def account(self, engineer: Engineer, tool: Tool) -> Account:
        """An engineer as the tool knows them."""
        return account(engineer, tool, odd="odd_spellings" in self.quirks)

    def actor(self, call: Call, tool: Tool) -> str:
        """The name under which the tool reports a call: the engineer's there, or the service's key."""
        return call.service if call.engineer is None else self.account(call.engineer, tool).actor

    def identities(self, tool: Tool) -> tuple[Identity, ...]:
        """Every engineer's name in a tool, used or not."""
        return tuple(Identity(tool, self.account(e, tool).actor, e.id, e.email) for e in self.staff)

    def calls(self, tool: Tool, day: date) -> tuple[Call, ...]:
        """A day's calls as they really were, oldest first."""
        return _calls(self, tool, day)

    def seen(self, tool: Tool, day: date, now: datetime) -> tuple[Call, ...]:
        """A day's calls as the tool tells of them at `now`, oldest first."""
        calls = self.calls(tool, day)
        restated_at = availability.restated_at(self.seed, tool, day) if "restatements" in self.quirks else None
        if restated_at is not None and now < restated_at:
            calls = availability.before_restatement(self.seed, tool, calls)
        late = "late_days" in self.quirks
        return tuple(c for c in calls if availability.told_at(self.seed, tool, c, late_days=late) <= now)


@lru_cache(maxsize=_KEPT_DAYS)
def _calls(world: World, tool: Tool, day: date) -> tuple[Call, ...]:
    if "empty_days" in world.quirks and digests.number(_EMPTY_ONE_IN, world.seed, "empty", tool, day) == 0:
        return ()
    duplicates = tool == "cursor" and "duplicate_events" in world.quirks
    return day_calls(world.seed, tool, world.staff, day, duplicates=duplicates)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def first_day_of(tool: Tool) -> date:
    """The first day of which the tool tells."""
    return PROFILES[tool].first_day
