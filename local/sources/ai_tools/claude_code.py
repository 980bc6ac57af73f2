"""Claude Code's analytics API: one UTC day a request (docs/sources/claude_code.md)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from local.sources.ai_tools import digests
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.tool_vendor import ToolVendor
from local.sources.kit.faults import ListPaths
from local.sources.kit.pages import BadCursor, by_cursor
from local.sources.kit.token_bucket import Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

_PATH = "/v1/organizations/usage_report/claude_code"
_LIMIT, _LIMIT_MOST = 20, 1000
_ORGANIZATION = digests.uuid("claude_code", "organization")
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class ClaudeCode(ToolVendor):
    """`GET /v1/organizations/usage_report/claude_code?starting_at=`: records by actor, terminal and customer type."""

    tool = "claude_code"
    lists = ListPaths(records=(_PATH,), paged=(_PATH,))
    quota = Quota.a_minute(60)

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The one report."""
        return {("GET", _PATH): self._report}

    def presented_key(self, asked: Asked) -> str | None:
        """The admin key."""
        return asked.headers.get("x-api-key") or None

    def unauthorized(self, why: str) -> Refusal:
        """As the vendor puts it."""
        return self.refusal(401, "x-api-key header is required" if why == "missing" else "invalid x-api-key")

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"type": "error", "error": {"type", "message"}}`."""
        error = {"type": _TYPES.get(status, "api_error"), "message": message}
        return Refusal(status, {"type": "error", "error": error}, headers)

    def _report(self, asked: Asked) -> Answer:
        if not asked.headers.get("anthropic-version"):
            raise self.refusal(400, "anthropic-version: header is required")
        day = self.day_parameter(asked, "starting_at")
        limit = self.whole_parameter(asked, "limit", _LIMIT, _LIMIT_MOST)
        try:
            page = by_cursor(self._groups(day), asked, size=limit, cursor=asked.single("page"))
        except BadCursor:
            raise self.refusal(400, "page: invalid page token") from None
        rows = [self._record(day, terminal, customer, calls) for (_, terminal, customer), calls in page.rows]
        more = page.next_cursor is not None
        return Answer({"data": asked.records(rows), "has_more": more, "next_page": page.next_cursor})

    def _groups(self, day: date) -> list[tuple[tuple[str, str, str], list[Call]]]:
        groups: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
        for call in self.world.seen("claude_code", day, self.now):
            groups[self.world.actor(call, "claude_code"), call.surface, _customer_type(call)].append(call)
        return sorted(groups.items())

    def _record(self, day: date, terminal: str, customer_type: str, calls: Sequence[Call]) -> dict[str, Any]:
        name = self.world.actor(calls[0], "claude_code")
        by_model: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            by_model[call.model].append(call)
        edits = sum(call.lines_added > 0 for call in calls)
        actions = Counter(edit_tool=edits, write_tool=edits // 4, multi_edit_tool=edits // 6, notebook_edit_tool=0)
        return {
            "date": f"{day.isoformat()}T00:00:00Z",
            "actor": {"type": "user_actor", "email_address": name}
            if calls[0].engineer is not None
            else {"type": "api_actor", "api_key_name": name},
            "organization_id": _ORGANIZATION,
            "customer_type": customer_type,
            "subscription_type": "enterprise" if customer_type == "subscription" else None,
            "terminal_type": terminal,
            "core_metrics": {
                "num_sessions": 1 + len(calls) // 8,
                "lines_of_code": {
                    "added": sum(call.lines_added for call in calls),
                    "removed": sum(call.lines_removed for call in calls),
                },
                "commits_by_claude_code": edits // 5,
                "pull_requests_by_claude_code": edits // 12,
            },
            "tool_actions": {tool: {"accepted": count, "rejected": count // 5} for tool, count in actions.items()},
            "model_breakdown": [_of_model(model, by_model[model]) for model in sorted(by_model)],
        }


def _customer_type(call: Call) -> str:
    """A person's terminal may be signed in by a key instead of their seat, so one actor can have both types a day."""
    keyed = call.engineer is None or digests.number(6, "keyed", call.engineer.id, call.surface) == 0
    return "api" if keyed else "subscription"


def _of_model(model: str, calls: Sequence[Call]) -> dict[str, Any]:
    cents = sum((call.cost for call in calls), Decimal(0)) * 100
    return {
        "model": model,
        "tokens": {
            "input": sum(call.uncached_input for call in calls),
            "output": sum(call.output for call in calls),
            "cache_read": sum(call.cache_read for call in calls),
            "cache_creation": sum(call.cache_write for call in calls),
        },
        "estimated_cost": {"currency": "USD", "amount": float(cents)},
    }
