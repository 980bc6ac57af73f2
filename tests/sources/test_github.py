"""GitHub over months: pull requests that change long after, people who change teams or leave."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.sources.github.expected import expected_memberships, expected_pulls, expected_users
from local.sources.github.world import GithubWorld
from tests.sources.reading import SEED, START, Doubles, Reading, doubles

PULLS, USERS = "github_pull_requests", "github_users"
FIRST = datetime(2026, 2, 10, 4, 3, tzinfo=UTC)
INSTANTS = (
    *(FIRST + timedelta(days=n) for n in range(6)),
    *(FIRST + timedelta(days=9 * n) for n in range(1, 22)),
)
LAST = INSTANTS[-1]


@pytest.fixture(scope="module")
def world() -> GithubWorld:
    return GithubWorld(SEED, START)


@pytest.fixture(scope="module")
def story() -> Iterator[Reading]:
    with doubles(FIRST) as served:
        reading = Reading(served)
        for at in sorted(set(INSTANTS)):
            reading.read(PULLS, at)
            reading.read(USERS, at)
            _compare_people(reading, GithubWorld(SEED, START), at)
        yield reading


def _compare_people(reading: Reading, world: GithubWorld, at: datetime) -> None:
    """A reading tells teams of now only, so each is compared on its own day."""
    held = {
        row["login"]: (row["user_id"], row["name"], row["email"], row["updated_at"], row["team_slugs"])
        for row in reading.rows(USERS)
    }
    teams: dict[str, list[str]] = {}
    for member in expected_memberships(world, at):
        if member["valid_to"] is None:
            teams.setdefault(member["login"], []).append(member["team"])
    right = {
        login: (user["id"], user["name"], user["email"], user["updated_at"], ",".join(sorted(teams[login])))
        for user in expected_users(world, at)
        if (login := user["login"]) in teams
    }
    assert held == right, at


def test_nothing_is_rejected(story: Reading) -> None:
    """The double keeps to its contract."""
    assert story.quarantined() == []
    assert all(row["dq_valid"] for source in (PULLS, USERS) for row in story.rows(source))


def test_pull_requests_are_held_as_they_stand(story: Reading, world: GithubWorld) -> None:
    """Also those that changed months after they were closed; authors outlive their accounts once they were read."""
    held = {row["pull_request_id"]: row for row in story.rows(PULLS)}
    right = {row["id"]: row for row in expected_pulls(world, LAST)}
    assert held.keys() == right.keys()
    logins = {pull.id: pull.author for name in ("storefront", "platform", "mobile") for pull in world.pulls(name, LAST)}
    forgotten = 0
    for key, expected in right.items():
        row = held[key]
        told: dict[str, Any] = {
            "repository": row["repository"],
            "number": row["number"],
            "state": row["state"],
            "draft": row["is_draft"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
            "closed_at": row["closed_at"],
            "merged_at": row["merged_at"],
        }
        assert told == {name: value for name, value in expected.items() if name not in {"id", "author"}}
        author = logins[key]
        if row["author_login"] is None:
            assert expected["author"] is None
            assert author.deleted_at is not None
            forgotten += 1
        else:
            assert (row["author_login"], row["author_id"]) == (author.login, author.id)
    outlived = [key for key, row in right.items() if row["author"] is None and held[key]["author_login"] is not None]
    assert outlived, "nobody left"
    assert len(right) > 900


def test_people_who_left_are_gone(story: Reading, world: GithubWorld) -> None:
    """With the first whole reading that lacks them."""
    gone = {row["login"] for row in story.rows(USERS, live=False)}
    now = {user["login"] for user in expected_users(world, LAST)}
    then = {user["login"] for user in expected_users(world, FIRST)}
    assert gone == then - now
    assert gone


def test_somebody_changed_team_and_it_was_seen(story: Reading) -> None:
    """What the SCD2 dimension downstream is made of."""
    slugs: dict[int, set[str]] = {}
    for row in story.landed_rows(USERS):
        slugs.setdefault(row["user_id"], set()).add(row["team_slugs"])
    assert sum(len(seen) > 1 for seen in slugs.values()) > 3


def test_a_quiet_day_reads_a_page_a_repository(story: Reading) -> None:
    """Newest first, down to where the range begins."""
    daily = story.parts(PULLS)[1:6]
    assert max(part.rows for part in daily) < 60
    asked = [r for r in story.http.requests if "/pulls" in r.url]
    first_reading = len(asked) - 3 * len(story.parts(PULLS)[1:])
    assert first_reading < 30


def test_rows_that_shift_while_they_are_read_are_not_lost(world: GithubWorld) -> None:
    """Old ones are commented on between two pages move to the front: others come twice, the next window has all."""
    later = FIRST + timedelta(days=1)
    with doubles(FIRST) as served:
        reading = Reading(served, page_size=20)
        shifts = {"action": "insert_rows", "path": "/repos/example-works/platform/pulls", "rows": 3}
        served.arm({"family": "github", **shifts})
        reading.read(PULLS, FIRST)
        served.arm()
        reading.read(PULLS, later)
    assert len(reading.rows(PULLS)) == len(expected_pulls(world, later))


def test_an_extraction_that_is_cut_anywhere_brings_the_same() -> None:
    """Small pages and time for a few requests only; the parts joined equal the whole."""
    with doubles(FIRST) as served:
        whole, cut = Reading(served), Reading(served, page_size=20)
        whole.read(PULLS, FIRST)
        cut.http.seconds = 150.0
        cut.read(PULLS, FIRST)
    assert cut.invocations > 3
    held = {row["pull_request_id"]: row["payload"] for row in whole.rows(PULLS)}
    assert {row["pull_request_id"]: row["payload"] for row in cut.rows(PULLS)} == held


@pytest.fixture
def served() -> Iterator[Doubles]:
    with doubles(FIRST) as found:
        yield found


def test_an_account_that_goes_between_list_and_profile_is_left_out(served: Doubles) -> None:
    """A 404 is an answer here; the person is gone with this reading."""
    reading = Reading(served)
    reading.read(USERS, FIRST)
    login = reading.rows(USERS)[0]["login"]
    served.arm({"family": "github", "action": "status", "path": f"/users/{login}", "status": 404})
    reading.read(USERS, FIRST + timedelta(days=1))
    assert [row["login"] for row in reading.rows(USERS, live=False)] == [login]
