"""What all AI tools have in common: read by whole days, converted by their own reading of a record."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from shared.extract.pages import PageFlow, PageRequest
from shared.ports import HttpResponse
from shared.registry.ai_tools import AiToolSettings
from shared.registry.model import Source
from shared.sources.ai_tools.rows import usage_rows
from shared.sources.ai_tools.usage import Usage
from shared.sources.days import by_days
from shared.sources.family import ExtractionRange, RawPage, Rows, Send
from shared.sources.record import Refused

T = TypeVar("T")


class Tool(ABC):
    """A tool whose records are summed up by day, person and model."""

    def verify(self, source: Source, send: Send) -> None:  # noqa: B027 - most tools have nothing to ask
        """Nothing to verify: the tool's first page tells whether the key is good."""

    def rows(self, source: Source, pages: Sequence[RawPage], scope: Sequence[str], _: ExtractionRange) -> Rows:
        """The scope's records, summed up by day, person and model."""
        return usage_rows(settings_of(source), pages, scope, self.uses, self.unknown)

    @abstractmethod
    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """See Family."""

    @abstractmethod
    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """See Family."""

    @abstractmethod
    def uses(self, record: bytes, context: Mapping[str, Any]) -> Iterable[Usage]:
        """What a record tells. Raises Refused for one that breaks the contract."""

    @abstractmethod
    def unknown(self, record: bytes, context: Mapping[str, Any]) -> set[str]:
        """Names of the fields of a record, which was read without a refusal, that nobody knew of so far."""


class DailyTool(Tool):
    """A tool that is asked for UTC days, `most_days` of them at once."""

    most_days = 1

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """The range in runs of days, each a scope of its own."""
        return by_days(extraction, resume, self.most_days, lambda first, last: self.requests(source, first, last))

    @abstractmethod
    def requests(self, source: Source, first: date, last: date) -> PageFlow:
        """The requests that read the UTC days from `first` to `last`."""


def settings_of(source: Source) -> AiToolSettings:
    """The source's settings, typed; parsed once."""
    return _parsed(source.name, json.dumps(source.settings))


def decoded(kind: type[T], record: bytes) -> T:
    """The record as `kind`; numbers in strings are taken as numbers. Raises Refused."""
    try:
        return msgspec.json.decode(record, type=kind, strict=False)
    except msgspec.ValidationError as exc:
        raise Refused("wrong_type", str(exc)) from exc
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Refused("not_json", str(exc)) from exc


def day_of_ms(milliseconds: float) -> date:
    """The UTC day of an instant in epoch milliseconds. Raises Refused for what is no instant."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).date()
    except (OverflowError, OSError, ValueError) as exc:
        raise Refused("implausible_instant", f"{milliseconds} ms: {exc}") from exc


def midnight(day: date) -> datetime:
    """The day's first instant, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@lru_cache(maxsize=256)
def _parsed(_name: str, text: str) -> AiToolSettings:
    return AiToolSettings.model_validate(json.loads(text))
