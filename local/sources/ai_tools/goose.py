"""Goose through an invented collector: snapshots of sessions, day by day (docs/sources/goose.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sources.ai_tools import digests
from local.sources.ai_tools.goose_sessions import Snapshot, received
from local.sources.ai_tools.tool_vendor import ToolVendor
from local.sources.kit.faults import ListPaths
from local.sources.kit.instants import rfc3339
from local.sources.kit.pages import BadCursor, by_cursor
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal

_PATH = "/v1/session-snapshots"
_LIMIT, _LIMIT_MOST = 100, 500
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    429: "too_many_requests",
}


class Goose(ToolVendor):
    """`GET /v1/session-snapshots?day=`: what the collector was sent so far of the snapshots taken on a UTC day."""

    tool = "goose"
    lists = ListPaths(records=(_PATH,), paged=(_PATH,))

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The one list."""
        return {("GET", _PATH): self._snapshots}

    def presented_key(self, asked: Asked) -> str | None:
        """The collector's own header."""
        return asked.headers.get("x-collector-token") or None

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{"error": {"code", "message"}}`."""
        return Refusal(status, {"error": {"code": _CODES.get(status, "internal"), "message": message}}, headers)

    def _snapshots(self, asked: Asked) -> Answer:
        day = self.day_parameter(asked, "day")
        limit = self.whole_parameter(asked, "limit", _LIMIT, _LIMIT_MOST)
        try:
            page = by_cursor(received(self.world, day, self.now), asked, size=limit, cursor=asked.single("cursor"))
        except BadCursor:
            raise self.refusal(400, "cursor: not one of ours") from None
        rows = [self._row(snapshot) for snapshot in page.rows]
        return Answer({"day": day.isoformat(), "snapshots": asked.records(rows), "next_cursor": page.next_cursor})

    def _row(self, snapshot: Snapshot) -> dict[str, Any]:
        user_name = self.world.account(snapshot.engineer, "goose").actor
        return {
            "snapshot_id": digests.uuid("snapshot", user_name, snapshot.session_id, snapshot.taken_at),
            "session_id": snapshot.session_id,
            "session_type": "user",
            "user_name": user_name,
            "created_at": rfc3339(snapshot.created_at),
            "taken_at": rfc3339(snapshot.taken_at),
            "received_at": rfc3339(snapshot.received_at),
            "message_count": snapshot.messages,
            "input_tokens": snapshot.context_input,
            "output_tokens": snapshot.context_output,
            "total_tokens": _sum(snapshot.context_input, snapshot.context_output),
            "accumulated_input_tokens": snapshot.accumulated_input,
            "accumulated_output_tokens": snapshot.accumulated_output,
            "accumulated_total_tokens": _sum(snapshot.accumulated_input, snapshot.accumulated_output),
        }


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
