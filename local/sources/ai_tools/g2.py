"""The LLM gateway "G2" in the shape of a LiteLLM proxy: daily activity by date, model and key (docs/sources/g2.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from local.sources.ai_tools import digests
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.tool_vendor import ToolVendor, bearer
from local.sources.ai_tools.world import days_between, first_day_of
from local.sources.kit.faults import ListPaths
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

_PATH = "/user/daily/activity"
_PAGE_SIZE, _PAGE_SIZE_LIMIT = 50, 1000
_PROVIDERS = {"claude": "anthropic", "gpt": "openai", "gemini": "vertex_ai"}
_COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "total_tokens",
    "successful_requests",
    "failed_requests",
    "api_requests",
    "timed_requests",
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the gateway's table: a date, a key and a model. Pages are cut between these."""

    day: date
    key_hash: str
    key_metadata: Mapping[str, Any]
    model: str
    calls: tuple[Call, ...]


class G2(ToolVendor):
    """`GET /user/daily/activity`, newest date first. Numbers of a day grow until the day is over and its batches in."""

    tool = "g2"
    lists = ListPaths(records=(_PATH,), paged=(_PATH,))

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The one list."""
        return {("GET", _PATH): self._daily_activity}

    def presented_key(self, asked: Asked) -> str | None:
        """The proxy's admin key."""
        return bearer(asked)

    def unauthorized(self, why: str) -> Refusal:
        """As the proxy puts it."""
        told = {"missing": "No api key passed in.", "invalid": "Invalid proxy server token passed."}
        return self.refusal(401, f"Authentication Error, {told[why]}")

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """The proxy's error object; `code` is a text."""
        kind = {401: "auth_error", 429: "throttling_error"}.get(status, "bad_request_error")
        error = {"message": message, "type": kind, "param": "None", "code": str(status)}
        return Refusal(status, {"error": error}, headers)

    def _daily_activity(self, asked: Asked) -> Answer:
        first, last = self.day_parameter(asked, "start_date"), self.day_parameter(asked, "end_date")
        size = self.whole_parameter(asked, "page_size", _PAGE_SIZE, _PAGE_SIZE_LIMIT)
        number = self.whole_parameter(asked, "page", 1, 10**9)
        user_id, model = asked.single("user_id"), asked.single("model")
        rows = self._rows(first, last, user_id, model)
        name = f"{first}~{last} {user_id} {model} {size}"
        page = self.pager.page(rows, asked, size=size, number=number, list_name=name)
        results = [_result(day, list(of_day)) for day, of_day in groupby(page.rows, key=lambda row: row.day)]
        totals = _metrics([call for row in page.rows for call in row.calls])
        metadata = {
            f"total_{name}": totals[name]
            for name in ("spend", "flat_cost", *_COUNTS)
            if name not in {"total_tokens", "timed_requests"}
        }
        metadata |= {"total_tokens": totals["total_tokens"], "page": page.number, "total_pages": page.page_count}
        return Answer({"results": asked.records(results), "metadata": metadata | {"has_more": page.has_more}})

    def _rows(self, first: date, last: date, user_id: str | None, model: str | None) -> list[_Row]:
        rows: list[_Row] = []
        for day in days_between(max(first, first_day_of("g2")), min(last, self.now.date())):
            groups: dict[tuple[str, str], list[Call]] = defaultdict(list)
            for call in self.world.seen("g2", day, self.now):
                groups[self._key_alias(call), call.model].append(call)
            of_day = [self._row(day, alias, name, calls) for (alias, name), calls in sorted(groups.items())]
            rows += [
                row
                for row in of_day
                if model in {None, row.model} and user_id in {None, row.key_metadata.get("user_id")}
            ]
        rows.sort(key=lambda row: row.day, reverse=True)
        return rows

    def _key_alias(self, call: Call) -> str:
        return call.service if call.engineer is None else f"{call.engineer.id}-default"

    def _row(self, day: date, alias: str, model: str, calls: list[Call]) -> _Row:
        metadata: dict[str, Any] = {"key_alias": alias, "team_id": None, "user_id": None, "user_email": None}
        engineer = calls[0].engineer
        if engineer is not None:
            account = self.world.account(engineer, "g2")
            # a key's team is its team at the time of asking, whatever it was on the row's day
            metadata |= {
                "team_id": engineer.team_on(self.now.date()),
                "user_id": account.user_id,
                "user_email": account.email,
            }
        return _Row(day, digests.hexadecimal("g2", alias), metadata, model, tuple(calls))


def _result(day: date, rows: Sequence[_Row]) -> dict[str, Any]:
    """One date of a page; the same date may come again on the next page, with other rows."""
    models: dict[str, Any] = {}
    for row in rows:
        of_model = models.setdefault(row.model, {"metadata": {}, "api_key_breakdown": {}})
        of_model["api_key_breakdown"][row.key_hash] = {"metrics": _metrics(row.calls), "metadata": row.key_metadata}
    for model, of_model in models.items():
        of_model["metrics"] = _metrics(_calls(row for row in rows if row.model == model))
    keys = {
        row.key_hash: {
            "metrics": _metrics(_calls(other for other in rows if other.key_hash == row.key_hash)),
            "metadata": row.key_metadata,
        }
        for row in rows
    }
    providers = {
        name: {
            "metrics": _metrics(_calls(row for row in rows if _provider(row.model) == name)),
            "metadata": {},
            "api_key_breakdown": {},
        }
        for name in sorted({_provider(row.model) for row in rows})
    }
    return {
        "date": day.isoformat(),
        "metrics": _metrics(_calls(rows)),
        "breakdown": {
            "models": models,
            "model_groups": {},
            "providers": providers,
            "endpoints": {},
            "api_keys": keys,
            "entities": {},
            "mcp_servers": {},
        },
    }


def _provider(model: str) -> str:
    return _PROVIDERS[model.partition("-")[0]]


def _calls(rows: Iterable[_Row]) -> list[Call]:
    return [call for row in rows for call in row.calls]


def _metrics(calls: Sequence[Call]) -> dict[str, Any]:
    """SpendMetrics. `prompt_tokens` holds cached tokens too: the proxy counts as OpenAI does."""
    cache_read, cache_write = sum(c.cache_read for c in calls), sum(c.cache_write for c in calls)
    prompt = sum(c.uncached_input for c in calls) + cache_read + cache_write
    output, failed = sum(c.output for c in calls), sum(not c.succeeded for c in calls)
    return {
        "spend": float(sum((c.cost for c in calls), Decimal(0))),
        "flat_cost": 0.0,
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "cache_read_input_tokens": cache_read,
        "cache_creation_input_tokens": cache_write,
        "total_tokens": prompt + output,
        "successful_requests": len(calls) - failed,
        "failed_requests": failed,
        "api_requests": len(calls),
        "total_response_time_ms": sum(1500 + c.output * 12 for c in calls),
        "timed_requests": len(calls),
    }
