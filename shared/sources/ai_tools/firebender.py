"""Firebender: accepted lines by day, and model requests with tokens; epoch milliseconds and RFC 3339, US dollars."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_requests, one_page
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import DailyTool, day_of_ms, decoded, midnight
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.envelope import field_of, records_in
from shared.sources.family import RawPage
from shared.sources.record import known_fields, unknown_fields

_DAILY, _REQUESTS = "/v2/organization/daily-usage-data", "/v2/organization/model-requests"


class _Day(Struct, frozen=True, rename="camel"):
    date: int
    email: str
    agent_accepted_lines_added: int | None = None
    inline_accepted_lines_added: int | None = None


class _Request(Struct, frozen=True, rename="camel"):
    timestamp: Annotated[datetime, Meta(tz=True)]
    email: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_usd: Decimal | None = None


_DAY_FIELDS = known_fields(
    _Day,
    *("ideOpened", "agentPrompts", "agentAccepts", "agentFullAccepts", "agentAcceptedLinesRemoved", "inlineEdits"),
    *("inlineEditAccepts", "inlineAcceptedLinesRemoved", "autocompleteShown", "autocompleteAccepts"),
    *("autocompleteAcceptedCharactersAdded", "autocompleteAcceptedCharactersRemoved"),
)
_REQUEST_FIELDS = known_fields(_Request, "requestId", "totalTokens", "spendType", "mode")


class Firebender(DailyTool):
    """`POST /v2/organization/daily-usage-data` and `POST /v2/organization/model-requests`."""

    most_days = 31

    def requests(self, source: Source, first: date, last: date) -> PageFlow:
        """The days' summaries, then their model requests page after page."""
        end = int(midnight(last + timedelta(days=1)).timestamp() * 1000) - 1
        span = {"startDate": int(midnight(first).timestamp() * 1000), "endDate": end}

        def page(cursor: str) -> PageRequest:
            body = {**span, "limit": source.page_size, **({"cursor": cursor} if cursor else {})}
            return PageRequest(_REQUESTS, method="POST", body=json.dumps(body).encode())

        yield from one_page(PageRequest(_DAILY, method="POST", body=json.dumps(span).encode()))
        yield from cursor_requests(page)

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """`data`, and `nextCursor` of the model requests."""
        by_model = request.path == _REQUESTS
        records, envelope = records_in(response.body, "data")
        following = field_of(envelope, "nextCursor", str) if by_model else None
        return RawPage(records, PageSeen(len(records), str(following) if following else None), {"by_model": by_model})

    def uses(self, record: bytes, context: Mapping[str, Any]) -> Iterable[Usage]:
        """Accepted lines for all models together; requests, tokens and cost by model."""
        if not context["by_model"]:
            summary = decoded(_Day, record)
            figures = Figures(accepted_lines=summary.agent_accepted_lines_added)
            figures.add(Figures(accepted_lines=summary.inline_accepted_lines_added))
            yield Usage(day_of_ms(summary.date), summary.email, "email", ALL_MODELS, figures)
            return
        used = decoded(_Request, record)
        figures = Figures(
            requests=1,
            input_tokens=used.input_tokens,
            cache_read_tokens=used.cache_read_tokens,
            cache_write_tokens=used.cache_write_tokens,
            output_tokens=used.output_tokens,
            cost_usd=used.cost_usd,
        )
        yield Usage(used.timestamp.astimezone(UTC).date(), used.email, "email", used.model, figures)

    def unknown(self, record: bytes, context: Mapping[str, Any]) -> set[str]:
        """See Tool."""
        return unknown_fields(record, _REQUEST_FIELDS if context["by_model"] else _DAY_FIELDS)
