"""Cursor's Admin API: accepted lines by day, and events of which only some carry tokens; epoch milliseconds, cents."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from shared.extract.pages import PageFlow, PageRequest, PageSeen, content_of, numbered_requests
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import DailyTool, day_of_ms, decoded, midnight
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.envelope import field_of, records_in
from shared.sources.family import RawPage
from shared.sources.record import Refused, known_fields, unknown_fields

_Date = date

_DAILY, _EVENTS = "/teams/daily-usage-data", "/teams/filtered-usage-events"


class _Day(Struct, frozen=True, rename="camel"):
    email: str
    date: int | None = None
    day: _Date | None = None
    accepted_lines_added: int | None = None


class _Tokens(Struct, frozen=True, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_read_tokens: int | None = None
    total_cents: Decimal | None = None


class _Event(Struct, frozen=True, rename="camel"):
    timestamp: int
    user_email: str | None = None
    service_account_name: str | None = None
    model: str = "unknown"
    token_usage: _Tokens | None = None


class _Paging(Struct, frozen=True, rename="camel"):
    has_next_page: bool = False
    current_page: int = 1


_DAY_FIELDS = known_fields(
    _Day,
    *("userId", "isActive", "totalLinesAdded", "totalLinesDeleted", "acceptedLinesDeleted", "totalApplies"),
    *("totalAccepts", "totalRejects", "totalTabsShown", "totalTabsAccepted", "composerRequests", "chatRequests"),
    *("agentRequests", "cmdkUsages", "bugbotUsages", "subscriptionIncludedReqs", "apiKeyReqs", "usageBasedReqs"),
    *("mostUsedModel", "clientVersion"),
)
_EVENT_FIELDS = known_fields(
    _Event, "kind", "maxMode", "requestsCosts", "isTokenBasedCall", "isFreeBugbot", "chargedCents"
)


class Cursor(DailyTool):
    """`POST /teams/daily-usage-data` and `POST /teams/filtered-usage-events`."""

    most_days = 30  # the vendor's limit

    def requests(self, source: Source, first: date, last: date) -> PageFlow:
        """The days' summaries, then their events page after page."""
        end = int(midnight(last + timedelta(days=1)).timestamp() * 1000) - 1
        span = {"startDate": int(midnight(first).timestamp() * 1000), "endDate": end}

        def page(path: str, number: int) -> PageRequest:
            body = json.dumps({**span, "page": number, "pageSize": source.page_size}).encode()
            return PageRequest(path, method="POST", body=body)

        yield from numbered_requests(lambda number: page(_DAILY, number))
        yield from numbered_requests(lambda number: page(_EVENTS, number))

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """`data` or `usageEvents`, with `pagination` where there is any."""
        events = request.path == _EVENTS
        records, envelope = records_in(response.body, "usageEvents" if events else "data")
        paging = field_of(envelope, "pagination", _Paging)
        following = str(paging.current_page + 1) if isinstance(paging, _Paging) and paging.has_next_page else None
        return RawPage(records, PageSeen(len(records), following, content=content_of(records)), {"events": events})

    def uses(self, record: bytes, context: Mapping[str, Any]) -> Iterable[Usage]:
        """Accepted lines for all models together; requests, tokens and cost by model."""
        if not context["events"]:
            summary = decoded(_Day, record)
            figures = Figures(accepted_lines=summary.accepted_lines_added)
            yield Usage(_day_of(summary), summary.email, "email", ALL_MODELS, figures)
            return
        event = decoded(_Event, record)
        figures = Figures(requests=1)
        if event.token_usage is not None:
            tokens = event.token_usage
            figures.add(
                Figures(
                    input_tokens=tokens.input_tokens,
                    cache_read_tokens=tokens.cache_read_tokens,
                    cache_write_tokens=tokens.cache_write_tokens,
                    output_tokens=tokens.output_tokens,
                    cost_usd=None if tokens.total_cents is None else tokens.total_cents / 100,
                )
            )
        day = day_of_ms(event.timestamp)
        if event.user_email:
            yield Usage(day, event.user_email, "email", event.model, figures)
        elif event.service_account_name:
            yield Usage(day, event.service_account_name, "service", event.model, figures)
        else:
            raise Refused("no_actor", "an event without userEmail and serviceAccountName")

    def unknown(self, record: bytes, context: Mapping[str, Any]) -> set[str]:
        """See Tool."""
        return unknown_fields(record, _EVENT_FIELDS if context["events"] else _DAY_FIELDS)


def _day_of(summary: _Day) -> date:
    # newer answers have `day` instead of `date`
    if summary.day is not None:
        return summary.day
    if summary.date is None:
        raise Refused("no_day", "a summary without day and date")
    return day_of_ms(summary.date)
