"""Pull requests with everything that ever happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from local.sources.github.people import Person

EventKind = Literal["ready", "pushed", "commented", "labelled", "merged", "closed", "reopened"]
LABELS = (("bug", "d73a4a"), ("enhancement", "a2eeef"), ("dependencies", "0366d6"), ("needs tests", "fbca04"))
_TITLES = (
    "Retry the payment once",
    "Speed up the search page",
    "Fix rounding of totals",
    "Move settings to the environment",
    "Add a test for empty baskets",
    "Remove the old importer",
    "Log what was skipped",
    "Bump the http client",
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a pull request; `who` merged or commented, `label` was put on."""

    at: datetime
    kind: EventKind
    who: str | None = None
    label: int | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request with its whole history, events oldest first."""

    id: int
    repository: str
    number: int
    author: Person
    title: str
    body: str | None
    created_at: datetime
    draft: bool
    events: tuple[Event, ...]
    reviewers: tuple[str, ...]
    additions: int
    deletions: int
    changed_files: int
    from_fork: bool
    fork_deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class PullState:
    """A pull request as of an instant."""

    state: Literal["open", "closed"]
    draft: bool
    labels: tuple[int, ...]
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None
    merged_by: str | None
    comments: int
    commits: int


def state_of(pull: Pull, now: datetime, touched_at: datetime | None = None) -> PullState | None:
    """The pull request as of `now`; None before it was opened. `touched_at` is a later comment, if there was one."""
    if now < pull.created_at:
        return None
    draft, closed_at, merged_at, merged_by = pull.draft, None, None, None
    labels: list[int] = []
    comments, commits, updated_at = 0, 1, pull.created_at
    for event in pull.events:
        if event.at > now:
            break
        updated_at = event.at
        if event.kind == "ready":
            draft = False
        elif event.kind == "pushed":
            commits += 1
        elif event.kind == "commented":
            comments += 1
        elif event.kind == "labelled" and event.label is not None:
            labels.append(event.label)
        elif event.kind == "merged":
            closed_at = merged_at = event.at
            merged_by = event.who
        elif event.kind == "closed":
            closed_at = event.at
        elif event.kind == "reopened":
            closed_at = None
    if touched_at is not None and pull.created_at <= touched_at <= now:
        comments, updated_at = comments + 1, max(updated_at, touched_at)
    return PullState(
        state="open" if closed_at is None else "closed",
        draft=draft,
        labels=tuple(dict.fromkeys(labels)),
        updated_at=updated_at,
        closed_at=closed_at,
        merged_at=merged_at,
        merged_by=merged_by,
        comments=comments,
        commits=commits,
    )


@dataclass(frozen=True, slots=True)
class Opening:
    """Where, when and by whom a pull request is opened; `id` is unique among all, `number` in its repository."""

    id: int
    repository: str
    number: int
    author: Person
    at: datetime


def draw_pull(seed: int, opening: Opening, people: Sequence[Person]) -> Pull:
    """A pull request and its future; `people` are those who may review, merge and comment."""
    rng = Random(f"{seed}/pull/{opening.repository}/{opening.number}")
    by_bot = opening.author.kind == "Bot"
    draft = not by_bot and rng.random() < 0.2
    others = [person.login for person in people if person.kind == "User" and person.login != opening.author.login]
    from_fork = not by_bot and rng.random() < 0.1
    return Pull(
        id=opening.id,
        repository=opening.repository,
        number=opening.number,
        author=opening.author,
        title=_TITLES[-1] if by_bot else rng.choice(_TITLES[:-1]),
        body=None if rng.random() < 0.15 else "Why: see the ticket.\r\n\r\n- [x] tested \N{TEST TUBE}",
        created_at=opening.at,
        draft=draft,
        events=tuple(_future(rng, opening.at, others, draft=draft, by_bot=by_bot)),
        reviewers=tuple(rng.sample(others, min(len(others), rng.choice((0, 1, 1, 2))))),
        additions=int(rng.lognormvariate(3.5, 1.3)),
        deletions=int(rng.lognormvariate(2.6, 1.4)),
        changed_files=1 + int(rng.lognormvariate(1.0, 0.9)),
        from_fork=from_fork,
        fork_deleted_at=opening.at + timedelta(days=rng.uniform(5, 60)) if from_fork and rng.random() < 0.5 else None,
    )


def _future(rng: Random, created_at: datetime, others: list[str], *, draft: bool, by_bot: bool) -> list[Event]:
    lasts = timedelta(hours=min(24 * 60, rng.lognormvariate(2.9, 1.4)))
    ended = _second(created_at + lasts)
    drawn: list[Event] = []

    def between() -> datetime:
        return _second(created_at + lasts * rng.random())

    if draft:
        drawn.append(Event(_second(created_at + lasts * 0.4 * rng.random()), "ready"))
    drawn += [Event(between(), "pushed") for _ in range(rng.choice((0, 0, 1, 1, 2, 4)))]
    drawn += [Event(between(), "commented", rng.choice(others)) for _ in range(rng.choice((0, 1, 1, 2, 3, 6)))]
    if by_bot:
        drawn.append(Event(_second(created_at + timedelta(seconds=2)), "labelled", label=2))
    elif rng.random() < 0.4:
        drawn.append(Event(between(), "labelled", label=rng.choice((0, 1, 3))))
    fate = rng.random()
    if fate < 0.78:
        drawn.append(Event(ended, "merged", rng.choice(others)))
    elif fate < 0.92:
        drawn.append(Event(ended, "closed"))
        if rng.random() < 0.25:
            again = _second(ended + timedelta(hours=rng.uniform(1, 100)))
            drawn.append(Event(again, "reopened"))
            drawn.append(Event(_second(again + timedelta(hours=rng.uniform(1, 60))), "merged", rng.choice(others)))
    if rng.random() < 0.06:  # somebody asks about it long after
        drawn.append(Event(_second(ended + timedelta(days=rng.uniform(20, 150))), "commented", rng.choice(others)))
    return sorted(drawn, key=lambda event: event.at)


def _second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
