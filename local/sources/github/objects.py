"""Pull requests, users and teams as the API shows them at an instant."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, overload

from local.sources.github.people import ORGANISATION, Membership, Person, Team
from local.sources.github.pulls import LABELS, Pull, PullState
from local.sources.kit.instants import rfc3339

JsonObject = dict[str, Any]
API = "https://api.github.com"
SITE = "https://github.com"


@overload
def stamp(instant: datetime) -> str: ...
@overload
def stamp(instant: datetime | None) -> str | None: ...
def stamp(instant: datetime | None) -> str | None:
    """An instant to the second, as the API writes it; None stays None."""
    return None if instant is None else rfc3339(instant.replace(microsecond=0))


def simple_user(person: Person | None, now: datetime) -> JsonObject | None:
    """A user inside of something else; None for an account that is gone, as `ghost` appears to readers."""
    if person is None or not person.exists(now):
        return None
    return {
        "login": person.login,
        "id": person.id,
        "node_id": f"U_{person.id}",
        "type": person.kind,
        "site_admin": False,
        "html_url": f"{SITE}/{person.login}",
        "url": f"{API}/users/{person.login}",
    }


def full_user(person: Person, now: datetime) -> JsonObject:
    """`GET /users/{login}`."""
    return {
        **(simple_user(person, now) or {}),
        "name": person.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": person.email,
        "bio": None,
        "public_repos": person.id % 40,
        "followers": person.id % 90,
        "following": person.id % 30,
        "created_at": stamp(person.created_at),
        "updated_at": stamp(person.updated_at(now)),
    }


def team_object(team: Team, now: datetime) -> JsonObject:
    """A team in the organisation's list."""
    return {
        "id": team.id,
        "node_id": f"T_{team.id}",
        "name": team.names.at(now),
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "permission": "pull",
        "parent": None,
        "url": f"{API}/orgs/{ORGANISATION}/teams/{team.slug}",
        "html_url": f"{SITE}/orgs/{ORGANISATION}/teams/{team.slug}",
    }


def member_object(person: Person, membership: Membership, now: datetime) -> JsonObject | None:
    """A member in a team's list; the list itself doesn't tell the role, it can only be asked for by it."""
    return simple_user(person, now) if membership.holds(now) else None


def pull_object(pull: Pull, state: PullState, people: dict[str, Person], now: datetime) -> JsonObject:
    """A pull request in a list."""
    url = f"{SITE}/{ORGANISATION}/{pull.repository}/pull/{pull.number}"
    reviewers = [simple_user(people[login], now) for login in pull.reviewers] if state.state == "open" else []
    return {
        "id": pull.id,
        "node_id": f"PR_{pull.id}",
        "number": pull.number,
        "state": state.state,
        "locked": False,
        "active_lock_reason": None,
        "title": pull.title,
        "body": pull.body,
        "user": simple_user(pull.author, now),
        "labels": [_label(number) for number in state.labels],
        "milestone": None,
        "draft": state.draft,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(state.updated_at),
        "closed_at": stamp(state.closed_at),
        "merged_at": stamp(state.merged_at),
        "merge_commit_sha": None if state.merged_at is None else _sha(pull, "merge"),
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [reviewer for reviewer in reviewers if reviewer is not None],
        "requested_teams": [],
        "head": _head(pull, now),
        "base": {
            "label": f"{ORGANISATION}:main",
            "ref": "main",
            "sha": _sha(pull, "base"),
            "user": {"login": ORGANISATION, "type": "Organization"},
            "repo": {"full_name": f"{ORGANISATION}/{pull.repository}", "private": True, "fork": False},
        },
        "author_association": "CONTRIBUTOR" if pull.from_fork else "MEMBER",
        "auto_merge": None,
        "html_url": url,
        "url": f"{API}/repos/{ORGANISATION}/{pull.repository}/pulls/{pull.number}",
    }


def pull_detail(pull: Pull, state: PullState, people: dict[str, Person], now: datetime) -> JsonObject:
    """One pull request: what the list shows, and the counts that only this tells."""
    merged = state.merged_at is not None
    return {
        **pull_object(pull, state, people, now),
        "merged": merged,
        "mergeable": None if state.state == "closed" else True,
        "mergeable_state": "unknown" if state.state == "closed" else "clean",
        "rebaseable": None,
        "merged_by": simple_user(people.get(state.merged_by or ""), now) if merged else None,
        "comments": state.comments,
        "review_comments": state.comments // 2,
        "maintainer_can_modify": pull.from_fork,
        "commits": state.commits,
        "additions": pull.additions,
        "deletions": pull.deletions,
        "changed_files": pull.changed_files,
    }


def _label(number: int) -> JsonObject:
    name, colour = LABELS[number]
    return {"id": 70_001 + number, "name": name, "color": colour, "description": None}


def _head(pull: Pull, now: datetime) -> JsonObject:
    """Where the change comes from; the repository is null once a fork has been deleted."""
    owner = pull.author.login if pull.from_fork else ORGANISATION
    gone = pull.fork_deleted_at is not None and pull.fork_deleted_at <= now
    repository = {"full_name": f"{owner}/{pull.repository}", "private": True, "fork": pull.from_fork}
    return {
        "label": f"{owner}:change-{pull.number}",
        "ref": f"change-{pull.number}",
        "sha": _sha(pull, "head"),
        "user": simple_user(pull.author, now),
        "repo": None if gone else repository,
    }


def _sha(pull: Pull, what: str) -> str:
    return hashlib.sha256(f"{pull.id}/{what}".encode()).hexdigest()[:40]
