"""ChatGPT's Codex analytics: an actor's day at a time, in credits (docs/sources/chatgpt.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.expected import credits_of
from local.sources.ai_tools.tool_vendor import ToolVendor, bearer, from_milliseconds, midnight, milliseconds
from local.sources.ai_tools.world import days_between, first_day_of
from local.sources.kit.faults import ListPaths
from local.sources.kit.pages import BadCursor, by_cursor
from local.sources.kit.token_bucket import Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

WORKSPACE_ID = "ws-example"
_PATH = "/v1/analytics/codex/workspaces/{workspace_id}/usage"
_LIMIT, _LIMIT_MOST = 100, 500
_LAST_SECOND = 253_402_300_799


class ChatGpt(ToolVendor):
    """`GET …/codex/workspaces/{id}/usage?start_time&end_time`: rows appear up to 12 hours after their day."""

    tool = "chatgpt"
    lists = ListPaths(records=(_PATH,), paged=(_PATH,))
    quota = Quota.a_minute(60)

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The one list."""
        return {("GET", _PATH): self._usage}

    def presented_key(self, asked: Asked) -> str | None:
        """The platform key."""
        return bearer(asked)

    def unauthorized(self, why: str) -> Refusal:
        """As the vendor puts it."""
        told = {"missing": "You didn't provide an API key.", "invalid": "Incorrect API key provided."}
        return self.refusal(401, told[why])

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"error": {"message", "type", "param", "code"}}`."""
        code = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}.get(status)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return Refusal(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)

    def _usage(self, asked: Asked) -> Answer:
        if f"/{WORKSPACE_ID}/" not in asked.path:
            raise self.refusal(404, "Workspace not found")
        if asked.single("group_by") not in {None, "day"}:
            raise self.refusal(400, "group_by: must be day")
        start = self.whole_parameter(asked, "start_time", -1, _LAST_SECOND, least=0)
        if start < 0:
            raise self.refusal(400, "start_time: Field required")
        end = self.whole_parameter(asked, "end_time", milliseconds(self.now) // 1000 + 1, _LAST_SECOND, least=0)
        limit = self.whole_parameter(asked, "limit", _LIMIT, _LIMIT_MOST)
        try:
            page = by_cursor(self._rows(start, end), asked, size=limit, cursor=asked.single("page"))
        except BadCursor:
            raise self.refusal(400, "page: invalid") from None
        more = page.next_cursor is not None
        content = {"object": "page", "data": asked.records(page.rows), "has_more": more, "next_page": page.next_cursor}
        return Answer(content)

    def _rows(self, start: int, end: int) -> list[dict[str, Any]]:
        first = max(from_milliseconds(start * 1000).date(), first_day_of("chatgpt"))
        last = min(from_milliseconds(end * 1000).date(), self.now.date())
        rows: list[dict[str, Any]] = []
        for day in days_between(first, last):
            if not start <= milliseconds(midnight(day)) // 1000 < end:
                continue
            by_actor: dict[str, list[Call]] = defaultdict(list)
            for call in self.world.seen("chatgpt", day, self.now):
                by_actor[self.world.actor(call, "chatgpt")].append(call)
            rows += [self._row(day, by_actor[actor]) for actor in sorted(by_actor)]
        return rows

    def _row(self, day: date, calls: Sequence[Call]) -> dict[str, Any]:
        by_client: dict[str, list[Call]] = defaultdict(list)
        by_model: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            by_client[call.surface].append(call)
            by_model[call.model].append(call)
        row: dict[str, Any] = {
            "object": "codex.usage",
            "start_time": milliseconds(midnight(day)) // 1000,
            "end_time": milliseconds(midnight(day) + timedelta(days=1)) // 1000,
            "totals": _totals(calls),
            "clients": [_client(name, by_client[name]) for name in sorted(by_client)],
            "models": [{"model": name, "credits": _credits(by_model[name])} for name in sorted(by_model)],
        }
        if calls[0].engineer is not None:
            account = self.world.account(calls[0].engineer, "chatgpt")
            row["user_id"] = account.user_id
            row["actor"] = {"type": "user", "user_id": account.user_id}
            if account.email is not None:
                row["email"] = row["actor"]["email"] = account.email
        added = sum(call.lines_added for call in calls)
        if added:
            row["code_attribution"] = {
                "lines_added": added,
                "lines_removed": sum(call.lines_removed for call in calls),
            }
        return row


def _credits(calls: Sequence[Call]) -> float:
    return float(sum((credits_of(call) for call in calls), Decimal(0)))


def _totals(calls: Sequence[Call]) -> dict[str, Any]:
    return {"threads": 1 + len(calls) // 5, "turns": len(calls), "credits": _credits(calls)}


def _client(name: str, calls: Sequence[Call]) -> dict[str, Any]:
    client: dict[str, Any] = {"client_id": name, **_totals(calls)}
    if all(call.metered for call in calls):
        uncached, cached = sum(c.uncached_input for c in calls), sum(c.cache_read for c in calls)
        output = sum(c.output for c in calls)
        client |= {
            "uncached_text_input_tokens": uncached,
            "cached_text_input_tokens": cached,
            "text_output_tokens": output,
            "text_total_tokens": uncached + cached + output,
        }
    return client
