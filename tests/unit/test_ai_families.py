"""Each AI tool's own reading: its requests, its recorded pages, and what becomes of pages that break its contract."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.errors import PaginationLoop, RequestRefused, SourceUnavailable
from shared.extract.pages import PageRequest, PageSeen
from shared.extract.sender import UnusableBody
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange
from tests.support.ai_hostile import DAY_MS, RECORDS
from tests.support.ai_pages import (
    DAY,
    FIXTURES,
    Answer,
    Body,
    answered,
    as_dicts,
    read_day,
    reasons,
    recorded,
    source,
)

AMP_DAY = date(2026, 6, 3)


def _g2(_: PageRequest) -> Body:
    page = recorded("g2/daily_activity.json")
    return {**page, "metadata": {**page["metadata"], "has_more": False}}


def _goose(request: PageRequest) -> Body:
    of_the_day = dict(request.query)["day"] == DAY.isoformat()
    snapshots = recorded("goose/session_snapshots.json")["snapshots"] if of_the_day else []
    return {"snapshots": snapshots, "next_cursor": None}


def _claude_code(_: PageRequest) -> Body:
    return {**recorded("claude_code/usage_report.json"), "has_more": False}


def _cursor(request: PageRequest) -> Body:
    daily = request.path.endswith("daily-usage-data")
    page = recorded(f"cursor/{'daily_usage_data' if daily else 'filtered_usage_events'}.json")
    return {**page, "pagination": {**page["pagination"], "hasNextPage": False}}


def _firebender(request: PageRequest) -> Body:
    if request.path.endswith("daily-usage-data"):
        return dict(recorded("firebender/daily_usage_data.json"))
    return {**recorded("firebender/model_requests.json"), "nextCursor": None}


def _amp(_: PageRequest) -> Body:
    return dict(recorded("amp/daily_usage.json"))


def _chatgpt(_: PageRequest) -> Body:
    return {**recorded("chatgpt/codex_usage.json"), "has_more": False}


def _copilot(request: PageRequest) -> Body:
    if "://" in request.path:
        return (FIXTURES / "copilot/users_1_day.ndjson").read_bytes()
    page = recorded("copilot/users_1_day.json")
    return {**page, "download_links": page["download_links"][:1]}


ANSWERS: Mapping[str, Answer] = {
    "g2": _g2,
    "goose": _goose,
    "claude_code": _claude_code,
    "cursor": _cursor,
    "firebender": _firebender,
    "amp": _amp,
    "chatgpt": _chatgpt,
    "copilot": _copilot,
}

_FIGURES = (
    "requests",
    "sessions",
    "accepted_lines",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "tokens_reported",
    "tokens_estimated",
    "cost_usd",
    "credits",
)

READ_BY_HAND: Mapping[str, tuple[tuple[str, str, str], dict[str, Any]]] = {
    "g2": (
        ("eng-004@example.test", "email", "claude-sonnet-4-5"),
        {
            "requests": 7,
            "input_tokens": 176_797 - 134_838 - 11_750,
            "cache_read_tokens": 134_838,
            "cache_write_tokens": 11_750,
            "output_tokens": 5384,
            "tokens_reported": 176_797 + 5384,
            "cost_usd": Decimal("0.2559"),
        },
    ),
    "goose": (
        ("eng020", "login", "all"),
        {
            "requests": 2 + 2,
            "sessions": 2,
            "input_tokens": 22_924 + 13_057,
            "output_tokens": 3187 + 2314,
            "tokens_reported": 26_111 + 15_371,
        },
    ),
    "claude_code": (
        ("ENG-009@Example.Test", "email", "claude-sonnet-4-5"),
        {
            "input_tokens": 8181,
            "cache_read_tokens": 176_467,
            "cache_write_tokens": 16_188,
            "output_tokens": 721,
            "tokens_reported": 8181 + 176_467 + 16_188 + 721,
            "cost_usd": Decimal("0.149003"),
        },
    ),
    "cursor": (
        ("eng-010@example.test", "email", "gpt-5"),
        {
            "requests": 3,
            "input_tokens": 1438 + 8331 + 3178,
            "cache_read_tokens": 7413 + 26_825,
            "cache_write_tokens": 0,
            "output_tokens": 221 + 877 + 138,
            "tokens_reported": 1438 + 8331 + 3178 + 7413 + 26_825 + 221 + 877 + 138,
            "cost_usd": Decimal("0.032824"),
        },
    ),
    "firebender": (
        ("eng-037@example.test", "email", "gpt-5"),
        {
            "requests": 2,
            "input_tokens": 639 + 3618,
            "cache_read_tokens": 4578 + 44_341,
            "cache_write_tokens": 0,
            "output_tokens": 3480 + 195,
            "tokens_reported": 8697 + 48_154,
            "cost_usd": Decimal("0.048186"),
        },
    ),
    "amp": (
        ("eng-004@example.test", "email", "claude-opus-4-5"),
        {
            "requests": 1,
            "input_tokens": 5262,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "output_tokens": 459,
            "tokens_reported": 5721,
            "cost_usd": Decimal("0.037785"),
        },
    ),
    "chatgpt": (
        ("eng-015@example.test", "email", "all"),
        {
            "requests": 4,
            "sessions": 1,
            "accepted_lines": 50,
            "input_tokens": 8817 + 9259,
            "cache_read_tokens": 44_265,
            "output_tokens": 265 + 1516,
            "tokens_reported": 53_347 + 10_775,
            "credits": Decimal("1.253"),
        },
    ),
    "copilot": (
        ("example-eng-010", "login", "all"),
        {"requests": 4, "sessions": 1, "accepted_lines": 12, "input_tokens": 27_857, "output_tokens": 1613},
    ),
}


@pytest.mark.parametrize("tool", ANSWERS)
def test_a_recorded_page_becomes_the_rows_that_a_person_reads_in_it(tool: str) -> None:
    """In one set of units, whatever the tool counts in."""
    rows = read_day(tool, ANSWERS[tool], day=AMP_DAY if tool == "amp" else DAY)
    assert reasons(rows) == []
    (actor, kind, model), figures = READ_BY_HAND[tool]
    (row,) = [r for r in as_dicts(rows) if (r["actor"], r["model"]) == (actor, model)]
    if tool == "copilot":
        figures = figures | {"tokens_reported": figures["input_tokens"] + figures["output_tokens"]}
    assert row["actor_kind"] == kind
    assert row["tool"] == tool
    assert {name: row[name] for name in _FIGURES} == {name: figures.get(name) for name in _FIGURES}
    assert isinstance(json.loads(row["payload"]), list)


@pytest.mark.parametrize("tool", ANSWERS)
def test_rows_are_one_a_day_actor_and_model(tool: str) -> None:
    """However many records tell of them."""
    rows = as_dicts(read_day(tool, ANSWERS[tool], day=AMP_DAY if tool == "amp" else DAY))
    keys = [(row["usage_date"], row["actor"], row["model"]) for row in rows]
    assert len(keys) == len(set(keys)) > 2


def test_cents_are_not_dollars_and_cached_tokens_are_counted_once() -> None:
    """The sums of a recorded page's own totals."""
    rows = as_dicts(read_day("g2", _g2))
    (day,) = recorded("g2/daily_activity.json")["results"]
    assert sum(row["cost_usd"] for row in rows) == Decimal(str(day["metrics"]["spend"]))
    assert sum(row["tokens_reported"] for row in rows) == day["metrics"]["total_tokens"]
    events = recorded("cursor/filtered_usage_events.json")["usageEvents"]
    cents = sum(Decimal(str(event["tokenUsage"]["totalCents"])) for event in events)
    assert sum(row["cost_usd"] or 0 for row in as_dicts(read_day("cursor", _cursor))) == cents / 100


# requests


def _flow(tool: str, *, days: int = 1, resume: str = "") -> Any:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    return FAMILIES[tool].pages(source(tool), ExtractionRange(start, start + timedelta(days=days)), resume)


REQUESTS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "g2": (
        "GET",
        "/user/daily/activity",
        {"start_date": "2026-06-01", "end_date": "2026-06-02", "page_size": "1000", "page": "1"},
    ),
    "goose": ("GET", "/v1/session-snapshots", {"day": "2026-05-28", "limit": "500"}),
    "claude_code": (
        "GET",
        "/v1/organizations/usage_report/claude_code",
        {"starting_at": "2026-06-01", "limit": "1000"},
    ),
    "cursor": (
        "POST",
        "/teams/daily-usage-data",
        {"startDate": DAY_MS, "endDate": DAY_MS + 2 * 86_400_000 - 1, "page": 1, "pageSize": 1000},
    ),
    "firebender": (
        "POST",
        "/v2/organization/daily-usage-data",
        {"startDate": DAY_MS, "endDate": DAY_MS + 2 * 86_400_000 - 1},
    ),
    "amp": ("GET", "/api/v2/workspace/analytics/daily-usage", {"lookbackDays": "5"}),
    "chatgpt": (
        "GET",
        "/v1/analytics/codex/workspaces/ws-example/usage",
        {"start_time": "1780272000", "end_time": "1780444800", "group_by": "day", "limit": "500"},
    ),
    "copilot": ("GET", "/orgs/example-org/copilot/metrics/reports/users-1-day", {"day": "2026-06-01"}),
}


@pytest.mark.parametrize("tool", REQUESTS)
def test_the_first_request_asks_for_the_days_in_the_tool_s_own_way(tool: str) -> None:
    """Dates, epoch seconds or milliseconds, both ends included or not; the key is nowhere in it."""
    method, path, asked = REQUESTS[tool]
    request = next(_flow(tool, days=2))
    told = json.loads(request.body) if request.body else dict(request.query)
    assert (request.method, request.path, told) == (method, path, asked)
    assert request.scope[0] == "2026-06-01"
    assert request.resume == "2026-06-01"


@pytest.mark.parametrize("tool", [*REQUESTS])
def test_an_empty_range_asks_for_nothing(tool: str) -> None:
    """Before the first day is complete."""
    assert list(_flow(tool, days=0)) == []


@pytest.mark.parametrize("tool", [*REQUESTS])
def test_a_year_is_read_in_scopes_that_cover_each_day_once(tool: str) -> None:
    """Also when it goes on in the middle, and then with short runs first."""

    def scopes(resume: str) -> list[tuple[str, ...]]:
        flow, seen = _flow(tool, days=360, resume=resume), []
        request = next(flow)
        while True:
            if request.scope not in seen:
                seen.append(request.scope)
            try:
                request = flow.send(PageSeen(0))
            except StopIteration:
                return seen

    days = [(DAY + timedelta(days=n)).isoformat() for n in range(360)]
    assert [day for scope in scopes("") for day in scope] == days
    later = scopes(days[100])
    assert [day for scope in later for day in scope] == days[100:]
    if tool != "amp":
        assert len(later[0]) == 1


def test_copilot_s_links_are_followed_inside_the_day_s_scope() -> None:
    """Without the organisation's token: the sender sends none to a whole URL."""
    flow = _flow("copilot")
    first = next(flow)
    links = ("https://a.example/1?sig=x", "https://a.example/2?sig=y")
    followed = [flow.send(PageSeen(0, links=links)), flow.send(PageSeen(1))]
    assert [request.path for request in followed] == list(links)
    assert {request.scope for request in [first, *followed]} == {("2026-06-01",)}
    with pytest.raises(StopIteration):
        flow.send(PageSeen(0))


def test_a_copilot_report_that_is_not_there_yet_is_no_empty_day() -> None:
    """404 says so: the extraction stops, and comes again."""
    with pytest.raises(SourceUnavailable, match="no report of 2026-06-01 yet"):
        FAMILIES["copilot"].split(source("copilot"), next(_flow("copilot")), answered({"message": "Not Found"}, 404))


def _amp_answer(today: str, asked: list[int]) -> Answer:
    def answer(request: PageRequest) -> Body:
        asked.append(int(dict(request.query)["lookbackDays"]))
        first = date.fromisoformat(today) - timedelta(days=asked[-1] - 1)
        users = [{"user": {"id": "u1"}, "models": {"gpt-5": {"requests": 1}}}]
        return {
            "metadata": {"startDate": first.isoformat(), "endDate": today},
            "data": [{"date": "2026-06-01", "users": users}],
        }

    return answer


def test_amp_is_asked_again_when_its_answer_does_not_reach_back() -> None:
    """A window that is read weeks later; the short answer is not used."""
    asked: list[int] = []
    rows = as_dicts(read_day("amp", _amp_answer("2026-06-20", asked)))
    assert asked == [4, 20]
    assert [row["requests"] for row in rows if row["model"] == "gpt-5"] == [1]


@pytest.mark.parametrize("today", ["2027-06-01", "2028-01-01"])
def test_amp_cannot_be_asked_for_more_than_a_year_back(today: str) -> None:
    """Nothing is taken for gone because the vendor cannot tell it any more."""
    with pytest.raises(RequestRefused, match="last 365 days"):
        read_day("amp", _amp_answer(today, []))


def test_amp_that_does_not_give_what_it_was_asked_for_is_refused() -> None:
    """Else it would be asked for ever."""
    page = {"metadata": {"startDate": "2026-06-02", "endDate": "2026-06-03"}, "data": []}
    with pytest.raises(RequestRefused):
        read_day("amp", lambda _: page)
    with pytest.raises(UnusableBody, match="metadata"):
        read_day("amp", lambda _: {"data": []})


# paging


@pytest.mark.parametrize("tool", ["g2", "goose", "claude_code", "cursor", "firebender", "chatgpt"])
def test_records_of_one_day_on_several_pages_are_added_up(tool: str) -> None:
    """Also with an empty page in between, that names a next one."""
    records = RECORDS[tool]
    twice = [records.record(), records.record(**({"session_id": "s2"} if tool == "goose" else {}))]
    pages: dict[str, int] = {}

    def answer(request: PageRequest) -> Body:
        last_list = {"cursor": "events", "firebender": "requests"}.get(tool, "")
        if last_list not in request.path or (tool == "goose" and dict(request.query)["day"] != DAY.isoformat()):
            return records.page(request, b"")
        number = pages["n"] = pages.get("n", 0) + 1
        content = [twice[0], b"", twice[1]][number - 1]
        body = json.loads(bytes(records.page(request, content)))  # type: ignore[arg-type]  # it is bytes
        if number == 3:
            return dict(body)
        match tool:
            case "g2":
                body["metadata"] = {"page": number, "has_more": True}
            case "goose":
                body["next_cursor"] = f"c{number}"
            case "cursor":
                body["pagination"] = {"currentPage": number, "hasNextPage": True}
            case "firebender":
                body["nextCursor"] = f"c{number}"
            case _:
                body |= {"has_more": True, "next_page": f"c{number}"}
        return dict(body)

    (row,) = as_dicts(read_day(tool, answer))
    assert row[records.column] == 4
    assert pages == {"n": 3}


@pytest.mark.parametrize("tool", ["g2", "cursor"])
def test_a_page_number_that_brings_the_same_page_again_is_a_loop(tool: str) -> None:
    """The numbers grow, the records do not: without this it would go on for ever."""
    records, asked = RECORDS[tool], []

    def answer(request: PageRequest) -> Body:
        asked.append(request)
        body = json.loads(bytes(records.page(request, records.record())))  # type: ignore[arg-type]  # it is bytes
        if tool == "g2":
            body["metadata"] = {"page": len(asked), "has_more": True}
        elif "events" in request.path:
            body["pagination"] = {"currentPage": len(asked), "hasNextPage": True}
        return dict(body)

    with pytest.raises(PaginationLoop, match="same records as the page before"):
        read_day(tool, answer)
    assert len(asked) <= 4


# hostile records: what becomes of each, for every tool

NUMBERS: Mapping[str, tuple[Any, int | str | None]] = {
    "in a string": ("2", 2),
    "a whole float": (2.0, 2),
    "null": (None, None),
    "absent": ({"$absent": True}, None),
    "negative": (-2, -2),
    "a fraction": (2.5, "wrong_type"),
    "a word": ("two", "wrong_type"),
    "a boolean": (True, "wrong_type"),
    "a list": ([2], "wrong_type"),
    "an object": ({}, "wrong_type"),
    "infinite": ({"$raw": "1e400"}, "wrong_type"),
    "NaN": ({"$raw": "NaN"}, "not_json"),
    "cut": ({"$raw": "2,,"}, "not_json"),
    "thirty digits": (10**30, "implausible_figure"),
    "400 digits": ({"$raw": "1" + "0" * 400}, "implausible_figure"),
}


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("tool", RECORDS)
def test_a_number_is_read_unknown_or_rejected(tool: str, value: str) -> None:
    """Never guessed, never zero for want of it, and never the end of the extraction."""
    records, (sent, outcome) = RECORDS[tool], NUMBERS[value]
    rows = read_day(tool, records.answer([records.record(**{records.number: sent})]))
    if isinstance(outcome, str):
        assert (reasons(rows), rows.count) == ([outcome], 0)
    else:
        assert reasons(rows) == []
        assert outcome in [row[records.column] for row in as_dicts(rows)]


ACTORS: Mapping[str, Any] = {
    "absent": {"$absent": True},
    "null": None,
    "a number": 5,
    "an object": {},
    "empty": "",
    "half a character": {"$raw": '"\\ud800"'},
}


@pytest.mark.parametrize("value", ACTORS)
@pytest.mark.parametrize("tool", RECORDS)
def test_a_record_without_a_person_is_rejected(tool: str, value: str) -> None:
    """Except at the gateway: there it is the key's."""
    records = RECORDS[tool]
    rows = read_day(tool, records.answer([records.record(**{records.actor: ACTORS[value]})]))
    if tool == "g2" and value in {"absent", "null", "empty"}:
        assert [(row["actor"], row["actor_kind"]) for row in as_dicts(rows)] == [("key-0", "api_key")]
    else:
        assert rows.count == 0
        assert reasons(rows)[0] in {"wrong_type", "no_actor", "not_json"}


DAYS: Mapping[str, Any] = {
    "absent": {"$absent": True},
    "null": None,
    "a word": "soon",
    "a local time": "2026-06-01T10:00:00",
    "far beyond all time": 10**18,
    "far before all time": -(10**18),
    "400 digits": {"$raw": "1" + "0" * 400},
    "NaN": {"$raw": "NaN"},
}


@pytest.mark.parametrize("value", DAYS)
@pytest.mark.parametrize("tool", [tool for tool, records in RECORDS.items() if records.day])
def test_a_record_without_a_day_is_rejected(tool: str, value: str) -> None:
    """A nonsense instant is that record's fault, not the extraction's."""
    records = RECORDS[tool]
    rows = read_day(tool, records.answer([records.record(**{records.day: DAYS[value]})]))
    assert rows.count == 0
    assert reasons(rows)[0] in {"wrong_type", "implausible_instant", "not_json", "no_day"}


@pytest.mark.parametrize("tool", RECORDS)
def test_one_bad_record_costs_only_itself(tool: str) -> None:
    """It is kept as received; the good one beside it is read."""
    records = RECORDS[tool]
    other = {"user_name": "eve"} if tool == "goose" else {}
    bad = records.record(**{records.number: {"$raw": "NaN"}})
    if tool in {"g2", "amp"}:  # these stand inside a day: what is no JSON makes the whole day unreadable
        bad = records.record(**{records.number: "two"})
    rows = read_day(tool, records.answer([bad, records.record(**other)]))
    assert len(rows.rejections) == 1
    assert bad in rows.rejections[0].record
    assert 2 in [row[records.column] for row in as_dicts(rows)]


@pytest.mark.parametrize("tool", ["g2", "amp"])
def test_a_day_that_is_no_json_is_kept_whole(tool: str) -> None:
    """Nobody can tell its parts apart any more."""
    records = RECORDS[tool]
    bad = records.record(**{records.number: {"$raw": "NaN"}})
    rows = read_day(tool, records.answer([bad, records.record()]))
    assert (reasons(rows), rows.count) == (["not_json"], 0)
    assert bad in rows.rejections[0].record


@pytest.mark.parametrize("tool", RECORDS)
def test_fields_that_nobody_knows_are_kept_in_the_payload(tool: str) -> None:
    """And change no figure."""
    records = RECORDS[tool]
    (plain,) = [r for r in as_dicts(read_day(tool, records.answer([records.record()]))) if r[records.column] == 2]
    changed = records.record(surprise={"deep": [1, None]})
    (row,) = [r for r in as_dicts(read_day(tool, records.answer([changed]))) if r[records.column] == 2]
    assert "surprise" in row["payload"]
    assert row | {"payload": ""} == plain | {"payload": ""}


@pytest.mark.parametrize("tool", [tool for tool, records in RECORDS.items() if records.day])
def test_records_of_other_days_are_left_out(tool: str) -> None:
    """Where both ends of a range are included, or a vendor gives more than was asked for."""
    records = RECORDS[tool]
    other = {
        "cursor": DAY_MS - 1,
        "chatgpt": DAY_MS // 1000 + 86_400,
        "goose": "2026-06-02T00:00:00Z",
        "copilot": "2026-06-02",
        "claude_code": "2026-06-02T00:00:00Z",
        "firebender": "2026-06-01T23:30:00-01:00",
    }[tool]
    rows = read_day(tool, records.answer([records.record(**{records.day: other}), records.record()]))
    assert {row["usage_date"] for row in as_dicts(rows)} == {DAY}
    assert [row[records.column] for row in as_dicts(rows)] == [2]


PAGES: Mapping[str, bytes] = {
    "nothing": b"",
    "a proxy's page": b"<!doctype html><html></html>",
    "a list": b"[]",
    "an empty object": b"{}",
    "another object": b'{"error": "something"}',
    "null": b"null",
    "no list": b'{"data": 5, "results": {}, "snapshots": "x", "usageEvents": null, "download_links": 7}',
    "cut": b'{"data": [{"a": 1}, ',
    "endless nesting": b"[" * 50_000,
}


@pytest.mark.parametrize("body", PAGES)
@pytest.mark.parametrize("tool", RECORDS)
def test_what_is_no_page_is_unusable_and_not_an_empty_day(tool: str, body: str) -> None:
    """An empty day would delete what was there."""
    with pytest.raises(UnusableBody):
        read_day(tool, lambda _: PAGES[body])


@pytest.mark.parametrize(
    ("tool", "fields"),
    [
        ("g2", {"metadata": {"page": "first"}}),
        ("g2", {"metadata": []}),
        ("goose", {"next_cursor": 7}),
        ("claude_code", {"has_more": "perhaps"}),
        ("chatgpt", {"next_page": {}, "has_more": True}),
        ("cursor", {"pagination": {"currentPage": [], "hasNextPage": True}}),
        ("firebender", {"nextCursor": 5}),
    ],
)
def test_paging_that_cannot_be_read_makes_the_page_unusable(tool: str, fields: dict[str, Any]) -> None:
    """To take it for the last page would lose the others."""
    lists: dict[str, Any] = {"results": [], "snapshots": [], "data": [], "usageEvents": []}
    with pytest.raises(UnusableBody, match="field"):
        read_day(tool, lambda _: {**lists, **fields})


# oddities of single tools


def test_cursor_tells_the_day_in_either_way() -> None:
    """`day` is the newer name; both are the same day."""
    uses: list[dict[str, Any]] = [{"date": DAY_MS}, {"day": "2026-06-01"}, {"date": None, "day": "2026-06-01"}]
    for told in uses:
        daily = {"data": [{"email": "a@b", "acceptedLinesAdded": 4} | told]}
        rows = read_day("cursor", lambda r, page=daily: page if "daily" in r.path else {"usageEvents": []})  # type: ignore[misc]  # a lambda binds it
        assert [(row["usage_date"], row["accepted_lines"]) for row in as_dicts(rows)] == [(DAY, 4)]


def test_cursor_s_events_without_tokens_are_requests_with_unknown_tokens() -> None:
    """Included in the plan: neither zero tokens nor zero money. Two that are alike are two."""
    event = {"timestamp": str(DAY_MS), "userEmail": "a@b", "model": "auto"}
    rows = read_day("cursor", lambda r: {"data": []} if "daily" in r.path else {"usageEvents": [event, event]})
    (row,) = as_dicts(rows)
    assert (row["requests"], row["tokens_reported"], row["cost_usd"]) == (2, None, None)


def test_claude_code_knows_dollars_only() -> None:
    """Another currency is not added up with them."""
    records = RECORDS["claude_code"]
    breakdown = [{"model": "m", "tokens": {"input": 1}, "estimated_cost": {"currency": "EUR", "amount": 5}}]
    rows = read_day("claude_code", records.answer([records.record(model_breakdown=breakdown)]))
    assert (reasons(rows), rows.count) == (["unknown_currency"], 0)


def test_claude_code_estimates_where_no_model_tells_tokens() -> None:
    """7,500 a request, by the registry's constant."""
    records = RECORDS["claude_code"]
    acting = records.record(tool_actions={"edit_tool": {"accepted": 2, "rejected": 1}})
    (row,) = as_dicts(read_day("claude_code", records.answer([acting])))
    assert (row["requests"], row["tokens_reported"], row["tokens_estimated"]) == (3, None, 22_500)


def _goose_day(*snapshots: dict[str, Any], day: date = DAY) -> list[dict[str, Any]]:
    def answer(request: PageRequest) -> Body:
        asked = dict(request.query)["day"]
        return {"snapshots": [s for s in snapshots if s["taken_at"].startswith(asked)], "next_cursor": None}

    return as_dicts(read_day("goose", answer, day=day))


def _snapshot(taken_at: str, tokens: int | None, *, session: str = "20260531_1", messages: int = 1) -> dict[str, Any]:
    return {
        "session_id": session,
        "user_name": "ada",
        "taken_at": taken_at,
        "message_count": messages,
        "accumulated_input_tokens": tokens,
        "accumulated_output_tokens": None if tokens is None else tokens // 10,
    }


def test_goose_s_counters_are_differences_to_the_days_before() -> None:
    """Adding snapshots up would count the same tokens many times."""
    (row,) = _goose_day(
        _snapshot("2026-05-30T10:00:00Z", 100, messages=2),
        _snapshot("2026-05-31T10:00:00Z", 300, messages=4),
        _snapshot("2026-06-01T09:00:00Z", 500, messages=5),
        _snapshot("2026-06-01T11:00:00Z", 900, messages=9),
    )
    assert (row["input_tokens"], row["output_tokens"], row["requests"], row["sessions"]) == (600, 60, 5, 1)


def test_goose_s_snapshots_without_counters_say_nothing() -> None:
    """The one before counts; where all are empty the tokens are unknown, and messages count all the same."""
    (row,) = _goose_day(
        _snapshot("2026-05-31T10:00:00Z", 300, messages=4),
        _snapshot("2026-05-31T11:00:00Z", None, messages=5),
        _snapshot("2026-06-01T09:00:00Z", 500, messages=7),
        _snapshot("2026-06-01T11:00:00Z", None, messages=9),
    )
    assert (row["input_tokens"], row["requests"]) == (200, 4)
    (row,) = _goose_day(_snapshot("2026-06-01T09:00:00Z", None, messages=3))
    assert (row["input_tokens"], row["tokens_reported"], row["requests"]) == (None, None, 3)


def test_goose_s_counter_that_fell_was_started_anew() -> None:
    """A machine that lost its history counts from zero; never a negative use."""
    (row,) = _goose_day(_snapshot("2026-05-31T10:00:00Z", 300), _snapshot("2026-06-01T09:00:00Z", 40))
    assert row["input_tokens"] == 40


def test_goose_s_sessions_belong_to_their_user() -> None:
    """Two machines may give two sessions one id."""
    mine, theirs = _snapshot("2026-06-01T09:00:00Z", 10), _snapshot("2026-06-01T09:30:00Z", 500)
    rows = _goose_day(mine, {**theirs, "user_name": "eve"})
    assert [(row["actor"], row["input_tokens"]) for row in rows] == [("ada", 10), ("eve", 500)]


def test_goose_rejects_a_bad_snapshot_on_its_own_day_only() -> None:
    """Else it would be kept again for each of the days after it."""
    bad = {"session_id": "s", "user_name": 5, "taken_at": "2026-05-31T10:00:00Z"}

    def answer(request: PageRequest) -> Body:
        return {"snapshots": [bad] if dict(request.query)["day"] == "2026-05-31" else [], "next_cursor": None}

    found = [reasons(read_day("goose", answer, day=date(2026, 5, 30) + timedelta(days=n))) for n in range(4)]
    assert found == [[], ["wrong_type"], [], []]


def test_no_tool_s_key_is_in_an_address() -> None:
    """Basic's user name is the key: it is base64 in a header, nowhere else."""
    for tool in RECORDS:
        request = next(_flow(tool))
        assert "key" not in f"{request.path}{request.query}{request.body!r}"
        assert base64.b64encode(b"key") not in (request.body or b"")
