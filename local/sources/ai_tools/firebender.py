"""Firebender's organisation API: daily sums without tokens, and single model requests (docs/sources/firebender.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from local.sources.ai_tools import digests
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.tool_vendor import ToolVendor, from_milliseconds, midnight, milliseconds
from local.sources.ai_tools.world import days_between, first_day_of
from local.sources.kit.faults import ListPaths
from local.sources.kit.instants import rfc3339
from local.sources.kit.pages import BadCursor, by_cursor
from local.sources.kit.token_bucket import Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

_DAILY, _REQUESTS = "/v2/organization/daily-usage-data", "/v2/organization/model-requests"
_LIMIT, _LIMIT_MOST = 100, 500


class Firebender(ToolVendor):
    """Figures of some days change once: requests told as `firebender-auto` at first get their model's name."""

    tool = "firebender"
    lists = ListPaths(records=(_DAILY, _REQUESTS), paged=(_REQUESTS,))
    quota = Quota.a_minute(60)

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """Daily sums and model requests."""
        return {("POST", _DAILY): self._daily, ("POST", _REQUESTS): self._model_requests}

    def presented_key(self, asked: Asked) -> str | None:
        """The organisation's key."""
        return asked.headers.get("x-api-key") or None

    def unauthorized(self, why: str) -> Refusal:
        """One text for both."""
        del why
        return self.refusal(401, "Invalid or missing API key")

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"error": message}`."""
        return Refusal(status, {"error": message}, headers)

    def _range(self, body: Mapping[str, Any]) -> tuple[datetime, datetime]:
        first = from_milliseconds(self.whole_field(body, "startDate"))
        last = from_milliseconds(self.whole_field(body, "endDate"))
        if last < first:
            raise self.refusal(400, "endDate must not be before startDate")
        return first, last

    def _days(self, first: datetime, last: datetime) -> list[date]:
        return list(days_between(max(first.date(), first_day_of("firebender")), min(last.date(), self.now.date())))

    def _daily(self, asked: Asked) -> Answer:
        body = self.json_body(asked)
        first, last = self._range(body)
        rows: list[dict[str, Any]] = []
        for day in self._days(first, last):
            if not first <= midnight(day) <= last:
                continue
            by_actor: dict[str, list[Call]] = defaultdict(list)
            for call in self.world.seen("firebender", day, self.now):
                by_actor[self.world.actor(call, "firebender")].append(call)
            rows += [_actor_day(day, actor, by_actor[actor]) for actor in sorted(by_actor)]
        period = {"startDate": body["startDate"], "endDate": body["endDate"]}
        return Answer({"data": asked.records(rows), "period": period})

    def _model_requests(self, asked: Asked) -> Answer:
        body = self.json_body(asked)
        first, last = self._range(body)
        limit = self.whole_field(body, "limit", default=_LIMIT, least=1, most=_LIMIT_MOST)
        cursor, email = body.get("cursor"), body.get("email")
        if not isinstance(cursor, str | None):
            raise self.refusal(400, "cursor must be a string")
        # a tuple below: `email` may be anything that JSON knows, and not all of it can be in a set
        rows = [
            self._request(call)
            for day in self._days(first, last)
            for call in self.world.seen("firebender", day, self.now)
            if first <= call.at <= last and email in (None, self.world.actor(call, "firebender"))
        ]
        try:
            page = by_cursor(rows, asked, size=limit, cursor=cursor)
        except BadCursor:
            raise self.refusal(400, "Invalid cursor") from None
        return Answer({"data": asked.records(page.rows), "nextCursor": page.next_cursor})

    def _request(self, call: Call) -> dict[str, Any]:
        actor = self.world.actor(call, "firebender")
        return {
            # what doesn't change when the model is named later, so that the id stays
            "requestId": digests.uuid(self.world.seed, actor, call.at, call.uncached_input, call.output),
            "timestamp": rfc3339(call.at),
            "email": actor,
            "model": call.model,
            "inputTokens": call.uncached_input,
            "outputTokens": call.output,
            "cacheReadTokens": call.cache_read,
            "cacheWriteTokens": call.cache_write,
            "totalTokens": call.uncached_input + call.output + call.cache_read + call.cache_write,
            "costUsd": float(call.cost),
            "spendType": "on-demand",
            "mode": "write" if call.lines_added else "read",
        }


def _actor_day(day: date, actor: str, calls: Sequence[Call]) -> dict[str, Any]:
    agent = [call for call in calls if call.surface == "agent"]
    inline = [call for call in calls if call.surface == "inline"]
    agent_edits, inline_edits = (sum(call.lines_added > 0 for call in part) for part in (agent, inline))
    return {
        "date": milliseconds(midnight(day)),
        "email": actor,
        "ideOpened": True,
        "agentPrompts": len(agent),
        "agentAccepts": agent_edits,
        "agentFullAccepts": agent_edits * 2 // 3,
        "agentAcceptedLinesAdded": sum(call.lines_added for call in agent),
        "agentAcceptedLinesRemoved": sum(call.lines_removed for call in agent),
        "inlineEdits": len(inline),
        "inlineEditAccepts": inline_edits,
        "inlineAcceptedLinesAdded": sum(call.lines_added for call in inline),
        "inlineAcceptedLinesRemoved": sum(call.lines_removed for call in inline),
        "autocompleteShown": 6 * len(calls),
        "autocompleteAccepts": 2 * len(calls),
        "autocompleteAcceptedCharactersAdded": 70 * len(calls),
        "autocompleteAcceptedCharactersRemoved": 5 * len(calls),
    }
