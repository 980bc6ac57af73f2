"""What a correct reader of GitHub holds in the end, as plain rows, told from the world and not from any page."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from local.sources.github.world import REPOSITORIES, GithubWorld


class PullRow(TypedDict):
    """One pull request; `author` None once the account is gone."""

    id: int
    repository: str
    number: int
    author: str | None
    state: str
    draft: bool
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None


class MembershipRow(TypedDict):
    """A person in a team, from when to when; `valid_to` None while it holds."""

    team: str
    login: str
    role: str
    valid_from: datetime
    valid_to: datetime | None


class UserRow(TypedDict):
    """An account that exists."""

    id: int
    login: str
    name: str | None
    email: str | None
    updated_at: datetime


def expected_pulls(world: GithubWorld, now: datetime) -> list[PullRow]:
    """Every pull request opened by `now`, repository by repository, oldest first."""
    rows: list[PullRow] = []
    for repository in REPOSITORIES:
        for pull in world.pulls(repository, now):
            past = [event for event in pull.events if event.at <= now]
            endings = [event for event in past if event.kind in {"merged", "closed", "reopened"}]
            last = endings[-1] if endings and endings[-1].kind != "reopened" else None
            gone = pull.author.deleted_at
            rows.append(
                {
                    "id": pull.id,
                    "repository": repository,
                    "number": pull.number,
                    "author": None if gone is not None and gone <= now else pull.author.login,
                    "state": "open" if last is None else "closed",
                    "draft": pull.draft and not any(event.kind == "ready" for event in past),
                    "created_at": pull.created_at,
                    "updated_at": past[-1].at if past else pull.created_at,
                    "closed_at": None if last is None else last.at,
                    "merged_at": last.at if last is not None and last.kind == "merged" else None,
                }
            )
    return rows


def expected_memberships(world: GithubWorld, now: datetime) -> list[MembershipRow]:
    """Every membership that began by `now`, ended ones too, team by team."""
    return [
        {
            "team": team.slug,
            "login": membership.login,
            "role": membership.role,
            "valid_from": membership.start,
            "valid_to": membership.end if membership.end is not None and membership.end <= now else None,
        }
        for team in world.teams
        for membership in team.memberships
        if membership.start <= now
    ]


def expected_users(world: GithubWorld, now: datetime) -> list[UserRow]:
    """Every account that exists at `now`, the bot last."""
    return [
        {
            "id": person.id,
            "login": person.login,
            "name": person.name,
            "email": person.email,
            "updated_at": max([person.created_at, *(at for at in person.profile_changes if at <= now)]),
        }
        for person in world.people
        if person.created_at <= now and (person.deleted_at is None or now < person.deleted_at)
    ]
