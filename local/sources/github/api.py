"""GitHub over HTTP: the calls that the platform makes, for one organisation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from local.sources.github.objects import full_user, member_object, pull_detail, pull_object, team_object
from local.sources.github.paths import GITHUB, MEMBERS, PULL, PULLS, RATE_LIMIT, TEAMS, USER
from local.sources.github.people import ORGANISATION, Team
from local.sources.github.pulls import Pull, PullState, state_of
from local.sources.github.quotas import Quotas, Refused
from local.sources.github.world import REPOSITORIES, GithubWorld
from local.sources.kit.family import Surroundings
from local.sources.kit.pages import NumberedPager
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal, Vendor

VERSIONS = ("2022-11-28", "2026-03-10")
PER_PAGE_DEFAULT, PER_PAGE_LIMIT = 30, 100
_DOCS = "https://docs.github.com/rest"
_MESSAGES = {401: "Bad credentials", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A pull request beside its state."""

    pull: Pull
    state: PullState


class Github(Vendor):
    """The API as one organisation's token sees it."""

    family = GITHUB

    def __init__(self, surroundings: Surroundings, world: GithubWorld, *, hourly_requests: int = 5000) -> None:
        super().__init__(surroundings)
        self._world = world
        self._quotas = Quotas(surroundings.wall_clock, hourly_requests)
        self._pager = NumberedPager(surroundings.faults)
        self._references = {key: reference for reference, key in surroundings.keys.items()}
        self._people = {person.login: person for person in world.people}
        self._touched: dict[int, datetime] = {}

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """Pull requests, users, teams, and what is left of the hour's requests."""
        return {
            ("GET", PULLS): self._pulls,
            ("GET", PULL): self._pull,
            ("GET", USER): self._user,
            ("GET", TEAMS): self._teams,
            ("GET", MEMBERS): self._members,
            ("GET", RATE_LIMIT): self._rate_limit,
        }

    def account_of(self, asked: Asked) -> str:
        """By `Authorization: Bearer …`; a request that names no client or an unknown version isn't looked at."""
        if not asked.headers.get("user-agent"):
            raise self.refusal(403, "Request forbidden by administrative rules. A User-Agent header is required.")
        version = asked.headers.get("x-github-api-version", VERSIONS[0])
        if version not in VERSIONS:
            raise self.refusal(400, f"{version!r} is not a supported API version")
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        reference = self._references.get(token.strip()) if scheme.lower() in {"bearer", "token"} else None
        if reference is None:
            # who shows no token is told that there is nothing: everything here is private
            raise self.refusal(401 if token else 404, "")
        return reference

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{message, documentation_url, status}`; the status is a string in the body."""
        told = _MESSAGES.get(status, message)
        return Refusal(status, {"message": told, "documentation_url": _DOCS, "status": str(status)}, headers)

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """Both limits; over one of them 403, with `retry-after` where it is the secondary one."""
        if asked.path == RATE_LIMIT:
            return {}
        taken = self._quotas.take(asked.account)
        if not isinstance(taken, Refused):
            return taken
        if taken.primary:
            raise self.refusal(403, "API rate limit exceeded for user ID 8900001.", taken.headers)
        told = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        raise self.refusal(403, told, {**taken.headers, "retry-after": str(taken.retry_after)})

    def _pulls(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        repository = self._repository(asked)
        wanted = self._choice(asked, "state", ("open", "closed", "all"))
        key = self._choice(asked, "sort", ("created", "updated", "popularity", "long-running"))
        # newest first only where nothing is said about the order
        usual = ("desc", "asc") if asked.single("sort") in {None, "created"} else ("asc", "desc")
        direction = self._choice(asked, "direction", usual)
        shown = [row for row in self._shown(repository, now) if wanted in {"all", row.state.state}]
        shown.sort(key=lambda row: _sort_key(row, key), reverse=direction == "desc")
        page = self._page(asked, shown, f"{asked.path} {wanted} {key} {direction}")
        answer = self._rows(asked, [pull_object(s.pull, s.state, self._people, now) for s in page[0]], page[1])
        for rule in asked.faults:
            if rule.action == "insert_rows":
                for row in sorted(shown, key=lambda row: row.state.updated_at)[: rule.rows]:
                    self._touched[row.pull.id] = rule.created_at or now
        return answer

    def _pull(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        number = asked.path.rsplit("/", 1)[1]
        found = [row for row in self._shown(self._repository(asked), now) if str(row.pull.number) == number]
        if not found:
            raise self.refusal(404, "")
        return self._fresh(asked, pull_detail(found[0].pull, found[0].state, self._people, now), {})

    def _user(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        person = self._world.person(asked.path.rsplit("/", 1)[1])
        if person is None or not person.exists(now):
            raise self.refusal(404, "")
        return self._fresh(asked, full_user(person, now), {})

    def _teams(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        self._organisation(asked)
        rows = [team_object(team, now) for team in self._world.teams if team.created_at <= now]
        page, links = self._page(asked, rows, asked.path)
        return self._rows(asked, page, links)

    def _members(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        self._organisation(asked)
        role = self._choice(asked, "role", ("all", "member", "maintainer"))
        rows = [
            member
            for membership in self._team(asked, now).memberships
            if role in {"all", membership.role}
            and (member := member_object(self._people[membership.login], membership, now)) is not None
        ]
        page, links = self._page(asked, rows, f"{asked.path} {role}")
        return self._rows(asked, page, links)

    def _rate_limit(self, asked: Asked) -> Answer:
        told = self._quotas.headers(asked.account)
        core = {name: int(told[f"x-ratelimit-{name}"]) for name in ("limit", "used", "remaining", "reset")}
        return Answer({"resources": {"core": core}, "rate": core})

    def _shown(self, repository: str, now: datetime) -> list[_Shown]:
        pulls = self._world.pulls(repository, now)
        states = ((pull, state_of(pull, now, self._touched.get(pull.id))) for pull in pulls)
        return [_Shown(pull, state) for pull, state in states if state is not None]

    def _repository(self, asked: Asked) -> str:
        _, _, owner, repository, *_ = asked.path.split("/")
        if owner.lower() != ORGANISATION or repository.lower() not in REPOSITORIES:
            raise self.refusal(404, "")
        return repository.lower()

    def _organisation(self, asked: Asked) -> None:
        if asked.path.split("/")[2].lower() != ORGANISATION:
            raise self.refusal(404, "")

    def _team(self, asked: Asked, now: datetime) -> Team:
        slug = asked.path.split("/")[4]
        for team in self._world.teams:
            if team.slug == slug and team.created_at <= now:
                return team
        raise self.refusal(404, "")

    def _choice(self, asked: Asked, name: str, allowed: tuple[str, ...]) -> str:
        value = asked.single(name) or allowed[0]
        if value not in allowed:
            raise self.refusal(422, f"Validation Failed: {name} must be one of {', '.join(allowed)}")
        return value

    def _page(self, asked: Asked, rows: Sequence[Any], list_name: str) -> tuple[Sequence[Any], dict[str, str]]:
        """The page asked for, and its `Link` header; sizes and numbers that make no sense count as not given."""
        size = min(_positive(asked.single("per_page"), PER_PAGE_DEFAULT), PER_PAGE_LIMIT)
        number = _positive(asked.single("page"), 1)
        page = self._pager.page(rows, asked, size=size, number=number, list_name=f"{list_name} {size}")
        neighbours: dict[str, int] = {}
        if number > 1:
            neighbours |= {"prev": number - 1}
        if page.has_more:
            neighbours |= {"next": 1 if asked.has_fault("loop_cursor") else number + 1, "last": page.page_count}
        if number > 1:
            neighbours |= {"first": 1}
        others = [(name, value) for name, value in asked.query if name != "page"]
        links = [
            f'<{asked.base_url}{asked.path}?{urlencode([*others, ("page", str(to))])}>; rel="{rel}"'
            for rel, to in neighbours.items()
        ]
        return page.rows, {"Link": ", ".join(links)} if links else {}

    def _rows(self, asked: Asked, rows: Sequence[Any], links: dict[str, str]) -> Answer:
        return self._fresh(asked, asked.records(rows), links)

    def _fresh(self, asked: Asked, content: object, headers: dict[str, str]) -> Answer:
        """The answer with its `ETag`; 304 without a body, and without counting, to who has it already."""
        tag = f'W/"{hashlib.sha256(msgspec.json.encode(content)).hexdigest()}"'
        headers = {**headers, "ETag": tag}
        known = [text.strip() for text in asked.headers.get("if-none-match", "").split(",")]
        if tag in known or "*" in known:
            quota = self._quotas.give_back(asked.account) if self.surroundings.rate_limited else {}
            return Answer(b"", {**headers, **quota}, 304)
        return Answer(content, headers)


def _positive(text: str | None, default: int) -> int:
    return int(text[:9]) if text and text.isascii() and text.isdecimal() and int(text[:9]) > 0 else default


def _sort_key(row: _Shown, key: str) -> tuple[Any, ...]:
    if key == "updated":
        return row.state.updated_at, row.pull.id
    if key == "popularity":
        return row.state.comments, row.pull.id
    return row.pull.created_at, row.pull.id
