"""Each tool's answers against the written contract: shape, keys, pages, limits, quotas, hostile pages, recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from local.sources.ai_tools.amp import CLIENT_ID, SCOPE_ANALYTICS
from local.sources.ai_tools.cursor import DAY_RENAMED_FROM
from local.sources.ai_tools.tools import TOOLS, Tool
from tests.local.ai_tools_contracts import CopilotUserDay
from tests.local.ai_tools_readers import amp_token, key
from tests.local.ai_tools_recordings import (
    DAY,
    DAY_MS,
    FIXTURES,
    RECORDINGS,
    Recording,
    ask,
    credentials,
    doubles,
    recorded,
)

BY_FILE = {recording.file: recording for recording in RECORDINGS}
PAGED = [r for r in RECORDINGS if r.tool not in {"amp", "copilot"} and r.file != "firebender/daily_usage_data.json"]
BY_NUMBER = {"g2", "cursor"}
ROWS = {"goose": "snapshots", "g2": "results", "filtered_usage_events": "usageEvents"}


class Clock:
    """Real time that moves when told."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with doubles() as client:
        yield client


@pytest.fixture
def hostile(client: httpx.Client) -> Iterator[httpx.Client]:
    """The same doubles, with the faults cleared afterwards."""
    yield client
    client.delete("/_double/faults")


def arm(client: httpx.Client, *rules: dict[str, Any]) -> None:
    response = client.put("/_double/faults", json=list(rules))
    assert response.status_code == 200, response.text


def own_path(recording: Recording) -> str:
    return recording.path.removeprefix(f"/{recording.tool}")


def rows_of(recording: Recording, body: dict[str, Any]) -> list[Any]:
    name = ROWS.get(recording.tool) or ROWS.get(recording.file.split("/")[1].removesuffix(".json"), "data")
    rows: list[Any] = body[name]
    return rows


def at(recording: Recording, **changes: Any) -> Recording:
    """The recording's request with other parameters, wherever this tool takes them."""
    if recording.body is not None:
        return replace(recording, body={**recording.body, **changes})
    return replace(recording, query={**recording.query, **changes})


def next_page(recording: Recording, body: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters of the page after this one, as its tool's contract says; None after the last."""
    match recording.tool:
        case "g2":
            return {"page": body["metadata"]["page"] + 1} if body["metadata"]["has_more"] else None
        case "cursor":
            page = body["pagination"]
            return {"page": page["currentPage"] + 1} if page["hasNextPage"] else None
        case "goose":
            return {"cursor": body["next_cursor"]} if body["next_cursor"] else None
        case "firebender":
            return {"cursor": body["nextCursor"]} if body["nextCursor"] else None
        case _:
            assert body["has_more"] == (body["next_page"] is not None)
            return {"page": body["next_page"]} if body["has_more"] else None


def first_page(recording: Recording) -> Recording:
    return at(recording, page=1) if recording.tool in BY_NUMBER else recording


def all_pages(client: httpx.Client, recording: Recording, **size: int) -> list[list[Any]]:
    pages = []
    asked = at(first_page(recording), **size)
    while True:
        body = ask(client, asked).raise_for_status().json()
        pages.append(rows_of(recording, body))
        following = next_page(recording, body)
        if following is None:
            return pages
        assert len(pages) < 500
        asked = at(asked, **following)


def size_parameter(recording: Recording) -> tuple[str, int]:
    """What the page's size is called, and the most that is taken."""
    match recording.tool:
        case "g2":
            return "page_size", 1000
        case "cursor":
            return "pageSize", 1000
        case "claude_code":
            return "limit", 1000
        case _:
            return "limit", 500


@pytest.mark.parametrize("recording", RECORDINGS, ids=BY_FILE)
def test_an_answer_has_the_contracts_shape(client: httpx.Client, recording: Recording) -> None:
    """Every field of the contract and no other, with its type."""
    msgspec.json.decode(ask(client, recording).content, type=recording.contract)


@pytest.mark.parametrize("recording", RECORDINGS, ids=BY_FILE)
def test_a_recording_has_the_contracts_shape(recording: Recording) -> None:
    """What extractors are tested with is what the double could have sent."""
    msgspec.json.decode((FIXTURES / recording.file).read_bytes(), type=recording.contract)


def test_recordings_are_what_the_doubles_answer(client: httpx.Client) -> None:
    """Made from the seed, so they can be made again (tests/local/ai_tools_recordings.py)."""
    for name, content in recorded(client):
        assert (FIXTURES / name).read_bytes() == content, name


def test_a_contract_can_fail(client: httpx.Client) -> None:
    """A number as text, a missing field and an unknown one are each noticed."""
    recording = BY_FILE["claude_code/usage_report.json"]
    for change in (
        {"model_breakdown.0.tokens.input": "12"},
        {"customer_type": {"$absent": True}},
        {"surprise": 1},
    ):
        arm(client, {"action": "corrupt_record", "family": "claude_code", "record": change})
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(ask(client, recording).content, type=recording.contract)
    client.delete("/_double/faults")


@pytest.mark.parametrize("recording", PAGED, ids=[r.file for r in PAGED])
def test_pages_joined_are_the_whole(client: httpx.Client, recording: Recording) -> None:
    """One by one, a few at a time, all at once: the same rows in the same order."""
    name, most = size_parameter(recording)
    (whole,) = all_pages(client, recording, **{name: most})
    assert len(whole) > (5 if recording.tool != "g2" else 0)
    if recording.tool == "g2":  # its pages cut rows below the dates: the figures tell, see test_ai_tools_figures
        pages = all_pages(client, recording, page_size=1)
        assert len(pages) > 5
        assert {row["date"] for page in pages for row in page} == {DAY}, "one date goes on over all pages"
        tokens = sum(row["metrics"]["total_tokens"] for page in pages for row in page)
        assert tokens == whole[0]["metrics"]["total_tokens"]
        return
    for size in (1, 3, len(whole)):
        pages = all_pages(client, recording, **{name: size})
        assert [row for page in pages for row in page] == whole
        assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("recording", PAGED, ids=[r.file for r in PAGED])
def test_a_page_has_a_largest_size(client: httpx.Client, recording: Recording) -> None:
    """More, nothing, less than nothing, and what is no number are refused with 400."""
    name, most = size_parameter(recording)
    assert ask(client, at(recording, **{name: most})).status_code == 200
    for bad in (most + 1, 0, -1, "many", "1.5"):
        assert ask(client, at(recording, **{name: bad})).status_code == 400


@pytest.mark.parametrize("recording", [r for r in PAGED if r.tool not in BY_NUMBER], ids=lambda r: r.tool)
def test_a_cursor_of_nobodys_is_refused(client: httpx.Client, recording: Recording) -> None:
    """Rather than answered with the first page."""
    name = "page" if recording.tool in {"claude_code", "chatgpt"} else "cursor"
    for bad in ("nonsense", "!!", "MTIz"):
        assert ask(client, at(recording, **{name: bad})).status_code == 400


REFUSED: dict[Tool, dict[str, Any]] = {
    "g2": {
        "error": {
            "message": "Authentication Error, Invalid proxy server token passed.",
            "type": "auth_error",
            "param": "None",
            "code": "401",
        }
    },
    "goose": {"error": {"code": "unauthorized", "message": "invalid API key"}},
    "claude_code": {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}},
    "cursor": {"error": "Unauthorized", "message": "Invalid API key"},
    "firebender": {"error": "Invalid or missing API key"},
    "amp": {"error": "Unauthorized"},
    "chatgpt": {
        "error": {
            "message": "Incorrect API key provided.",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_api_key",
        }
    },
    "copilot": {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"},
}


@pytest.mark.parametrize("recording", RECORDINGS, ids=BY_FILE)
def test_a_missing_or_wrong_key_is_refused_in_the_tools_shape(client: httpx.Client, recording: Recording) -> None:
    """401, before the request's parameters are looked at."""
    bare = client.request(recording.method, recording.path, params={"start_date": "x"})
    assert bare.status_code == 401
    wrong = {
        "Authorization": "Basic d3Jvbmc6" if recording.tool == "cursor" else "Bearer wrong",
        "x-api-key": "wrong",
        "X-Collector-Token": "wrong",
    }
    refused = client.request(recording.method, recording.path, headers=wrong)
    assert refused.status_code == 401
    assert refused.json() == REFUSED[recording.tool]  # type: ignore[index]  # a recording's tool is one of them


def test_every_tool_has_recordings_and_a_refusal() -> None:
    """Nobody is forgotten when a tool is added."""
    assert {recording.tool for recording in RECORDINGS} == set(TOOLS) == set(REFUSED)


def test_claude_code_wants_its_version_header_and_exactly_one_day(client: httpx.Client) -> None:
    """400 without either."""
    path = "/claude_code/v1/organizations/usage_report/claude_code"
    only_key = {"x-api-key": key("claude_code")}
    without_version = client.get(path, params={"starting_at": DAY}, headers=only_key)
    assert without_version.status_code == 400
    assert "anthropic-version" in without_version.json()["error"]["message"]
    for day in ("", "2026-6-1", "20260601", f"{DAY}T00:00:00Z", "2026-02-30"):
        bad = client.get(path, params={"starting_at": day}, headers=credentials(client, "claude_code"))
        assert bad.json()["error"]["type"] == "invalid_request_error"


def test_claude_code_has_several_records_of_one_actor_and_keys_among_the_actors(client: httpx.Client) -> None:
    """By terminal and customer type; what isn't a person has a key's name."""
    (records,) = all_pages(client, BY_FILE["claude_code/usage_report.json"], limit=1000)
    keys = [(r["actor"].get("email_address"), r["terminal_type"], r["customer_type"]) for r in records]
    assert len(set(keys)) > len({actor for actor, _, _ in keys})
    assert [r["actor"]["api_key_name"] for r in records if r["actor"]["type"] == "api_actor"]
    assert {r["customer_type"] for r in records} == {"api", "subscription"}


def test_cursor_takes_numbers_and_thirty_days(client: httpx.Client) -> None:
    """Texts, a longer range and a reversed one are refused."""
    for recording in (BY_FILE["cursor/daily_usage_data.json"], BY_FILE["cursor/filtered_usage_events.json"]):
        month = at(recording, startDate=DAY_MS - 30 * 86_400_000, endDate=DAY_MS)
        assert ask(client, month).status_code == 200
        for bad in (
            {"startDate": DAY_MS - 30 * 86_400_000 - 1, "endDate": DAY_MS},
            {"startDate": str(DAY_MS)},
            {"startDate": float(DAY_MS) + 0.5},
            {"startDate": True},
            {"startDate": DAY_MS, "endDate": DAY_MS - 1},
            {"startDate": None},
        ):
            refused = ask(client, at(recording, **bad))
            assert refused.status_code == 400
            assert refused.json()["error"] == "Bad Request"


@pytest.mark.parametrize("recording", [r for r in RECORDINGS if r.body], ids=lambda r: r.file)
@pytest.mark.parametrize("body", ["", "[]", "{", "null", '"x"', "\xff", "{}", '{"startDate": [], "endDate": {}}'])
def test_a_body_that_is_no_request_is_refused(client: httpx.Client, recording: Recording, body: str) -> None:
    """400, whatever it is."""
    headers = credentials(client, recording.tool)
    assert client.post(recording.path, content=body.encode("latin-1"), headers=headers).status_code == 400


@pytest.mark.parametrize("recording", [r for r in RECORDINGS if r.body], ids=lambda r: r.file)
@pytest.mark.parametrize("stranger", ["nobody@example.test", [], {}, 5])
def test_a_filter_that_fits_nobody_finds_nothing(client: httpx.Client, recording: Recording, stranger: object) -> None:
    """Lists of calls can be filtered by address; daily sums can't, and ignore it."""
    rows = rows_of(recording, ask(client, at(first_page(recording), email=stranger)).json())
    assert bool(rows) == recording.file.endswith("/daily_usage_data.json")


def test_g2_can_be_asked_for_one_user_or_model(client: httpx.Client) -> None:
    """And tells only of them."""
    recording = BY_FILE["g2/daily_activity.json"]
    (whole,) = ask(client, at(recording, page_size=1000)).json()["results"]
    keys = whole["breakdown"]["api_keys"].values()
    user = next(told["metadata"]["user_id"] for told in keys if told["metadata"]["user_id"])
    (of_user,) = ask(client, at(recording, page_size=1000, user_id=user)).json()["results"]
    assert [told["metadata"]["user_id"] for told in of_user["breakdown"]["api_keys"].values()] == [user]
    (of_model,) = ask(client, at(recording, page_size=1000, model="gpt-5")).json()["results"]
    assert list(of_model["breakdown"]["models"]) == ["gpt-5"]


def test_cursor_lists_idle_members_too_and_alike_events_twice(client: httpx.Client) -> None:
    """Zeros for the idle; two events without any difference are two."""
    (members,) = all_pages(client, BY_FILE["cursor/daily_usage_data.json"], pageSize=1000)
    assert {member["isActive"] for member in members} == {True, False}
    month = at(BY_FILE["cursor/filtered_usage_events.json"], startDate=DAY_MS - 10 * 86_400_000)
    events = [msgspec.json.encode(e) for page in all_pages(client, month, pageSize=1000) for e in page]
    assert len(set(events)) < len(events)
    with doubles(without=frozenset({"duplicate_events"})) as plain:
        events = [msgspec.json.encode(e) for page in all_pages(plain, month, pageSize=1000) for e in page]
        assert len(set(events)) == len(events)


def test_cursor_renames_a_field_from_a_day_on(client: httpx.Client) -> None:
    """`date` in milliseconds before, `day` as a date from then on; not with the quirk off."""
    two_days = at(BY_FILE["cursor/daily_usage_data.json"], startDate=DAY_MS - 86_400_000, endDate=DAY_MS)
    assert DAY_RENAMED_FROM.isoformat() == DAY
    (rows,) = all_pages(client, two_days, pageSize=1000)
    assert {row.get("day") for row in rows} == {None, DAY}
    assert {row.get("date") for row in rows} == {None, DAY_MS - 86_400_000}
    with doubles(without=frozenset({"renamed_fields"})) as plain:
        (rows,) = all_pages(plain, two_days, pageSize=1000)
        assert {row.get("date") for row in rows} == {DAY_MS - 86_400_000, DAY_MS}


def test_firebender_names_a_model_later_and_keeps_the_requests_id() -> None:
    """The first statement has `firebender-auto`, the second the model; nothing else moves but the money."""
    asked = at(BY_FILE["firebender/model_requests.json"], limit=500, startDate=DAY_MS - 20 * 86_400_000)
    with doubles(now=datetime(2026, 6, 2, 2, tzinfo=UTC)) as client:
        before = [row for page in all_pages(client, asked) for row in page]
        client.put("/_double/clock", json={"now": "2026-06-10T00:00:00Z"})
        after = [row for page in all_pages(client, asked) for row in page]
    renamed = {row["requestId"] for row in before if row["model"] == "firebender-auto"}
    assert renamed
    later = {row["requestId"]: row for row in after}
    assert {later[i]["model"] for i in renamed} <= {"claude-sonnet-4-5", "gpt-5", "claude-haiku-4-5"}
    for row in before:
        assert row | {"model": "", "costUsd": 0} == later[row["requestId"]] | {"model": "", "costUsd": 0}


def test_amps_tokens_come_from_the_clients_secret_and_expire(client: httpx.Client) -> None:
    """Errors as OAuth has them; an hour later the token is worth nothing."""
    form = {"grant_type": "client_credentials", "scope": SCOPE_ANALYTICS}
    path = "/amp/oauth2/token"
    wrong = client.post(path, data=form, auth=(CLIENT_ID, "wrong"))
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    in_form = {"client_id": CLIENT_ID, "client_secret": key("amp")}
    assert client.post(path, data=form | in_form).status_code == 200
    for bad, told in (
        (form | {"grant_type": "password"}, "unsupported_grant_type"),
        (form | {"scope": "everything"}, "invalid_scope"),
    ):
        refused = client.post(path, data=bad | in_form)
        assert (refused.status_code, refused.json()) == (400, {"error": told})
    clock = Clock()
    with doubles(wall_clock=clock) as timed:
        headers = {"Authorization": f"Bearer {amp_token(timed)}"}
        daily = "/amp/api/v2/workspace/analytics/daily-usage"
        assert timed.get(daily, headers=headers).status_code == 200
        clock.now += 3600
        assert timed.get(daily, headers=headers).status_code == 401


def test_amp_tells_addresses_only_with_the_scope_for_them(client: httpx.Client) -> None:
    """And refuses the report to a token without its scope."""
    daily = "/amp/api/v2/workspace/analytics/daily-usage"
    without = client.get(daily, headers={"Authorization": f"Bearer {amp_token(client, SCOPE_ANALYTICS)}"}).json()
    users = [user["user"] for row in without["data"] for user in row["users"]]
    assert users
    assert not any("email" in user for user in users)
    full = ask(client, at(BY_FILE["amp/daily_usage.json"], lookbackDays=30)).json()
    told = [user["user"] for row in full["data"] for user in row["users"]]
    assert sorted(user["id"] for user in told) == sorted(user["id"] for user in users)
    assert {"email" in user for user in told} == {True, False}, "some members have none"
    other = amp_token(client, "amp.api:workspace.threads.meta:view")
    assert client.get(daily, headers={"Authorization": f"Bearer {other}"}).status_code == 403


@pytest.mark.parametrize("days", ["0", "366", "x", "-1"])
def test_amp_looks_back_a_year_at_most(client: httpx.Client, days: str) -> None:
    """One to 365 days."""
    assert ask(client, at(BY_FILE["amp/daily_usage.json"], lookbackDays=days)).status_code == 400


def test_chatgpt_tells_no_tokens_for_one_client(client: httpx.Client) -> None:
    """Absent, not zero."""
    (rows,) = all_pages(client, BY_FILE["chatgpt/codex_usage.json"], limit=500)
    by_client = {c["client_id"]: "text_total_tokens" in c for row in rows for c in row["clients"]}
    assert by_client == {"codex-cli": True, "codex-ide": True, "codex-web": False}
    other = replace(BY_FILE["chatgpt/codex_usage.json"], path="/chatgpt/v1/analytics/codex/workspaces/ws-other/usage")
    assert ask(client, other).status_code == 404
    assert ask(client, at(BY_FILE["chatgpt/codex_usage.json"], group_by="week")).status_code == 400


def test_copilots_files_are_behind_links_that_take_no_token(client: httpx.Client) -> None:
    """Signed, for ten minutes, and refused when the token is sent along."""
    clock = Clock()
    with doubles(wall_clock=clock) as timed:
        links = ask(timed, BY_FILE["copilot/users_1_day.json"]).json()["download_links"]
        users = [line for link in links for line in httpx.get(link).content.splitlines()]
        assert len(links) == 2
        for line in users:
            msgspec.json.decode(line, type=CopilotUserDay)
        sent_along = httpx.get(links[0], headers=credentials(timed, "copilot"))
        assert sent_along.status_code == 400
        assert "InvalidAuthenticationInfo" in sent_along.text
        assert httpx.get(links[0].replace("-0.ndjson", "-1.ndjson")).status_code == 403, "a link is for one file"
        clock.now += 601
        assert httpx.get(links[0]).status_code == 403
        assert users


@pytest.mark.parametrize("day", ["2026-06-04", "2026-06-03", "2025-10-09", "2025-05-01", "2030-01-01"])
def test_copilot_has_no_report_of_days_too_new_or_too_old(client: httpx.Client, day: str) -> None:
    """404, as for an organisation that isn't ours."""
    assert ask(client, at(BY_FILE["copilot/users_1_day.json"], day=day)).status_code == 404
    other = replace(BY_FILE["copilot/users_1_day.json"], path="/copilot/orgs/other/copilot/metrics/reports/users-1-day")
    assert ask(client, other).status_code == 404


@pytest.mark.parametrize(
    ("tool", "a_minute"), [("cursor", 20), ("claude_code", 60), ("firebender", 60), ("chatgpt", 60), ("amp", 60)]
)
def test_requests_over_the_quota_are_refused_until_it_comes_back(tool: Tool, a_minute: int) -> None:
    """429 with whole seconds in `Retry-After`, after which one more is let in."""
    clock = Clock()
    with doubles(rate_limited=True, wall_clock=clock) as client:
        headers = credentials(client, tool)
        recording = next(r for r in RECORDINGS if r.tool == tool)

        def status() -> httpx.Response:
            return client.request(
                recording.method, recording.path, params=recording.query, json=recording.body, headers=headers
            )

        spent = 1 if tool == "amp" else 0  # asking for the token counts as well
        assert {status().status_code for _ in range(a_minute - spent)} == {200}
        refused = status()
        assert refused.status_code == 429
        wait = refused.headers["retry-after"]
        assert wait == str(60 // a_minute)
        clock.now += int(wait)
        assert status().status_code == 200
        assert status().status_code == 429
        assert client.get("/_double/stats").json()[tool]["rate_limited"] == {tool.replace("_", "-"): 2}


def test_copilot_tells_its_quota_on_every_answer() -> None:
    """The vendor's headers."""
    with doubles(rate_limited=True) as client:
        headers = ask(client, BY_FILE["copilot/users_1_day.json"]).headers
    assert headers["x-ratelimit-limit"] == "5000"
    assert headers["x-ratelimit-remaining"] == "4999"
    assert headers["x-ratelimit-resource"] == "core"


@pytest.mark.parametrize("recording", PAGED, ids=[r.file for r in PAGED])
def test_a_cursor_can_loop(hostile: httpx.Client, recording: Recording) -> None:
    """More is always promised, and the same rows come again."""
    arm(hostile, {"action": "loop_cursor", "family": recording.tool, "path": own_path(recording), "always": True})
    name, _ = size_parameter(recording)
    first = at(first_page(recording), **{name: 2})
    body = ask(hostile, first).json()
    for _ in range(3):
        following = next_page(recording, body)
        assert following is not None
        again = ask(hostile, at(first, **following)).json()
        assert rows_of(recording, again) == rows_of(recording, body)
        body = again


@pytest.mark.parametrize("recording", PAGED, ids=[r.file for r in PAGED])
def test_an_empty_page_may_not_be_the_last(hostile: httpx.Client, recording: Recording) -> None:
    """A reader that goes on loses nothing."""
    name, _ = size_parameter(recording)
    whole = all_pages(hostile, recording, **{name: 3})
    arm(
        hostile,
        {"action": "empty_page_with_cursor", "family": recording.tool, "path": own_path(recording), "skip": 1},
    )
    pages = all_pages(hostile, recording, **{name: 3})
    assert pages[1] == []
    assert pages[:1] + pages[2:] == whole


@pytest.mark.parametrize("recording", [r for r in RECORDINGS if r.tool != "copilot"], ids=lambda r: r.file)
def test_records_can_be_broken(hostile: httpx.Client, recording: Recording) -> None:
    """Only the record named: a wrong type, a field too many, bytes that JSON doesn't know."""
    for change, wanted in (
        ({"extra": {"a": 1}}, b'"extra":{"a":1}'),
        ({"extra": {"$raw": "NaN"}}, b'"extra":NaN'),
        ({"extra": {"$length": 70_000}}, b'"extra":"' + b"x" * 70_000),
    ):
        arm(hostile, {"action": "corrupt_record", "path": own_path(recording), "record": change})
        assert ask(hostile, recording).content.count(wanted) == 1
        assert wanted not in ask(hostile, recording).content


def test_a_line_of_copilots_file_can_be_broken(hostile: httpx.Client) -> None:
    """The other lines stay whole."""
    links = ask(hostile, BY_FILE["copilot/users_1_day.json"]).json()["download_links"]
    arm(hostile, {"action": "corrupt_record", "family": "copilot", "record": {"user_login": {"$raw": "nope"}}})
    first, *others = httpx.get(links[0]).content.splitlines()
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(first)
    assert others
    for line in others:
        msgspec.json.decode(line, type=CopilotUserDay)


def test_a_fault_that_does_not_fit_is_told(hostile: httpx.Client) -> None:
    """A path that leads nowhere, rather than a record that is whole after all."""
    arm(hostile, {"action": "corrupt_record", "family": "cursor", "record": {"a.b.c": 1}})
    answer = ask(hostile, BY_FILE["cursor/filtered_usage_events.json"])
    assert answer.status_code == 500
    assert "a.b.c" in answer.json()["message"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_can_be_down_alone(hostile: httpx.Client, tool: Tool) -> None:
    """Others answer; the refusal is in the tool's shape, with the wait that was asked for."""
    arm(hostile, {"action": "status", "status": 503, "family": tool, "retry_after": "7", "path": "/*", "skip": 0})
    recording = next(r for r in RECORDINGS if r.tool == tool)
    path = "/amp/oauth2/token" if tool == "amp" else recording.path
    refused = (
        hostile.post(path, data={}, auth=(CLIENT_ID, key("amp")))
        if tool == "amp"
        else ask(hostile, recording)
    )  # fmt: skip
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "7"
    assert set(refused.json()) == set(REFUSED[tool])
    assert ask(hostile, recording).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "")])
def test_what_is_not_there_is_refused_in_the_tools_shape(client: httpx.Client, method: str, path: str) -> None:
    """404 and 405."""
    for recording in RECORDINGS:
        target = f"/{recording.tool}{path}" if path else recording.path
        refused = client.request(method, target, headers=credentials(client, recording.tool))
        assert refused.status_code == (404 if path else 405)
        assert set(refused.json()) == set(REFUSED[recording.tool])  # type: ignore[index]  # a recording's tool is one of them
