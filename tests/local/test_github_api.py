"""GitHub's contract as docs/sources/github.md has it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from local.sources.ai_tools.engineers import account, engineers
from local.sources.github.api import Github
from local.sources.github.expected import expected_memberships, expected_pulls, expected_users
from local.sources.github.paths import GITHUB, LISTS, SECRET
from local.sources.github.world import REPOSITORIES, GithubWorld
from local.sources.kit.family import Family
from tests.local.opened_doubles import FAMILIES, KEY, NOW, SEED, START, Opened, RecordedPage, opened, recorded

ORG = "/orgs/example-works"
PULLS = "/repos/example-works/storefront/pulls"
BY_UPDATE = {"state": "all", "sort": "updated", "direction": "desc"}
WORLD = GithubWorld(SEED, START)
LATE = START + timedelta(days=300)
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


@pytest.fixture(scope="module")
def served() -> Iterator[Opened]:
    with opened(FAMILIES["github"]) as double:
        yield double


@pytest.fixture
def double(served: Opened) -> Opened:
    served.clock.now = NOW
    served.arm()
    return served


@pytest.fixture
def own() -> Iterator[Opened]:
    """A double that the test may change for good."""
    with opened(FAMILIES["github"]) as double:
        yield double


def following(response: httpx.Response) -> str | None:
    match = _NEXT.search(response.headers.get("link", ""))
    return match[1] if match else None


def read_all(double: Opened, path: str, **parameters: str | int) -> list[dict[str, Any]]:
    response = double.client.get(path, params=parameters)
    rows: list[dict[str, Any]] = []
    for _ in range(200):
        assert response.status_code == 200, response.text
        rows += response.json()
        address = following(response)
        if address is None:
            return rows
        response = double.client.get(address)
    raise AssertionError("no end of pages")


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"Authorization": ""}, 404, "Not Found"),
        ({"Authorization": "Bearer wrong"}, 401, "Bad credentials"),
        ({"Authorization": f"Basic {KEY}"}, 401, "Bad credentials"),
        ({"User-Agent": ""}, 403, "User-Agent"),
        ({"X-GitHub-Api-Version": "2020-01-01"}, 400, "2020-01-01"),
    ],
)
def test_requests_without_the_right_headers_are_refused(
    double: Opened, headers: dict[str, str], status: int, message: str
) -> None:
    """In the vendor's shape, the status a string in the body."""
    refused = double.client.get(PULLS, headers=headers)
    assert refused.status_code == status
    assert refused.json()["status"] == str(status)
    assert message in refused.json()["message"]


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_the_pages_of_pull_requests_joined_are_the_whole(double: Opened, repository: str) -> None:
    """Newest change first, through the `Link` of each page."""
    rows = read_all(double, f"/repos/example-works/{repository}/pulls", **BY_UPDATE, per_page=17)
    expected = [e for e in expected_pulls(WORLD, NOW) if e["repository"] == repository]
    expected.sort(key=lambda e: (e["updated_at"], e["id"]), reverse=True)
    assert [row["id"] for row in rows] == [e["id"] for e in expected]
    for row, e in zip(rows, expected, strict=True):
        assert (row["user"] and row["user"]["login"]) == e["author"]
        assert (row["number"], row["state"], row["draft"]) == (e["number"], e["state"], e["draft"])
        for name in ("created_at", "updated_at", "closed_at", "merged_at"):
            assert instant(row[name]) == e[name]
        assert "merged" not in row, "only the single pull request tells that"


def test_the_defaults_hide_what_is_closed(double: Opened) -> None:
    """Open ones only, thirty a page, newest first."""
    every = read_all(double, PULLS, **BY_UPDATE, per_page=100)
    default = double.client.get(PULLS).json()
    opened_only = [row for row in every if row["state"] == "open"]
    newest = sorted(opened_only, key=lambda row: (row["created_at"], row["id"]), reverse=True)
    assert default == newest[:30]
    ascending = read_all(double, PULLS, state="all", sort="updated", per_page=100)
    assert ascending == every[::-1], "a sort other than by creation is ascending unless told"


def test_reading_down_to_a_watermark_finds_every_change(own: Opened) -> None:
    """There is no `since`: stop at the first row that is older. Only accounts and forks go without a trace."""
    own.clock.now = since = NOW - timedelta(days=3)
    before = {row["id"]: row for row in read_all(own, PULLS, **BY_UPDATE, per_page=100)}
    own.clock.now = NOW
    after = {row["id"]: row for row in read_all(own, PULLS, **BY_UPDATE, per_page=100)}
    seen: set[int] = set()
    for row in read_all(own, PULLS, **BY_UPDATE, per_page=10):
        if datetime.fromisoformat(row["updated_at"]) < since:
            break
        seen.add(row["id"])
    untold = {"user", "head", "requested_reviewers"}

    def told(row: dict[str, Any] | None) -> dict[str, Any]:
        return {name: value for name, value in (row or {}).items() if name not in untold}

    assert {i for i in after if told(after[i]) != told(before.get(i))} == seen
    assert len(seen) > 5


def test_rows_shift_while_reading(own: Opened) -> None:
    """A change in the middle of a reading moves its row to the front: others come twice, that one not at all."""
    whole = [row["id"] for row in read_all(own, PULLS, **BY_UPDATE, per_page=20)]
    own.arm({"action": "insert_rows", "rows": 2, "skip": 1})
    read = [row["id"] for row in read_all(own, PULLS, **BY_UPDATE, per_page=20)]
    twice = {i for i, count in Counter(read).items() if count > 1}
    assert twice == set(whole[38:40])
    assert set(whole) - set(read) == set(whole[-2:])
    again = [row["id"] for row in read_all(own, PULLS, **BY_UPDATE, per_page=20)]
    assert sorted(again[:2]) == sorted(whole[-2:])
    assert again[2:] == whole[:-2]


def test_a_reopened_pull_request_is_open_again(double: Opened) -> None:
    """Until it is merged after all."""
    pull, events = next(
        (pull, pull.events)
        for pull in WORLD.pulls("storefront", LATE)
        if any(event.kind == "reopened" for event in pull.events)
    )
    at = {event.kind: event.at for event in events}
    told = []
    for now in (at["closed"], at["reopened"], at["merged"]):
        double.clock.now = now
        row = double.get(f"{PULLS}/{pull.number}")
        told.append((row["state"], instant(row["closed_at"]), row["merged"]))
    assert told == [("closed", at["closed"], False), ("open", None, False), ("closed", at["merged"], True)]


def test_one_pull_request_tells_more(double: Opened) -> None:
    """Merged or not, by whom, and how large it is."""
    rows = read_all(double, PULLS, **BY_UPDATE, per_page=100)
    merged = next(row for row in rows if row["merged_at"])
    one = double.get(f"{PULLS}/{merged['number']}")
    assert one["merged"] is True
    assert one["merged_by"]["login"] in {person.login for person in WORLD.people}
    assert {"additions", "deletions", "changed_files", "commits", "comments"} <= one.keys()
    assert {name: one[name] for name in merged} == merged
    waiting = next(row for row in rows if row["state"] == "open")
    assert double.get(f"{PULLS}/{waiting['number']}")["merged"] is False
    assert double.client.get(f"{PULLS}/999999").status_code == 404


def test_people_who_left_leave_pull_requests_without_author(double: Opened) -> None:
    """`user` is null, a deleted fork's `head.repo` too; the account itself is gone."""
    double.clock.now = LATE
    rows = read_all(double, PULLS, **BY_UPDATE, per_page=100)
    assert any(row["user"] is None for row in rows)
    assert any(row["head"]["repo"] is None for row in rows)
    assert any(row["head"]["repo"] and row["head"]["repo"]["fork"] for row in rows)
    assert any(row["user"] and row["user"]["type"] == "Bot" for row in rows)
    assert any(row["body"] is None for row in rows)
    gone = {p.login for p in WORLD.people} - {e["login"] for e in expected_users(WORLD, LATE)}
    assert gone
    for login in gone:
        assert double.client.get(f"/users/{login}").status_code == 404


def test_users_are_those_expected(double: Opened) -> None:
    """Looked up whatever the case; the address often null."""
    for e in expected_users(WORLD, NOW):
        row = double.get(f"/users/{e['login']}")
        assert (row["id"], row["login"], row["name"], row["email"]) == (e["id"], e["login"], e["name"], e["email"])
        assert instant(row["updated_at"]) == e["updated_at"].replace(microsecond=0)
    assert double.get("/users/ENG001-GH")["login"] == "eng001-gh"
    assert {e["email"] is None for e in expected_users(WORLD, NOW)} == {True, False}
    assert double.client.get("/users/nobody").status_code == 404


@pytest.mark.parametrize("now", [START, NOW, LATE])
def test_teams_and_their_members_change(double: Opened, now: datetime) -> None:
    """Who is in a team is known only of the moment that was asked."""
    double.clock.now = now
    told = {
        (team["slug"], member["login"])
        for team in read_all(double, f"{ORG}/teams", per_page=3)
        for member in read_all(double, f"{ORG}/teams/{team['slug']}/members", per_page=4)
    }
    assert told == {(e["team"], e["login"]) for e in expected_memberships(WORLD, now) if e["valid_to"] is None}
    assert any(e["valid_to"] for e in expected_memberships(WORLD, now)) is (now == LATE)
    maintainers = read_all(double, f"{ORG}/teams/platform/members", role="maintainer")
    members = read_all(double, f"{ORG}/teams/platform/members", role="member")
    assert len(maintainers) + len(members) == len([slug for slug, _ in told if slug == "platform"])


def test_a_team_is_founded_and_one_is_renamed(double: Opened) -> None:
    """The slug stays."""
    names = []
    for now in (START, LATE):
        double.clock.now = now
        names.append({team["slug"]: team["name"] for team in read_all(double, f"{ORG}/teams")})
    before, after = names
    assert set(after) - set(before) == {"data"}
    assert (before["platform"], after["platform"]) == ("Platform", "Platform & Tools")
    double.clock.now = START
    assert double.client.get(f"{ORG}/teams/data/members").status_code == 404


@pytest.mark.parametrize("path", ["/repos/other/storefront/pulls", "/repos/example-works/else/pulls", "/orgs/x/teams"])
def test_what_is_elsewhere_is_not_found(double: Opened, path: str) -> None:
    """404."""
    assert double.client.get(path).status_code == 404


def test_parameters_that_make_no_sense(double: Opened) -> None:
    """Words are refused with 422; numbers out of range count as not given, sizes are held to 100."""
    assert double.client.get(PULLS, params={"state": "merged"}).status_code == 422
    assert len(double.client.get(PULLS, params={**BY_UPDATE, "per_page": 500}).json()) == 100
    first = double.client.get(PULLS, params=BY_UPDATE).json()
    assert double.client.get(PULLS, params={**BY_UPDATE, "page": 0, "per_page": "x"}).json() == first
    assert double.client.get(PULLS, params={**BY_UPDATE, "page": 999}).json() == []


def test_a_page_that_has_not_changed_is_not_sent_again(own: Opened) -> None:
    """304 without a body; a change gives another tag."""
    first = own.client.get(PULLS, params=BY_UPDATE)
    again = own.client.get(PULLS, params=BY_UPDATE, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    own.clock.now = NOW + timedelta(days=1)
    changed = own.client.get(PULLS, params=BY_UPDATE, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


def test_the_hours_requests_are_told_and_a_304_is_free() -> None:
    """The reset is a unix time; asking for the limit costs nothing."""
    with opened(FAMILIES["github"], rate_limited=True) as double:
        first = double.client.get(PULLS, params={"per_page": 1})
        assert first.headers["x-ratelimit-remaining"] == "4999"
        assert first.headers["x-ratelimit-reset"] == str(int(double.wall[0]) + 3600)
        tag = {"If-None-Match": first.headers["etag"]}
        for _ in range(3):
            free = double.client.get(PULLS, params={"per_page": 1}, headers=tag)
            assert (free.status_code, free.headers["x-ratelimit-remaining"]) == (304, "4999")
        core = double.get("/rate_limit")["resources"]["core"]
        assert (core["limit"], core["used"], core["remaining"]) == (5000, 1, 4999)


def test_the_primary_limit_is_a_403_until_the_reset() -> None:
    """`x-ratelimit-remaining: 0`, no `retry-after`."""
    family = Family(
        GITHUB, (SECRET,), LISTS, lambda s: Github(s, GithubWorld(s.seed, START), hourly_requests=3).opened()
    )
    with opened(family, rate_limited=True) as double:
        answers = [double.client.get("/users/eng001-gh") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 403]
        refused = answers[-1]
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert "retry-after" not in refused.headers
        double.wall[0] = float(refused.headers["x-ratelimit-reset"])
        assert double.client.get("/users/eng001-gh").status_code == 200


def test_the_secondary_limit_is_a_403_with_retry_after() -> None:
    """900 points a minute; the hour's requests are far from used up."""
    with opened(FAMILIES["github"], rate_limited=True) as double:
        statuses = Counter(double.client.get("/users/eng001-gh").status_code for _ in range(900))
        assert statuses == {200: 900}
        refused = double.client.get("/users/eng001-gh")
        assert refused.status_code == 403
        assert refused.headers["retry-after"] == "60"
        assert int(refused.headers["x-ratelimit-remaining"]) > 4000
        assert "secondary rate limit" in refused.json()["message"]
        double.wall[0] += 60
        assert double.client.get("/users/eng001-gh").status_code == 200


def test_pages_can_be_hostile(double: Opened) -> None:
    """Broken records, pages that lead back to the first, an empty page in the middle, a limit out of the blue."""
    double.arm({"action": "corrupt_record", "record": {"updated_at": None, "user.login": 5}, "index": 1})
    row = double.client.get(PULLS, params={**BY_UPDATE, "per_page": 3}).json()[1]
    assert (row["updated_at"], row["user"]["login"]) == (None, 5)
    double.arm({"action": "loop_cursor", "always": True})
    first = double.client.get(PULLS, params=BY_UPDATE)
    assert "page=1>" in first.headers["link"]
    assert double.client.get(following(first) or "").json() == first.json()
    double.arm()
    whole = read_all(double, PULLS, **BY_UPDATE, per_page=20)
    double.arm({"action": "empty_page_with_cursor", "skip": 1})
    assert read_all(double, PULLS, **BY_UPDATE, per_page=20) == whole
    double.arm({"action": "status", "status": 403, "retry_after": "7"})
    refused = double.client.get(PULLS)
    assert (refused.status_code, refused.headers["retry-after"]) == (403, "7")


def test_the_same_seed_gives_the_same_organisation() -> None:
    """However the clock was moved to get there."""
    hopping = GithubWorld(SEED, START)
    for days in (3, 100, 40):
        hopping.pulls("mobile", START + timedelta(days=days))
    assert expected_pulls(hopping, LATE) == expected_pulls(GithubWorld(SEED, START), LATE)
    assert expected_pulls(hopping, LATE) != expected_pulls(GithubWorld(SEED + 1, START), LATE)
    assert expected_pulls(hopping, START - timedelta(days=1)) == []
    with pytest.raises(ValueError, match="midnight"):
        GithubWorld(1, START + timedelta(hours=1))


def test_people_are_the_engineers_that_copilot_reports() -> None:
    """By the same logins, so that the use of tools and pull requests can be laid side by side."""
    known = {account(engineer, "copilot", odd=True).actor for engineer in engineers(SEED)}
    assert {person.login for person in WORLD.people if person.kind == "User"} == known


def test_pull_requests_live_as_they_should() -> None:
    """Numbers go up with gaps, ids are unique; all fates are there, some are touched long after."""
    rows = expected_pulls(WORLD, LATE)
    assert len({row["id"] for row in rows}) == len(rows)
    for repository in REPOSITORIES:
        numbers = [row["number"] for row in rows if row["repository"] == repository]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] > len(numbers)
    for row in rows:
        assert row["created_at"] <= row["updated_at"] <= LATE
        assert (row["closed_at"] is None) == (row["state"] == "open")
        assert row["merged_at"] in {None, row["closed_at"]}
    assert 0.6 < sum(row["merged_at"] is not None for row in rows) / len(rows) < 0.9
    assert any(row["closed_at"] and row["updated_at"] - row["closed_at"] > timedelta(days=20) for row in rows)


@pytest.mark.parametrize("page", recorded("github"), ids=lambda page: page.name)
def test_a_recorded_page_is_what_the_double_shows(double: Opened, page: RecordedPage) -> None:
    """A page that no longer comes from anywhere would let its readers' tests pass for nothing."""
    assert page.answer(double) == json.loads(page.file.read_text(encoding="utf-8"))
