"""ChatGPT: Codex analytics of an Enterprise workspace, by person and client; unix seconds, credits instead of money."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import DailyTool, day_of_ms, decoded, midnight, settings_of
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.envelope import field_of, records_in
from shared.sources.family import RawPage
from shared.sources.record import Refused, known_fields, unknown_fields


class _Totals(Struct, frozen=True):
    threads: int | None = None
    turns: int | None = None
    credits: Decimal | None = None


class _Client(Struct, frozen=True):
    client_id: str
    uncached_text_input_tokens: int | None = None
    cached_text_input_tokens: int | None = None
    text_output_tokens: int | None = None
    text_total_tokens: int | None = None


class _Lines(Struct, frozen=True):
    lines_added: int | None = None


class _Row(Struct, frozen=True):
    start_time: int
    user_id: str | None = None
    email: str | None = None
    totals: _Totals = _Totals()
    clients: list[_Client] = []
    code_attribution: _Lines | None = None


_FIELDS = known_fields(_Row, "object", "end_time", "actor", "models")


class ChatGpt(DailyTool):
    """`GET /v1/analytics/codex/workspaces/{workspace_id}/usage`."""

    most_days = 31

    def requests(self, source: Source, first: date, last: date) -> PageFlow:
        """The days, page after page."""
        workspace = settings_of(source).options["workspace_id"]
        query = (
            ("start_time", str(int(midnight(first).timestamp()))),
            ("end_time", str(int(midnight(last + timedelta(days=1)).timestamp()))),
            ("group_by", "day"),
            ("limit", str(source.page_size)),
        )
        return cursor_pages(f"/v1/analytics/codex/workspaces/{workspace}/usage", query, parameter="page")

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """`data` and `next_page`."""
        records, envelope = records_in(response.body, "data")
        more, following = field_of(envelope, "has_more", bool), field_of(envelope, "next_page", str)
        return RawPage(records, PageSeen(len(records), str(following) if more and following else None))

    def uses(self, record: bytes, _: Mapping[str, Any]) -> Iterable[Usage]:
        """Everything for all models together: the vendor tells models in credits only."""
        row = decoded(_Row, record)
        figures = Figures(
            requests=row.totals.turns,
            sessions=row.totals.threads,
            credits=row.totals.credits,
            accepted_lines=row.code_attribution.lines_added if row.code_attribution else None,
        )
        for client in row.clients:
            classes = (client.uncached_text_input_tokens, client.cached_text_input_tokens, client.text_output_tokens)
            figures.add(
                Figures(
                    input_tokens=client.uncached_text_input_tokens,
                    cache_read_tokens=client.cached_text_input_tokens,
                    output_tokens=client.text_output_tokens,
                    total_tokens=client.text_total_tokens if all(c is None for c in classes) else None,
                )
            )
        actor, kind = _actor(row)
        yield Usage(day_of_ms(row.start_time * 1000), actor, kind, ALL_MODELS, figures)

    def unknown(self, record: bytes, _: Mapping[str, Any]) -> set[str]:
        """See Tool."""
        return unknown_fields(record, _FIELDS)


def _actor(row: _Row) -> tuple[str, Any]:
    if row.email:
        return row.email, "email"
    if row.user_id:
        return row.user_id, "login"
    raise Refused("no_actor", "a row without e-mail and user_id")
