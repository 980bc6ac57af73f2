"""Who works in the organisation, and in which teams from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from local.sources.ai_tools.engineers import account, engineers
from local.sources.kit.history import History

ORGANISATION = "example-works"
Role = Literal["member", "maintainer"]
_TEAMS = (("platform", "Platform"), ("delivery", "Delivery"), ("core-services", "Core services"), ("data", "Data"))


@dataclass(frozen=True, slots=True)
class Person:
    """An account. From `deleted_at` on it is gone: what it wrote stays and has no author any more."""

    id: int
    login: str
    name: str | None
    email: str | None
    kind: Literal["User", "Bot"]
    created_at: datetime
    profile_changes: tuple[datetime, ...]
    deleted_at: datetime | None

    def exists(self, now: datetime) -> bool:
        """Whether the account can be looked up at `now`."""
        return self.created_at <= now and (self.deleted_at is None or now < self.deleted_at)

    def updated_at(self, now: datetime) -> datetime:
        """When the profile changed last."""
        return max([self.created_at, *(at for at in self.profile_changes if at <= now)])


@dataclass(frozen=True, slots=True)
class Membership:
    """A person is in a team in [start, end); `end` None is until further notice."""

    login: str
    role: Role
    start: datetime
    end: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it is so at `now`."""
        return self.start <= now and (self.end is None or now < self.end)


@dataclass(frozen=True, slots=True)
class Team:
    """A team; its name may change, its slug follows the first one as long as nobody edits it."""

    id: int
    slug: str
    names: History[str]
    created_at: datetime
    memberships: tuple[Membership, ...]


def draw_people(seed: int, start: datetime, size: int) -> tuple[Person, ...]:
    """`size` people and a bot. Every ninth leaves and has the account deleted some months after `start`.

    They are the engineers who use the AI tools, under the logins that Copilot reports them by.
    """
    people = []
    for number, engineer in enumerate(engineers(seed, size), start=1):
        rng = Random(f"{seed}/person/{number}")
        gone = start + timedelta(days=rng.randint(60, 240), hours=rng.randrange(24)) if number % 9 == 0 else None
        changes = tuple(sorted(start + timedelta(days=400) * rng.random() for _ in range(rng.choice((0, 1, 2)))))
        people.append(
            Person(
                id=9_000_000 + number * 1013,
                login=account(engineer, "copilot", odd=True).user_id,
                name=None if rng.random() < 0.2 else f"Engineer {number}",
                email=engineer.email if rng.random() < 0.3 else None,
                kind="User",
                created_at=start - timedelta(days=rng.randint(100, 3000)),
                profile_changes=tuple(at.replace(microsecond=0) for at in changes),
                deleted_at=gone,
            )
        )
    bot = Person(8_900_001, "dependency-bot[bot]", None, None, "Bot", start - timedelta(days=2000), (), None)
    return (*people, bot)


def draw_teams(seed: int, start: datetime, people: tuple[Person, ...]) -> tuple[Team, ...]:
    """Four teams that share the people out; about a third of them change team once, some are in two.

    The last team is founded two months after `start`; the first is renamed half a year after it.
    """
    humans = [person for person in people if person.kind == "User"]
    members: list[list[Membership]] = [[] for _ in _TEAMS]
    for place, person in enumerate(humans):
        rng = Random(f"{seed}/membership/{person.login}")
        # the last team doesn't exist yet when the world begins
        first = place % (len(_TEAMS) - 1)
        role: Role = "maintainer" if place < len(_TEAMS) else "member"
        if rng.random() < 0.35:
            moved = start + timedelta(days=rng.randint(70, 200), hours=9)
            to = rng.choice([team for team in range(len(_TEAMS)) if team != first])
            members[first].append(Membership(person.login, role, start, _earlier(moved, person.deleted_at)))
            if person.deleted_at is None or moved < person.deleted_at:
                members[to].append(Membership(person.login, role, moved, person.deleted_at))
        else:
            members[first].append(Membership(person.login, role, start, person.deleted_at))
            if rng.random() < 0.1:
                second = (first + 1) % (len(_TEAMS) - 1)
                members[second].append(Membership(person.login, "member", start, person.deleted_at))
    teams = []
    for number, (slug, name) in enumerate(_TEAMS):
        founded = start + timedelta(days=60) if number == len(_TEAMS) - 1 else start
        names = History.of(founded, name)
        if number == 0:
            names = History.of(founded, name, (start + timedelta(days=180), f"{name} & Tools"))
        teams.append(Team(2_400_000 + number * 17, slug, names, founded, tuple(members[number])))
    return tuple(teams)


def _earlier(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else min(one, other)
