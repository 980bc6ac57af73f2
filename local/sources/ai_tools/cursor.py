"""Cursor's admin API: daily sums a member, and single events with tokens (docs/sources/cursor.md)."""

from __future__ import annotations

import base64
import binascii
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.engineers import Engineer
from local.sources.ai_tools.tool_vendor import ToolVendor, from_milliseconds, midnight, milliseconds
from local.sources.ai_tools.world import days_between, first_day_of
from local.sources.kit.faults import ListPaths
from local.sources.kit.pages import NumberedPage
from local.sources.kit.token_bucket import Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

_DAILY, _EVENTS = "/teams/daily-usage-data", "/teams/filtered-usage-events"
_LONGEST = timedelta(days=30)
_EVENTS_PAGE_SIZE, _PAGE_SIZE_LIMIT = 10, 1000
DAY_RENAMED_FROM = date(2026, 6, 1)
"""From this day on daily rows have `day` (a date) in place of `date` (milliseconds), unless that quirk is off."""
_ERRORS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
}


class Cursor(ToolVendor):
    """Two lists over at most 30 days. Basic authentication with the key as user name and no password."""

    tool = "cursor"
    lists = ListPaths(records=(_DAILY, _EVENTS), paged=(_DAILY, _EVENTS))
    quota = Quota.a_minute(20)

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """Daily sums and events."""
        return {("POST", _DAILY): self._daily, ("POST", _EVENTS): self._events}

    def presented_key(self, asked: Asked) -> str | None:
        """The user name; what is no Basic authentication, or has a password, carries no key."""
        scheme, _, text = asked.headers.get("authorization", "").partition(" ")
        try:
            user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user if scheme.lower() == "basic" and colon and user and not password else None

    def unauthorized(self, why: str) -> Refusal:
        """As the vendor puts it."""
        return self.refusal(401, "API key is required" if why == "missing" else "Invalid API key")

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"error", "message"}`."""
        return Refusal(status, {"error": _ERRORS.get(status, "Internal Server Error"), "message": message}, headers)

    def _range(self, body: Mapping[str, Any]) -> tuple[datetime, datetime]:
        first = from_milliseconds(self.whole_field(body, "startDate"))
        last = from_milliseconds(self.whole_field(body, "endDate"))
        if last < first:
            raise self.refusal(400, "endDate must not be before startDate")
        if last - first > _LONGEST:
            raise self.refusal(400, "Date range cannot exceed 30 days")
        return first, last

    def _calls(self, first: datetime, last: datetime) -> list[Call]:
        days = days_between(max(first.date(), first_day_of("cursor")), min(last.date(), self.now.date()))
        return [call for day in days for call in self.world.seen("cursor", day, self.now)]

    def _daily(self, asked: Asked) -> Answer:
        body = self.json_body(asked)
        first, last = self._range(body)
        by_member: dict[tuple[date, str], list[Call]] = defaultdict(list)
        for call in self._calls(first, last):
            if call.engineer is not None:
                by_member[call.day, call.engineer.id].append(call)
        days = days_between(max(first.date(), first_day_of("cursor")), min(last.date(), self.now.date()))
        rows = [
            self._member_day(day, engineer, by_member.get((day, engineer.id), []))
            for day in days
            if first <= midnight(day) <= last
            for engineer in self.world.staff
            if engineer.employed(day)
        ]
        period = {"startDate": body["startDate"], "endDate": body["endDate"]}
        if "page" not in body and "pageSize" not in body:
            return Answer({"data": asked.records(rows), "period": period})
        size = self.whole_field(body, "pageSize", default=100, least=1, most=_PAGE_SIZE_LIMIT)
        page = self._page(asked, body, rows, size, "daily")
        return Answer({"data": asked.records(page.rows), "period": period, "pagination": _pagination(page, size)})

    def _page(
        self, asked: Asked, body: Mapping[str, Any], rows: Sequence[Any], size: int, name: str
    ) -> NumberedPage[Any]:
        number = self.whole_field(body, "page", default=1, least=1, most=10**9)
        filters = sorted((key, value) for key, value in body.items() if key != "page")
        return self.pager.page(rows, asked, size=size, number=number, list_name=f"{name} {filters}")

    def _member_day(self, day: date, engineer: Engineer, calls: Sequence[Call]) -> dict[str, Any]:
        account = self.world.account(engineer, "cursor")
        added, removed = sum(c.lines_added for c in calls), sum(c.lines_removed for c in calls)
        edits = sum(c.lines_added > 0 for c in calls)
        unmetered = sum(not c.metered for c in calls)
        renamed = "renamed_fields" in self.world.quirks and day >= DAY_RENAMED_FROM
        models = Counter(c.model for c in calls)
        row: dict[str, Any] = {"day": day.isoformat()} if renamed else {"date": milliseconds(midnight(day))}
        row |= {
            "userId": account.user_id,
            "email": account.actor,
            "isActive": bool(calls),
            "totalLinesAdded": added + added // 4,
            "totalLinesDeleted": removed + removed // 4,
            "acceptedLinesAdded": added,
            "acceptedLinesDeleted": removed,
            "totalApplies": edits + edits // 3,
            "totalAccepts": edits,
            "totalRejects": edits // 3,
            "totalTabsShown": 5 * len(calls),
            "totalTabsAccepted": 2 * len(calls),
            "composerRequests": 0,
            "chatRequests": len(calls) - edits,
            "agentRequests": edits,
            "cmdkUsages": 0,
            "bugbotUsages": 0,
            "subscriptionIncludedReqs": unmetered,
            "apiKeyReqs": 0,
            "usageBasedReqs": len(calls) - unmetered,
        }
        if models:
            row["mostUsedModel"] = min(models, key=lambda model: (-models[model], model))
            row["clientVersion"] = "2.0.43"
        return row

    def _events(self, asked: Asked) -> Answer:
        body = self.json_body(asked)
        first, last = self._range(body)
        size = self.whole_field(body, "pageSize", default=_EVENTS_PAGE_SIZE, least=1, most=_PAGE_SIZE_LIMIT)
        events = [
            self._event(call, call.engineer)
            for call in reversed(self._calls(first, last))
            if call.engineer is not None and first <= call.at <= last and self._wanted(call.engineer, body)
        ]
        page = self._page(asked, body, events, size, "events")
        content = {
            "totalUsageEventsCount": len(events),
            "pagination": _pagination(page, size),
            "usageEvents": asked.records(page.rows),
            "period": {"startDate": body["startDate"], "endDate": body["endDate"]},
        }
        return Answer(content)

    def _wanted(self, engineer: Engineer, body: Mapping[str, Any]) -> bool:
        account = self.world.account(engineer, "cursor")
        # tuples: a filter may be anything that JSON knows, and not all of it can be in a set
        return body.get("email") in (None, account.actor) and body.get("userId") in (None, account.user_id)

    def _event(self, call: Call, engineer: Engineer) -> dict[str, Any]:
        """No event has an id; two that are alike in everything are two events."""
        event: dict[str, Any] = {
            "timestamp": str(milliseconds(call.at)),
            "userEmail": self.world.account(engineer, "cursor").actor,
            "model": call.model,
            "kind": "Usage-based" if call.metered else "Included in Business",
            "maxMode": call.model == "claude-sonnet-4-5" and call.cache_read > 100_000,
            "requestsCosts": 0 if call.metered else 1 + call.output // 2000,
            "isTokenBasedCall": call.metered,
            "isFreeBugbot": False,
        }
        if call.metered:
            cents = float(call.cost * 100)
            event["tokenUsage"] = {
                "inputTokens": call.uncached_input,
                "outputTokens": call.output,
                "cacheWriteTokens": call.cache_write,
                "cacheReadTokens": call.cache_read,
                "totalCents": cents,
            }
            event["chargedCents"] = cents
        return event


def _pagination(page: NumberedPage[Any], size: int) -> dict[str, Any]:
    return {
        "numPages": page.page_count,
        "currentPage": page.number,
        "pageSize": size,
        "hasNextPage": page.has_more,
        "hasPreviousPage": page.number > 1,
    }
