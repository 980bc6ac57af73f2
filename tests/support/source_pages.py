"""Families without a platform: requests by hand, pages as recorded or as no vendor should send them."""

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.extract.pages import PageRequest
from shared.ports import HttpResponse
from shared.registry import Source, registry
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange, RawPage, Rows

FIXTURES = Path(__file__).parents[1] / "fixtures"
EVERYTHING = ExtractionRange(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 3, 15, 12, tzinfo=UTC), full=True)


def source(name: str, **changes: Any) -> Source:
    """A source as the registry ships it, with changes."""
    return registry().source(name).model_copy(update=changes)


def fixture(family: str, name: str) -> bytes:
    """A recorded page."""
    return (FIXTURES / family / f"{name}.json").read_bytes()


def changed(page: bytes, place: str, value: object) -> bytes:
    """A page in which `value` stands at a place such as `objectives.0.id`; None of it with `...`."""
    body = copy.deepcopy(json.loads(page))
    *path, last = (int(part) if part.isdecimal() else part for part in place.split("."))
    at = body
    for part in path:
        at = at[part]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return json.dumps(body).encode()


def split(
    of: Source, request: PageRequest, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> RawPage:
    """The page that an answer makes."""
    return FAMILIES[of.family].split(of, request, HttpResponse(status, headers or {}, body))


def rows_of(of: Source, *pages: RawPage, scope: tuple[str, ...] = (), extraction: ExtractionRange = EVERYTHING) -> Rows:
    """The rows of one scope."""
    return FAMILIES[of.family].rows(of, pages, scope, extraction)


def as_dicts(rows: Rows) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    return [{name: values[n] for name, values in rows.columns.items()} for n in range(rows.count)]


def walk(
    of: Source,
    answer: Callable[[PageRequest], bytes | tuple[bytes, Mapping[str, str]]],
    extraction: ExtractionRange = EVERYTHING,
    resume: str = "",
) -> list[PageRequest]:
    """Every request of a flow whose pages `answer` makes, with headers where it has any."""
    flow = FAMILIES[of.family].pages(of, extraction, resume)
    requests: list[PageRequest] = []
    request = next(flow, None)
    while request is not None:
        assert isinstance(request, PageRequest)
        requests.append(request)
        answered = answer(request)
        body, headers = answered if isinstance(answered, tuple) else (answered, {})
        try:
            request = flow.send(split(of, request, body, headers=headers).seen)
        except StopIteration:
            request = None
    return requests
