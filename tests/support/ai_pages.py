"""The AI tools' recorded pages, and a family read over any pages at all: without HTTP, warehouse or clock."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from shared.extract.pages import PageRequest
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange, RawPage, Rows
from tests.support.ai_tools import source_of, tools_registry

FIXTURES = Path(__file__).parents[1] / "fixtures"
DAY = date(2026, 6, 1)
"""The day of which the recorded pages tell."""

Body = bytes | Mapping[str, Any]
Answer = Callable[[PageRequest], Body]


def recorded(name: str) -> Any:
    """A recorded page, decoded."""
    return json.loads((FIXTURES / name).read_text())


@cache
def source(tool: str) -> Source:
    """The tool's registry block."""
    return tools_registry(tool).source(source_of(tool))


def read_day(tool: str, answer: Answer, *, day: date = DAY) -> Rows:
    """The rows of one day; every request is answered with 200 and what `answer` gives."""
    (rows,) = read_days(tool, answer, day=day).values()
    return rows


def read_days(tool: str, answer: Answer, *, day: date = DAY, days: int = 1) -> dict[tuple[str, ...], Rows]:
    """The rows of each scope, in the order of being read."""
    family, block = FAMILIES[tool], source(tool)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    extraction = ExtractionRange(start, start + timedelta(days=days))
    pages: dict[tuple[str, ...], list[RawPage]] = {}
    flow = family.pages(block, extraction, "")
    request = next(flow, None)
    while request is not None:
        assert isinstance(request, PageRequest)
        page = family.split(block, request, answered(answer(request)))
        pages.setdefault(request.scope, []).append(page)
        try:
            request = flow.send(page.seen)
        except StopIteration:
            request = None
    return {scope: family.rows(block, of_scope, scope, extraction) for scope, of_scope in pages.items()}


def answered(body: Body, status: int = 200) -> HttpResponse:
    """An answer of JSON, or of these bytes."""
    return HttpResponse(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def as_dicts(rows: Rows) -> list[dict[str, Any]]:
    """The rows, each by column."""
    return [dict(zip(rows.columns, values, strict=True)) for values in zip(*rows.columns.values(), strict=True)]


def reasons(rows: Rows) -> list[str]:
    """Why records were rejected."""
    return [rejection.reason for rejection in rows.rejections]
