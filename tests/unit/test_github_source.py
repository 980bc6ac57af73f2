"""GitHub's lists: newest changes first down to the range's beginning; people with teams as one whole."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import PaginationLoop
from shared.extract.pages import PageRequest
from shared.extract.sender import UnusableBody
from shared.sources.family import ExtractionRange
from tests.support.source_pages import EVERYTHING, as_dicts, changed, fixture, rows_of, source, split, walk

PULLS, USERS = source("github_pull_requests"), source("github_users")
LIST = PageRequest("/repos/example-works/platform/pulls")
DAY = ExtractionRange(datetime(2026, 3, 14, 4, tzinfo=UTC), datetime(2026, 3, 15, 4, tzinfo=UTC))


def _link(url: str, rel: str = "next") -> dict[str, str]:
    return {"link": f'<https://api.github.com{url}>; rel="{rel}", <https://api.github.com/x?page=9>; rel="last"'}


def _pull(updated_at: str, **changes: object) -> dict[str, Any]:
    pull: dict[str, Any] = json.loads(fixture("github", "pulls_page"))[0]
    return {**pull, "updated_at": updated_at, **changes}


def test_a_pull_request_is_a_row() -> None:
    """Merged is what has a merged_at: the list tells nothing else of it."""
    rows = as_dicts(rows_of(PULLS, split(PULLS, LIST, fixture("github", "pulls_page"))))
    first = rows[0]
    assert (first["pull_request_id"], first["number"], first["state"]) == (1945452386, 334, "closed")
    assert (first["organisation"], first["repository"]) == ("example-works", "platform")
    assert (first["author_id"], first["author_login"]) == (9021273, "eng021-gh")
    assert first["labels"] == '["bug"]'
    assert first["merged_at"] is None
    assert first["closed_at"] == datetime(2026, 3, 15, 10, 10, 16, tzinfo=UTC)


def test_deleted_accounts_and_forks_are_null() -> None:
    """The contract keeps what was known of them."""
    page = json.dumps([_pull("2026-03-14T10:00:00Z", user=None, head={"ref": "x", "repo": None})]).encode()
    (row,) = as_dicts(rows_of(PULLS, split(PULLS, LIST, page)))
    assert [row[name] for name in ("author_id", "author_login", "author_type", "head_repository")] == [None] * 4


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("id", None, "wrong_type"),
        ("id", 2**63, "implausible_figure"),
        ("number", "7", "wrong_type"),
        ("user", {"login": "x"}, "wrong_type"),
        ("user", {"id": 1, "login": ""}, "wrong_type"),
        ("created_at", "yesterday", "wrong_type"),
        ("labels", [{"colour": "red"}], "wrong_type"),
        ("title", ..., "wrong_type"),
    ],
)
def test_a_pull_request_that_breaks_the_contract_is_rejected_alone(name: str, value: object, reason: str) -> None:
    """The others of its page are rows."""
    page = fixture("github", "pulls_page")
    rows = rows_of(PULLS, split(PULLS, LIST, changed(page.strip(), f"0.{name}", value)))
    assert [rejection.reason for rejection in rows.rejections] == [reason]
    assert rows.count == len(json.loads(page)) - 1


def test_one_that_is_no_json_costs_only_itself() -> None:
    """A bare array is cut like any other list."""
    page = fixture("github", "pulls_page").replace(b'"number": 334', b'"number": NaN')
    rows = rows_of(PULLS, split(PULLS, LIST, page))
    assert [rejection.reason for rejection in rows.rejections] == ["not_json"]
    assert rows.count == len(json.loads(fixture("github", "pulls_page"))) - 1


@pytest.mark.parametrize("body", [b"{}", b'{"message": "Server Error"}', b"[1, 2", b"", b"null", b'[{"id": 1}]'])
def test_what_is_no_list_of_pull_requests_is_asked_for_again(body: bytes) -> None:
    """Also one in which nothing tells when it changed: the reading would not know where to end."""
    with pytest.raises(UnusableBody):
        split(PULLS, LIST, body)


def test_a_repository_is_read_down_to_where_the_range_begins() -> None:
    """A page that reaches below is the last one of its repository."""
    pages: dict[str, list[list[str]]] = {
        "storefront": [
            ["2026-03-15T01:00:00Z", "2026-03-14T05:00:00Z"],
            ["2026-03-14T04:30:00Z", "2026-03-14T03:59:59Z"],
        ],
        "platform": [["2026-03-01T00:00:00Z"]],
        "mobile": [[]],
    }

    def answer(request: PageRequest) -> tuple[bytes, dict[str, str]]:
        repository, number = request.path.split("/")[3], int(dict(request.query)["page"])
        updates = pages[repository][number - 1] if number <= len(pages[repository]) else []
        more = _link(f"{request.path}?page={number + 1}") if repository != "mobile" else {}
        return json.dumps([_pull(at, id=n) for n, at in enumerate(updates)]).encode(), more

    requests = walk(PULLS, answer, DAY)
    asked = [(request.path.split("/")[3], dict(request.query)["page"]) for request in requests]
    assert asked == [("storefront", "1"), ("storefront", "2"), ("platform", "1"), ("mobile", "1")]
    assert requests[0].query == (
        ("state", "all"),
        ("sort", "updated"),
        ("direction", "desc"),
        ("per_page", "100"),
        ("page", "1"),
    )
    for n, request in enumerate(requests):
        assert walk(PULLS, answer, DAY, resume=request.resume) == requests[n:]


def test_a_full_range_reads_everything() -> None:
    """Whatever the instants say."""

    def answer(request: PageRequest) -> tuple[bytes, dict[str, str]]:
        number = int(dict(request.query)["page"])
        body = json.dumps([_pull("2020-01-01T00:00:00Z", id=number)]).encode()
        return body, _link(f"{request.path}?page={number + 1}") if number < 3 else {}

    assert len(walk(PULLS, answer, EVERYTHING)) == 9


def test_a_next_page_that_is_no_further_is_a_loop() -> None:
    """As is one with the same pull requests."""
    page = json.dumps([_pull("2026-03-15T01:00:00Z")]).encode()
    with pytest.raises(PaginationLoop, match="names page 1"):
        walk(PULLS, lambda r: (page, _link(f"{r.path}?page=1")), DAY)
    with pytest.raises(PaginationLoop, match="the same records"):
        walk(PULLS, lambda r: (page, _link(f"{r.path}?page={int(dict(r.query)['page']) + 1}")), DAY)


def test_what_is_older_than_the_range_is_skipped() -> None:
    """The last page reaches below it."""
    page = json.dumps([_pull("2026-03-14T04:00:00Z"), _pull("2026-03-14T03:59:59Z")]).encode()
    rows = rows_of(PULLS, split(PULLS, LIST, page), extraction=DAY)
    assert (rows.count, rows.skipped) == (1, 1)


TEAMS = [{"slug": "core", "name": "Core"}, {"slug": "web", "name": "Web & Co"}]
MEMBERS = {"core": ["ada", "Bob"], "web": ["bob", "eve"]}


def _organisation(request: PageRequest) -> bytes:
    parts = request.path.split("/")
    if parts[1] == "users":
        profile = json.loads(fixture("github", "user"))
        return json.dumps({**profile, "login": parts[2], "id": len(parts[2]) * 100 + ord(parts[2][0])}).encode()
    if parts[-1] == "teams":
        return json.dumps(TEAMS).encode()
    return json.dumps([{"login": login} for login in MEMBERS[parts[4]]]).encode()


def test_people_are_read_with_their_teams_as_one_whole() -> None:
    """Teams, members, and each person's profile once; logins do not tell capitals apart."""
    requests = walk(USERS, _organisation)
    assert [request.path for request in requests] == [
        "/orgs/example-works/teams",
        "/orgs/example-works/teams/core/members",
        "/orgs/example-works/teams/web/members",
        *(f"/users/{login}" for login in ("Bob", "ada", "bob", "eve")),
    ]
    assert {request.scope for request in requests} == {("example-works",)}
    assert {request.resume for request in requests} == {""}
    pages = [split(USERS, request, _organisation(request)) for request in requests]
    read = rows_of(USERS, *pages, scope=("example-works",))
    assert (read.kept, read.skipped) == (4, sum(len(page.records) for page in pages) - 4)
    rows = as_dicts(read)
    slugs = {row["login"]: row["team_slugs"] for row in rows}
    assert slugs == {"ada": "core", "Bob": "core,web", "bob": "core,web", "eve": "web"}
    teams = {row["login"]: row["teams"] for row in rows}
    assert json.loads(teams["eve"]) == [{"slug": "web", "name": "Web & Co"}]


def test_what_is_gone_meanwhile_is_left_out() -> None:
    """An account or a team between two requests."""
    requests = walk(USERS, _organisation)
    pages = [split(USERS, request, _organisation(request)) for request in requests[:3]]
    pages += [split(USERS, requests[3], b'{"message": "Not Found"}', status=404)]
    pages += [split(USERS, requests[2], b'{"message": "Not Found"}', status=404)]
    assert rows_of(USERS, *pages, scope=("example-works",)).count == 0


@pytest.mark.parametrize(
    "body", [b'[{"slug": "core"}]', b'[{"name": "Core"}]', b'[{"slug": "", "name": "x"}]', b"[7]", b"{}"]
)
def test_a_team_that_cannot_be_read_is_no_page(body: bytes) -> None:
    """Its members would seem to have left."""
    with pytest.raises(UnusableBody):
        split(USERS, PageRequest("/orgs/example-works/teams", (("page", "1"),)), body)


def test_an_organisation_without_teams_is_no_answer() -> None:
    """A key that lost its rights is shown none: everybody would seem to have left."""
    request = PageRequest("/orgs/example-works/teams", (("page", "1"),))
    with pytest.raises(UnusableBody, match="without a single team"):
        split(USERS, request, b"[]")
    assert split(USERS, request, b"[]", headers=_link("/orgs/example-works/teams?page=2")).seen.next_cursor == "2"
    assert split(USERS, PageRequest(request.path, (("page", "2"),)), b"[]").seen.records == 0


def test_a_profile_of_another_shape_is_rejected() -> None:
    """And the whole is not claimed: see the draft."""
    page = split(USERS, PageRequest("/users/ada"), b'{"login": "ada", "id": "x"}')
    rows = rows_of(USERS, page, scope=("example-works",))
    assert [rejection.reason for rejection in rows.rejections] == ["wrong_type"]
