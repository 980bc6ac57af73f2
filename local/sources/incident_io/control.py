"""`/_double/*`: how tests and people steer the double. Not part of the vendor's API, and without a key."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sources.incident_io.archive import Instant, rfc3339
from local.sources.incident_io.bodies import encoded_response
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.faults import FaultRule


class ClockSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The instant the double shows."""

    now: Instant


def _refused(error: Exception) -> Response:
    return encoded_response({"error": str(error)}, accept_encoding=None, status=422)


def control_routes(double: IncidentIoDouble) -> list[Route]:
    """Clock, statistics and faults; a body that can't be used is answered with 422 and the reason."""

    async def clock(request: Request) -> Response:
        if request.method == "PUT":
            try:
                double.now = msgspec.json.decode(await request.body(), type=ClockSetting).now
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                return _refused(error)
        return encoded_response({"now": rfc3339(double.now)}, accept_encoding=None)

    async def stats(_request: Request) -> Response:
        return encoded_response(double.stats.as_json(), accept_encoding=None)

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            try:
                double.faults.arm(msgspec.json.decode(await request.body(), type=list[FaultRule]))
            except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
                return _refused(error)
        elif request.method == "DELETE":
            double.faults.clear()
        return encoded_response(double.faults.rules(), accept_encoding=None)

    return [
        Route("/_double/clock", clock, methods=["GET", "PUT"]),
        Route("/_double/stats", stats, methods=["GET"]),
        Route("/_double/faults", faults, methods=["GET", "PUT", "DELETE"]),
    ]
