"""The invented company: engineers by number, their teams over time, and the names they go by in each tool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from local.sources.ai_tools import digests
from local.sources.ai_tools.tools import Tool

FIRST_DAY = date(2025, 1, 1)
ENGINEERS = 40
TEAMS = ("checkout", "search", "platform", "mobile", "data", "sign-in")


@dataclass(frozen=True, slots=True)
class Stay:
    """A team from a day on."""

    since: date
    team: str


@dataclass(frozen=True, slots=True)
class Engineer:
    """`id` is the company's name for them, `eng-017`. `left` is the first day without them."""

    id: str
    joined: date
    left: date | None
    stays: tuple[Stay, ...]

    @property
    def digits(self) -> str:
        """`017` of eng-017."""
        return self.id.removeprefix("eng-")

    @property
    def email(self) -> str:
        """The address that the company knows."""
        return f"{self.id}@example.test"

    def employed(self, day: date) -> bool:
        """Whether they work here on that day."""
        return self.joined <= day and (self.left is None or day < self.left)

    def team_on(self, day: date) -> str:
        """Their team on a day; the first one for days before they joined."""
        return next((stay.team for stay in reversed(self.stays) if stay.since <= day), self.stays[0].team)


def engineers(seed: int, count: int = ENGINEERS) -> tuple[Engineer, ...]:
    """The company's engineers: most are there from the first day, some join or leave, a third change teams."""
    return tuple(_engineer(seed, number) for number in range(1, count + 1))


def _engineer(seed: int, number: int) -> Engineer:
    rng = Random(f"{seed}/engineer/{number}")
    joined = FIRST_DAY if rng.random() < 0.7 else FIRST_DAY + timedelta(days=rng.randrange(30, 600))
    left = joined + timedelta(days=rng.randrange(120, 900)) if rng.random() < 0.12 else None
    stays = [Stay(joined, rng.choice(TEAMS))]
    while rng.random() < 0.35:
        since = stays[-1].since + timedelta(days=rng.randrange(60, 400))
        stays.append(Stay(since, rng.choice([team for team in TEAMS if team != stays[-1].team])))
    return Engineer(f"eng-{number:03d}", joined, left, tuple(stays))


@dataclass(frozen=True, slots=True)
class Account:
    """An engineer as one tool knows them. `user_id` is the tool's own; `email` None where it isn't told."""

    user_id: str
    email: str | None

    @property
    def actor(self) -> str:
        """The name that the tool reports: the address, else its own name."""
        return self.email or self.user_id


def account(engineer: Engineer, tool: Tool, *, odd: bool) -> Account:
    """How an engineer is known to a tool; with `odd` every fourth is spelled otherwise than by the company."""
    if tool == "copilot":
        other = odd and digests.number(4, "login", engineer.id) == 0
        return Account(f"example-{engineer.id}" if other else f"eng{engineer.digits}-gh", None)
    if tool == "goose":
        return Account(f"eng{engineer.digits}", None)
    user_id = engineer.id if tool == "g2" else f"user_{digests.hexadecimal(tool, engineer.id)[:20]}"
    if tool in {"g2", "amp", "chatgpt"} and odd and digests.number(8, "no address", tool, engineer.id) == 0:
        return Account(user_id, None)
    return Account(user_id, _spelled(engineer, tool) if odd else engineer.email)


def _spelled(engineer: Engineer, tool: Tool) -> str:
    if digests.number(4, "odd", tool, engineer.id):
        return engineer.email
    spellings = (
        f"ENG-{engineer.digits}@Example.Test",
        f"eng.{engineer.digits}@example.test",
        f"{engineer.id}+{tool.replace('_', '-')}@example.test",
    )
    return spellings[digests.number(len(spellings), "spelling", tool, engineer.id)]
