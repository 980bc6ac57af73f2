"""Claude Code's usage report: one UTC day a request, several records a person (by terminal type), cents."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import DailyTool, decoded
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.envelope import field_of, records_in
from shared.sources.family import RawPage
from shared.sources.record import Refused, known_fields, unknown_fields

_PATH = "/v1/organizations/usage_report/claude_code"


class _Actor(Struct, frozen=True):
    type: str
    email_address: str | None = None
    api_key_name: str | None = None


class _Lines(Struct, frozen=True):
    added: int | None = None


class _Core(Struct, frozen=True):
    num_sessions: int | None = None
    lines_of_code: _Lines = _Lines()


class _Action(Struct, frozen=True):
    accepted: int = 0
    rejected: int = 0


class _Tokens(Struct, frozen=True):
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_creation: int | None = None


class _Cost(Struct, frozen=True):
    amount: Decimal
    currency: str = "USD"


class _Model(Struct, frozen=True):
    model: str
    tokens: _Tokens
    estimated_cost: _Cost | None = None


class _Record(Struct, frozen=True):
    date: Annotated[datetime, Meta(tz=True)]
    actor: _Actor
    core_metrics: _Core = _Core()
    tool_actions: dict[str, _Action] | None = None
    model_breakdown: list[_Model] = []


_FIELDS = known_fields(_Record, "organization_id", "customer_type", "subscription_type", "terminal_type")


class ClaudeCode(DailyTool):
    """`GET /v1/organizations/usage_report/claude_code`."""

    def requests(self, source: Source, first: date, _last: date) -> PageFlow:
        """One day, page after page."""
        query = (("starting_at", first.isoformat()), ("limit", str(source.page_size)))
        return cursor_pages(_PATH, query, parameter="page")

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """`data` and `next_page`."""
        records, envelope = records_in(response.body, "data")
        more = field_of(envelope, "has_more", bool)
        following = field_of(envelope, "next_page", str)
        return RawPage(records, PageSeen(len(records), str(following) if more and following else None))

    def uses(self, record: bytes, _: Mapping[str, Any]) -> Iterable[Usage]:
        """Sessions and lines for all models together, tokens and cost by model. Requests are the tool's own actions."""
        parsed = decoded(_Record, record)
        day, actor, kind = parsed.date.date(), *_actor(parsed.actor)
        actions = parsed.tool_actions
        taken = None if actions is None else sum(action.accepted + action.rejected for action in actions.values())
        core = parsed.core_metrics
        yield Usage(
            day,
            actor,
            kind,
            ALL_MODELS,
            Figures(requests=taken, sessions=core.num_sessions, accepted_lines=core.lines_of_code.added),
        )
        for used in parsed.model_breakdown:
            cost = used.estimated_cost
            if cost is not None and cost.currency != "USD":
                raise Refused("unknown_currency", f"cost in {cost.currency!r}")
            figures = Figures(
                input_tokens=used.tokens.input,
                cache_read_tokens=used.tokens.cache_read,
                cache_write_tokens=used.tokens.cache_creation,
                output_tokens=used.tokens.output,
                cost_usd=cost.amount / 100 if cost is not None else None,
            )
            yield Usage(day, actor, kind, used.model, figures)

    def unknown(self, record: bytes, _: Mapping[str, Any]) -> set[str]:
        """See Tool."""
        return unknown_fields(record, _FIELDS)


def _actor(actor: _Actor) -> tuple[str, Any]:
    if actor.email_address:
        return actor.email_address, "email"
    if actor.api_key_name:
        return actor.api_key_name, "api_key"
    raise Refused("no_actor", f"actor of type {actor.type!r} has no name")
