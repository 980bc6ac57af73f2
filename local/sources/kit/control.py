"""`/_double/*`: how tests and people steer the doubles. Not part of any vendor's API, and without a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sources.kit.bodies import encoded_response
from local.sources.kit.clock import ShownClock
from local.sources.kit.faults import FaultBoard, FaultRule
from local.sources.kit.instants import Instant, rfc3339


class ClockSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The instant to show."""

    now: Instant


def _refused(error: Exception) -> Response:
    return encoded_response({"error": str(error)}, accept_encoding=None, status=422)


def control_routes(clock: ShownClock, faults: FaultBoard, stats_as_json: Callable[[], dict[str, Any]]) -> list[Route]:
    """Clock, statistics and faults; a body that can't be used is answered with 422 and the reason."""

    async def answer_clock(request: Request) -> Response:
        if request.method == "PUT":
            try:
                clock.now = msgspec.json.decode(await request.body(), type=ClockSetting).now
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                return _refused(error)
        return encoded_response({"now": rfc3339(clock.now)}, accept_encoding=None)

    async def answer_stats(_request: Request) -> Response:
        return encoded_response(stats_as_json(), accept_encoding=None)

    async def answer_faults(request: Request) -> Response:
        if request.method == "PUT":
            try:
                faults.arm(msgspec.json.decode(await request.body(), type=list[FaultRule]))
            except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
                return _refused(error)
        elif request.method == "DELETE":
            faults.clear()
        return encoded_response(faults.rules(), accept_encoding=None)

    return [
        Route("/_double/clock", answer_clock, methods=["GET", "PUT"]),
        Route("/_double/stats", answer_stats, methods=["GET"]),
        Route("/_double/faults", answer_faults, methods=["GET", "PUT", "DELETE"]),
    ]
