"""Plain readers of the AI tools' APIs: what a correct extractor does, as short as it can be said.

Each reads one UTC day over HTTP and gives rows like those of `expected_daily`, from the answers alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from local.sources.ai_tools.amp import CLIENT_ID, SCOPE_ANALYTICS, SCOPE_MEMBERS
from local.sources.ai_tools.chatgpt import WORKSPACE_ID
from local.sources.ai_tools.copilot import ORGANIZATION
from local.sources.ai_tools.expected import ExpectedUse
from local.sources.ai_tools.tools import TOOLS, Tool

KEYS = {tool.replace("_", "-"): f"key-of-{tool}" for tool in TOOLS}
Parameters = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Use:
    """A row as it was read: what `expected_daily` says without what only the company knows."""

    day: date
    actor: str
    model: str | None
    uncached_input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    requests: int | None = None
    accepted_lines: int | None = None
    cost_usd: Decimal | None = None
    credits: Decimal | None = None


def as_read(expected: ExpectedUse) -> Use:
    """What a reader can know of an expected row."""
    names = [name for name in Use.__dataclass_fields__ if name not in {"day", "actor", "model"}]
    return Use(expected.day, expected.actor, expected.model, **{name: getattr(expected, name) for name in names})


def key(tool: Tool) -> str:
    return KEYS[tool.replace("_", "-")]


def decoded(response: httpx.Response) -> Any:
    """JSON with its numbers as they are written: money is no float."""
    assert response.status_code == 200, response.text
    return json.loads(response.content, parse_float=Decimal)


def added(rows: list[Use]) -> list[Use]:
    """Rows of one day, actor and model as one; None and a number make the number."""
    sums: dict[tuple[date, str, str | None], dict[str, Any]] = defaultdict(dict)
    for row in rows:
        of_key = sums[row.day, row.actor, row.model]
        for name in Use.__dataclass_fields__:
            value = getattr(row, name)
            if name not in {"day", "actor", "model"} and value is not None:
                of_key[name] = of_key.get(name, 0) + value
    return sorted((Use(*k, **values) for k, values in sums.items()), key=lambda u: (u.day, u.actor, u.model or ""))


def read_day(client: httpx.Client, tool: Tool, day: date) -> list[Use] | None:
    """One day, in order; None when the tool says that it doesn't have the day yet."""
    rows = READERS[tool](client, day)
    return None if rows is None else added([row for row in rows if has_something(row)])


def has_something(row: Use) -> bool:
    return any(getattr(row, name) for name in Use.__dataclass_fields__ if name not in {"day", "actor", "model"})


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def read_g2(client: httpx.Client, day: date, page_size: int = 7) -> list[Use]:
    rows: list[Use] = []
    page = 1
    while True:
        parameters: Parameters = {"start_date": str(day), "end_date": str(day), "page": page, "page_size": page_size}
        headers = {"Authorization": f"Bearer {key('g2')}"}
        body = decoded(client.get("/g2/user/daily/activity", params=parameters, headers=headers))
        for result in body["results"]:
            for model, of_model in result["breakdown"]["models"].items():
                for of_key in of_model["api_key_breakdown"].values():
                    told, metrics = of_key["metadata"], of_key["metrics"]
                    read, write = metrics["cache_read_input_tokens"], metrics["cache_creation_input_tokens"]
                    rows.append(
                        Use(
                            date.fromisoformat(result["date"]),
                            told["user_email"] or told["user_id"] or told["key_alias"],
                            model,
                            metrics["prompt_tokens"] - read - write,
                            read,
                            write,
                            metrics["completion_tokens"],
                            metrics["api_requests"],
                            cost_usd=metrics["spend"],
                        )
                    )
        if not body["metadata"]["has_more"]:
            return rows
        page += 1


def read_snapshots(client: httpx.Client, day: date) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        parameters: Parameters = {"day": str(day), "limit": 20, **({"cursor": cursor} if cursor else {})}
        headers = {"X-Collector-Token": key("goose")}
        body = decoded(client.get("/goose/v1/session-snapshots", params=parameters, headers=headers))
        yield from body["snapshots"]
        cursor = body["next_cursor"]
        if cursor is None:
            return


def read_goose(client: httpx.Client, day: date) -> list[Use]:
    """Counters of a session less those of the days before it was last seen; a session lives for four days."""
    before: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: {"input": 0, "output": 0, "messages": 0})
    for back in (3, 2, 1):
        for shot in read_snapshots(client, day - timedelta(days=back)):
            _note(before[shot["user_name"], shot["session_id"]], shot)
    now: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for shot in read_snapshots(client, day):
        _note(now[shot["user_name"], shot["session_id"]], shot)
    rows = []
    for session, counters in now.items():
        then = before[session]
        known = "input" in counters
        rows.append(
            Use(
                day,
                session[0],
                None,
                uncached_input=counters["input"] - then["input"] if known else None,
                output=counters["output"] - then["output"] if known else None,
                requests=counters["messages"] - then["messages"],
            )
        )
    return rows


def _note(counters: dict[str, int], shot: Mapping[str, Any]) -> None:
    counters["messages"] = shot["message_count"]
    if shot["accumulated_input_tokens"] is not None:
        counters["input"] = shot["accumulated_input_tokens"]
        counters["output"] = shot["accumulated_output_tokens"]


def read_claude_code(client: httpx.Client, day: date, limit: int = 6) -> list[Use]:
    rows: list[Use] = []
    page: str | None = None
    headers = {"x-api-key": key("claude_code"), "anthropic-version": "2023-06-01"}
    while True:
        parameters: Parameters = {"starting_at": str(day), "limit": limit, **({"page": page} if page else {})}
        path = "/claude_code/v1/organizations/usage_report/claude_code"
        body = decoded(client.get(path, params=parameters, headers=headers))
        for record in body["data"]:
            actor = record["actor"].get("email_address") or record["actor"]["api_key_name"]
            rows.append(Use(day, actor, None, accepted_lines=record["core_metrics"]["lines_of_code"]["added"]))
            for of_model in record["model_breakdown"]:
                tokens = of_model["tokens"]
                cost = of_model["estimated_cost"]["amount"] / Decimal(100)
                rows.append(
                    Use(
                        day,
                        actor,
                        of_model["model"],
                        tokens["input"],
                        tokens["cache_read"],
                        tokens["cache_creation"],
                        tokens["output"],
                        cost_usd=cost,
                    )
                )
        page = body["next_page"]
        if not body["has_more"]:
            return rows


def read_cursor(client: httpx.Client, day: date, page_size: int = 25) -> list[Use]:
    rows: list[Use] = []
    asked = {"startDate": _ms(_start(day)), "endDate": _ms(_start(day) + timedelta(days=1)) - 1}
    auth = httpx.BasicAuth(key("cursor"), "")
    for member in decoded(client.post("/cursor/teams/daily-usage-data", json=asked, auth=auth))["data"]:
        told = member["day"] if "day" in member else datetime.fromtimestamp(member["date"] / 1000, UTC).date()
        assert str(told) == str(day)
        rows.append(Use(day, member["email"], None, accepted_lines=member["acceptedLinesAdded"]))
    page = 1
    while True:
        body = decoded(
            client.post(
                "/cursor/teams/filtered-usage-events", json=asked | {"page": page, "pageSize": page_size}, auth=auth
            )
        )
        for event in body["usageEvents"]:
            use = event.get("tokenUsage", {})
            rows.append(
                Use(
                    datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC).date(),
                    event["userEmail"],
                    event["model"],
                    use.get("inputTokens"),
                    use.get("cacheReadTokens"),
                    use.get("cacheWriteTokens"),
                    use.get("outputTokens"),
                    1,
                    cost_usd=use["totalCents"] / Decimal(100) if use else None,
                )
            )
        if not body["pagination"]["hasNextPage"]:
            return rows
        page += 1


def read_firebender(client: httpx.Client, day: date, limit: int = 15) -> list[Use]:
    rows: list[Use] = []
    asked = {"startDate": _ms(_start(day)), "endDate": _ms(_start(day) + timedelta(days=1)) - 1}
    headers = {"X-API-Key": key("firebender")}
    daily = client.post("/firebender/v2/organization/daily-usage-data", json=asked, headers=headers)
    for member in decoded(daily)["data"]:
        lines = member["agentAcceptedLinesAdded"] + member["inlineAcceptedLinesAdded"]
        rows.append(Use(day, member["email"], None, accepted_lines=lines))
    cursor: str | None = None
    while True:
        body = decoded(
            client.post(
                "/firebender/v2/organization/model-requests",
                json=asked | {"limit": limit} | ({"cursor": cursor} if cursor else {}),
                headers=headers,
            )
        )
        rows += [
            Use(
                datetime.fromisoformat(request["timestamp"]).date(),
                request["email"],
                request["model"],
                request["inputTokens"],
                request["cacheReadTokens"],
                request["cacheWriteTokens"],
                request["outputTokens"],
                1,
                cost_usd=request["costUsd"],
            )
            for request in body["data"]
        ]
        cursor = body["nextCursor"]
        if cursor is None:
            return rows


def amp_token(client: httpx.Client, scope: str = f"{SCOPE_ANALYTICS} {SCOPE_MEMBERS}") -> str:
    form = {"grant_type": "client_credentials", "scope": scope}
    token: str = decoded(client.post("/amp/oauth2/token", data=form, auth=(CLIENT_ID, key("amp"))))["access_token"]
    return token


def read_amp(client: httpx.Client, day: date) -> list[Use]:
    rows: list[Use] = []
    today = datetime.fromisoformat(client.get("/_double/clock").json()["now"]).date()
    answer = client.get(
        "/amp/api/v2/workspace/analytics/daily-usage",
        params={"lookbackDays": (today - day).days + 1},
        headers={"Authorization": f"Bearer {amp_token(client)}"},
    )
    for row in decoded(answer)["data"]:
        if row["date"] != str(day):
            continue
        for user in row["users"]:
            actor = user["user"].get("email") or user["user"]["id"]
            rows.append(Use(day, actor, None, accepted_lines=user["metrics"]["linesAdded"]))
            for model, told in user["models"].items():
                rows.append(
                    Use(
                        day,
                        actor,
                        model,
                        told["inputTokens"],
                        told["cacheReadInputTokens"],
                        told["cacheCreationInputTokens"],
                        told["outputTokens"],
                        told["requests"],
                        cost_usd=told["usage"],
                    )
                )
    return rows


def read_chatgpt(client: httpx.Client, day: date, limit: int = 4) -> list[Use]:
    rows: list[Use] = []
    page: str | None = None
    start = _ms(_start(day)) // 1000
    while True:
        parameters: Parameters = {"start_time": start, "end_time": start + 86_400, "group_by": "day", "limit": limit}
        answer = client.get(
            f"/chatgpt/v1/analytics/codex/workspaces/{WORKSPACE_ID}/usage",
            params={**parameters, **({"page": page} if page else {})},
            headers={"Authorization": f"Bearer {key('chatgpt')}"},
        )
        body = decoded(answer)
        for row in body["data"]:
            told = [c for c in row["clients"] if "text_total_tokens" in c]
            rows.append(
                Use(
                    datetime.fromtimestamp(row["start_time"], UTC).date(),
                    row.get("email") or row["user_id"],
                    None,
                    uncached_input=sum(c["uncached_text_input_tokens"] for c in told) if told else None,
                    cache_read=sum(c["cached_text_input_tokens"] for c in told) if told else None,
                    output=sum(c["text_output_tokens"] for c in told) if told else None,
                    requests=row["totals"]["turns"],
                    accepted_lines=row.get("code_attribution", {"lines_added": 0})["lines_added"],
                    credits=row["totals"]["credits"],
                )
            )
        page = body["next_page"]
        if page is None:
            return rows


def read_copilot(client: httpx.Client, day: date) -> list[Use] | None:
    path = f"/copilot/orgs/{ORGANIZATION}/copilot/metrics/reports/users-1-day"
    answer = client.get(path, params={"day": str(day)}, headers={"Authorization": f"Bearer {key('copilot')}"})
    if answer.status_code == 404:
        return None
    rows: list[Use] = []
    for link in decoded(answer)["download_links"]:
        for line in httpx.get(link).raise_for_status().text.splitlines():
            user = json.loads(line)
            tokens = user.get("totals_by_cli", {}).get("token_usage", {})
            rows.append(
                Use(
                    date.fromisoformat(user["day"]),
                    user["user_login"],
                    None,
                    uncached_input=tokens.get("prompt_tokens_sum"),
                    output=tokens.get("output_tokens_sum"),
                    requests=user["user_initiated_interaction_count"],
                    accepted_lines=user["loc_added_sum"],
                )
            )
    return rows


READERS: Mapping[Tool, Callable[[httpx.Client, date], list[Use] | None]] = {
    "g2": read_g2,
    "goose": read_goose,
    "claude_code": read_claude_code,
    "cursor": read_cursor,
    "firebender": read_firebender,
    "amp": read_amp,
    "chatgpt": read_chatgpt,
    "copilot": read_copilot,
}
