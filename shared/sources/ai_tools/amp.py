"""Amp's daily usage: the last days in one answer, by person and model, US dollars."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from shared.errors import RequestRefused
from shared.extract.pages import PageFlow, PageRequest, PageSeen, within_scope
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.tool import Tool, decoded
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.days import days_of
from shared.sources.envelope import field_of, object_of, records_in
from shared.sources.family import ExtractionRange, RawPage
from shared.sources.record import known_fields, unknown_fields

_MOST_DAYS = 365
_MARGIN_DAYS = 3
# The vendor counts back from its own today, which may be some days after the range's end; days outside the scope are
# left out again. For an older window it is asked again, once its answer has told what it takes for today.


class _User(Struct, frozen=True):
    id: str
    email: str | None = None


class _Metrics(Struct, frozen=True, rename="camel"):
    lines_added: int | None = None


class _Model(Struct, frozen=True, rename="camel"):
    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    usage: Decimal | None = None


class _Used(Struct, frozen=True):
    user: _User
    metrics: _Metrics = _Metrics()
    models: dict[str, _Model] = {}


class _UserDay(Struct, frozen=True):
    date: date
    used: _Used


class _Day(Struct, frozen=True):
    date: msgspec.Raw
    users: list[msgspec.Raw]


class _Metadata(Struct, frozen=True, rename="camel"):
    start_date: date
    end_date: date


_USED_FIELDS = known_fields(_Used)

_day = msgspec.json.Decoder(_Day)
_used = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Amp(Tool):
    """`GET /api/v2/workspace/analytics/daily-usage`."""

    def pages(self, _source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """The whole range in one answer: the vendor knows no other filter than how many days to look back."""
        days = days_of(extraction, resume)
        if days:
            flow = _looking_back(min(_MOST_DAYS, len(days) + _MARGIN_DAYS))
            yield from within_scope(flow, tuple(day.isoformat() for day in days), days[0].isoformat())

    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """`data`, cut into a record a user and day; none, but how far to look back, of an answer that is too short.

        Raises RequestRefused when the vendor cannot be asked back to the first day of the range.
        """
        days, envelope = records_in(response.body, "data")
        metadata = field_of(envelope, "metadata", _Metadata)
        if not isinstance(metadata, _Metadata):
            raise UnusableBody("no metadata: nobody knows which days the answer covers")
        first = date.fromisoformat(request.scope[0])
        if metadata.start_date > first:
            needed = (metadata.end_date - first).days + 1
            if needed > _MOST_DAYS or needed <= int(dict(request.query)["lookbackDays"]):
                raise RequestRefused(
                    f"{source.name}: the answer begins on {metadata.start_date}, the range on {first}; the vendor can "
                    f"only be asked for the last {_MOST_DAYS} days"
                )
            return RawPage([], PageSeen(0, str(needed)))
        records = [record for day in days for record in _by_user(day)]
        return RawPage(records, PageSeen(len(records)))

    def uses(self, record: bytes, _: Mapping[str, Any]) -> Iterable[Usage]:
        """Lines for all models together; requests, tokens and cost by model."""
        user_day = decoded(_UserDay, record)
        actor, kind = _actor(user_day.used.user)
        lines = Figures(accepted_lines=user_day.used.metrics.lines_added)
        yield Usage(user_day.date, actor, kind, ALL_MODELS, lines)
        for model, used in user_day.used.models.items():
            figures = Figures(
                requests=used.requests,
                input_tokens=used.input_tokens,
                cache_read_tokens=used.cache_read_input_tokens,
                cache_write_tokens=used.cache_creation_input_tokens,
                output_tokens=used.output_tokens,
                cost_usd=used.usage,
            )
            yield Usage(user_day.date, actor, kind, model, figures)

    def unknown(self, record: bytes, _: Mapping[str, Any]) -> set[str]:
        """Of what a user is told to have used; a day's own fields are left behind when it is cut."""
        return unknown_fields(_used.decode(record)["used"], _USED_FIELDS)


def _looking_back(days: int) -> PageFlow:
    def request(back: int) -> PageRequest:
        return PageRequest("/api/v2/workspace/analytics/daily-usage", (("lookbackDays", str(back)),))

    seen = yield request(days)
    if seen.next_cursor is not None:
        yield request(int(seen.next_cursor))


def _by_user(record: bytes) -> Iterator[bytes]:
    # a day tells of everybody: kept whole it would stand in the payload of each of its rows
    try:
        day = _day.decode(record)
    except (msgspec.DecodeError, RecursionError):
        yield record  # rejected as it is
        return
    for used in day.users:
        yield object_of({"date": day.date, "used": used})


def _actor(user: _User) -> tuple[str, Any]:
    return (user.email, "email") if user.email else (user.id, "login")
