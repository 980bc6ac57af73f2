"""For each AI tool one record of a day by one person, and the smallest pages around records of any kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from local.sources.kit.corruption import corrupt
from shared.extract.pages import PageRequest
from tests.support.ai_pages import DAY, Body

DAY_MS = 1_780_272_000_000
"""The day's first instant."""


@dataclass(frozen=True)
class Records:
    """A tool's records: `good` is one; paths of fields in it; `page` answers a request with records."""

    good: Mapping[str, Any]
    actor: str
    """A field that names the person."""
    number: str
    """A field that counts something; 2 in the good record."""
    column: str
    """The column that the number ends up in."""
    day: str
    """The field that says when; empty where that stands around the record."""
    page: Callable[[PageRequest, bytes], Body]

    def record(self, **changes: Any) -> bytes:
        """The good record, changed; see the doubles' `corrupt` for what a change may be."""
        return corrupt(msgspec.json.encode(self.good), changes)

    def answer(self, records: Sequence[bytes]) -> Callable[[PageRequest], Body]:
        """Answers every request of the tool, these records being all that there is."""
        return lambda request: self.page(request, b", ".join(records))


def _list(name: str, rest: bytes = b"") -> Callable[[PageRequest, bytes], Body]:
    return lambda _, records: b'{"%b": [%b]%b}' % (name.encode(), records, rest)


def _goose(request: PageRequest, records: bytes) -> Body:
    return b'{"snapshots": [%b]}' % (records if dict(request.query)["day"] == DAY.isoformat() else b"")


def _cursor(request: PageRequest, records: bytes) -> Body:
    return b'{"data": []}' if "daily" in request.path else b'{"usageEvents": [%b]}' % records


def _firebender(request: PageRequest, records: bytes) -> Body:
    return b'{"data": [%b]}' % (b"" if "daily" in request.path else records)


def _copilot(request: PageRequest, records: bytes) -> Body:
    if "://" in request.path:
        return records.replace(b", {", b"\n{")
    return {"download_links": ["https://reports.example.test/1?sig=x"]}


def _g2(_: PageRequest, records: bytes) -> Body:
    # every record is a key of its own under one model
    keys = b", ".join(b'"key-%d": %b' % (n, key) for n, key in enumerate(_apart(records)))
    models = b'{"gpt-5": {"api_key_breakdown": {%b}}}' % keys
    return b'{"results": [{"date": "2026-06-01", "breakdown": {"models": %b}}], "metadata": {"page": 1}}' % models


def _apart(records: bytes) -> list[bytes]:
    if not records:
        return []
    return [part if part.startswith(b"{") else b"{" + part for part in records.replace(b", {", b"\x00{").split(b"\x00")]


RECORDS: Mapping[str, Records] = {
    "g2": Records(
        {
            "metrics": {"prompt_tokens": 10, "completion_tokens": 5, "api_requests": 2},
            "metadata": {"user_email": "a@b"},
        },
        "metadata.user_email",
        "metrics.api_requests",
        "requests",
        "",
        _g2,
    ),
    "goose": Records(
        {"session_id": "s1", "user_name": "ada", "taken_at": "2026-06-01T10:00:00Z", "message_count": 2},
        "user_name",
        "message_count",
        "requests",
        "taken_at",
        _goose,
    ),
    "claude_code": Records(
        {
            "date": "2026-06-01T00:00:00Z",
            "actor": {"type": "user_actor", "email_address": "a@b"},
            "core_metrics": {"num_sessions": 2, "lines_of_code": {"added": 3}},
            "model_breakdown": [],
        },
        "actor.email_address",
        "core_metrics.num_sessions",
        "sessions",
        "date",
        _list("data", b', "has_more": false'),
    ),
    "cursor": Records(
        {
            "timestamp": str(DAY_MS + 5),
            "userEmail": "a@b",
            "model": "gpt-5",
            "tokenUsage": {"inputTokens": 2, "totalCents": 1.5},
        },
        "userEmail",
        "tokenUsage.inputTokens",
        "input_tokens",
        "timestamp",
        _cursor,
    ),
    "firebender": Records(
        {"timestamp": "2026-06-01T10:00:00Z", "email": "a@b", "model": "gpt-5", "inputTokens": 2},
        "email",
        "inputTokens",
        "input_tokens",
        "timestamp",
        _firebender,
    ),
    "amp": Records(
        {"user": {"id": "u1"}, "models": {"gpt-5": {"requests": 2, "usage": 0.5}}},
        "user.id",
        "models.gpt-5.requests",
        "requests",
        "",
        lambda _, records: (
            b'{"metadata": {"startDate": "2026-05-01", "endDate": "2026-06-02"}, "data": [{"date": '
            b'"2026-06-01", "users": [%b]}]}' % records
        ),
    ),
    "chatgpt": Records(
        {"start_time": DAY_MS // 1000, "user_id": "u1", "totals": {"turns": 2, "threads": 1, "credits": 0.5}},
        "user_id",
        "totals.turns",
        "requests",
        "start_time",
        _list("data", b', "has_more": false'),
    ),
    "copilot": Records(
        {"day": "2026-06-01", "user_login": "ada", "user_initiated_interaction_count": 2},
        "user_login",
        "user_initiated_interaction_count",
        "requests",
        "day",
        _copilot,
    ),
}
