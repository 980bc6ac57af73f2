"""G2, the LLM gateway (LiteLLM's shape, assumed): daily activity by model and key, US dollars.

Pages cut the gateway's rows, so one day may go on on the next page.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from shared.extract.pages import PageFlow, PageRequest, PageSeen, content_of, numbered_pages
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import DailyTool, decoded
from shared.sources.ai_tools.usage import Figures, Usage
from shared.sources.envelope import field_of, object_of, records_in
from shared.sources.family import RawPage
from shared.sources.record import known_fields, unknown_fields


class _Metrics(Struct, frozen=True):
    spend: Decimal | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    api_requests: int | None = None


class _KeyMetadata(Struct, frozen=True):
    key_alias: str | None = None
    user_id: str | None = None
    user_email: str | None = None


class _Used(Struct, frozen=True):
    metrics: _Metrics
    metadata: _KeyMetadata = _KeyMetadata()


class _KeyDay(Struct, frozen=True):
    date: date
    model: str
    api_key: str
    used: _Used


class _Model(Struct, frozen=True):
    api_key_breakdown: dict[str, msgspec.Raw] = {}


class _Breakdown(Struct, frozen=True):
    models: dict[str, _Model]


class _Day(Struct, frozen=True):
    date: msgspec.Raw
    breakdown: _Breakdown


class _Paging(Struct, frozen=True):
    page: int
    total_pages: int = 0
    has_more: bool = False


_USED_FIELDS = known_fields(_Used)

_day = msgspec.json.Decoder(_Day)
_record = msgspec.json.Decoder(dict[str, msgspec.Raw])


class G2(DailyTool):
    """`GET /user/daily/activity`."""

    most_days = 31

    def requests(self, source: Source, first: date, last: date) -> PageFlow:
        """The days, page after page."""
        query = (
            ("start_date", first.isoformat()),
            ("end_date", last.isoformat()),
            ("page_size", str(source.page_size)),
        )
        return numbered_pages("/user/daily/activity", query, parameter="page")

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """`results`, cut into a record a key and model, and in `metadata` whether there are more."""
        days, envelope = records_in(response.body, "results")
        paging = field_of(envelope, "metadata", _Paging)
        following = str(paging.page + 1) if isinstance(paging, _Paging) and paging.has_more else None
        seen = PageSeen(len(days), following, content=content_of(days))
        return RawPage([record for day in days for record in _by_key(day)], seen)

    def uses(self, record: bytes, _: Mapping[str, Any]) -> Iterable[Usage]:
        """A model's use by a key. Prompt tokens include what was read from and written to a cache."""
        key = decoded(_KeyDay, record)
        actor, kind = _actor(key.api_key, key.used.metadata)
        metrics = key.used.metrics
        prompt = metrics.prompt_tokens
        cached = (metrics.cache_read_input_tokens or 0) + (metrics.cache_creation_input_tokens or 0)
        figures = Figures(
            requests=metrics.api_requests,
            input_tokens=None if prompt is None else prompt - cached,
            cache_read_tokens=metrics.cache_read_input_tokens,
            cache_write_tokens=metrics.cache_creation_input_tokens,
            output_tokens=metrics.completion_tokens,
            cost_usd=metrics.spend,
        )
        yield Usage(key.date, actor, kind, key.model, figures)

    def unknown(self, record: bytes, _: Mapping[str, Any]) -> set[str]:
        """Of what is told of a key; a day's own fields are left behind when it is cut."""
        return unknown_fields(_record.decode(record)["used"], _USED_FIELDS)


def _by_key(record: bytes) -> Iterator[bytes]:
    # a day tells of everybody: kept whole it would stand in the payload of each of its rows
    try:
        day = _day.decode(record)
    except (msgspec.DecodeError, RecursionError):
        yield record  # rejected as it is
        return
    for model, used in day.breakdown.models.items():
        for api_key, value in used.api_key_breakdown.items():
            named = {"model": msgspec.json.encode(model), "api_key": msgspec.json.encode(api_key)}
            yield object_of({"date": day.date, **named, "used": value})


def _actor(key_hash: str, metadata: _KeyMetadata) -> tuple[str, Any]:
    if metadata.user_email:
        return metadata.user_email, "email"
    if metadata.user_id:
        return metadata.user_id, "login"
    return metadata.key_alias or key_hash, "api_key"
