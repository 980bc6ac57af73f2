"""The vendor's endpoints over HTTP. The bearer key decides the workspace, as on the vendor's single host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sources.incident_io import objects
from local.sources.incident_io.bodies import incidents_body
from local.sources.incident_io.double import Desk, IncidentIoDouble
from local.sources.incident_io.errors import VendorError, error_of_status, not_found
from local.sources.incident_io.paths import FAMILY, FOLLOW_UPS_PATH, LIST_PATH
from local.sources.incident_io.query import Parameters
from local.sources.incident_io.workspaces import Workspace
from local.sources.kit.bodies import PROXY_PAGE, CutResponse, Row, accepts_gzip, encoded_response, json_response
from local.sources.kit.control import control_routes
from local.sources.kit.corruption import corrupt
from local.sources.kit.faults import FaultRule
from local.sources.kit.paths import counted_as

_PAGING = frozenset({"after", "page_size"})
_COUNTED = (f"{LIST_PATH}/{{id}}", f"{FOLLOW_UPS_PATH}/{{id}}")


def identity(workspace: Workspace) -> dict[str, Any]:
    """`GET /v1/identity` of a key that may read everything."""
    return {
        "identity": {
            "name": f"{workspace.title} reporting key",
            "roles": ["viewer", "global_access", "catalog_viewer"],
            "team_roles": [],
            "teams": [],
            "dashboard_url": f"https://app.incident.example/{workspace.name}",
        }
    }


SETTINGS: dict[str, Callable[[Workspace], dict[str, Any]]] = {
    "/v1/identity": identity,
    "/v1/severities": lambda w: {"severities": objects.severity_objects(w)},
    "/v1/incident_statuses": lambda w: {"incident_statuses": list(objects.status_objects(w).values())},
    "/v1/incident_types": lambda w: {"incident_types": list(objects.type_objects(w).values())},
    "/v2/incident_timestamps": lambda w: {"incident_timestamps": objects.timestamp_objects(w)},
    "/v2/custom_fields": lambda w: {"custom_fields": objects.custom_field_objects(w)},
    "/v2/incident_roles": lambda w: {"incident_roles": [objects.role_object(w, role) for role in w.roles]},
}
"""Endpoints that answer from the workspace's configuration alone."""


class VendorApi:
    """Answers every request that isn't for the control endpoints."""

    def __init__(self, double: IncidentIoDouble) -> None:
        self._double = double
        self._request_numbers = count(1)

    async def answer(self, request: Request) -> Response:
        """Authenticate, meet the faults, count against the quotas, answer; every refusal in the vendor's shape."""
        double, path = self._double, request.url.path
        if double.latency_seconds:
            await asyncio.sleep(double.latency_seconds)
        name = "unknown"
        try:
            desk = double.desk_for(request.headers.get("authorization"))
            name = desk.store.workspace.name
            response = await self._for_desk(desk, request)
        except VendorError as error:
            body = error.body(f"req-{next(self._request_numbers):08d}")
            response = encoded_response(body, accept_encoding=None, status=error.status, headers=error.headers)
        double.stats.count(name, counted_as(path, _COUNTED), response.status_code, request.url.query)
        return response

    async def _for_desk(self, desk: Desk, request: Request) -> Response:
        path, name = request.url.path, desk.store.workspace.name
        faults = self._double.faults.take(FAMILY, name, path)
        for rule in faults:
            if rule.action == "delay":
                await asyncio.sleep(rule.seconds)
            elif rule.action == "html":
                return Response(PROXY_PAGE, rule.status or 200, media_type="text/html")
            elif rule.action == "status":
                raise _injected(rule, name)
        headers: dict[str, str] = {}
        if self._double.limiter is not None:
            headers = self._double.limiter.admit(f"{name} reporting key", lists_incidents=path == LIST_PATH)
        if request.method not in {"GET", "HEAD"}:
            raise error_of_status(405, f"{request.method} is not allowed on {path}")
        response = self._respond(desk, request, faults, headers)
        return CutResponse(response) if any(rule.action == "cut_body" for rule in faults) else response

    def _respond(self, desk: Desk, request: Request, faults: list[FaultRule], headers: dict[str, str]) -> Response:
        path, accept = request.url.path, request.headers.get("accept-encoding")
        if path == LIST_PATH:
            return self._incidents(desk, request, faults, headers)
        if path.startswith(f"{LIST_PATH}/"):
            wanted = path.removeprefix(f"{LIST_PATH}/")
            found = desk.store.find(wanted)
            if found is None:
                raise not_found(f"incident {wanted}")
            body = b'{"incident":' + found.json + b"}"
            return json_response(body, gzipped=False, headers=headers)
        parameters = Parameters(request.query_params.multi_items())
        if path == "/v2/incident_updates":
            content = desk.related.incident_updates(parameters)
        elif path == FOLLOW_UPS_PATH:
            content = desk.related.follow_ups(parameters)
        elif path.startswith(f"{FOLLOW_UPS_PATH}/"):
            wanted = path.removeprefix(f"{FOLLOW_UPS_PATH}/")
            follow_up = desk.related.follow_up(wanted)
            if follow_up is None:
                raise not_found(f"follow-up {wanted}")
            content = {"follow_up": follow_up}
        elif path in SETTINGS:
            content = SETTINGS[path](desk.store.workspace)
        else:
            raise not_found(path)
        return encoded_response(content, accept_encoding=accept, headers=headers)

    def _incidents(self, desk: Desk, request: Request, faults: list[FaultRule], headers: dict[str, str]) -> Response:
        pairs = request.query_params.multi_items()
        query_text = repr(sorted(pair for pair in pairs if pair[0] not in _PAGING))
        parameters = Parameters(pairs)
        page = desk.incidents.page(parameters, query_text)
        gzipped = accepts_gzip(request.headers.get("accept-encoding"))
        rows = [Row(shown.json, shown.deflated if gzipped else None) for shown in page.rows]
        meta: dict[str, object] = {"page_size": page.page_size, "total_record_count": page.total}
        if page.after is not None:
            meta["after"] = page.after
        asked_after = parameters.single("after")
        for rule in faults:
            if rule.action == "corrupt_record" and rule.index < len(rows):
                rows[rule.index] = _corrupted(rows[rule.index], rule)
            elif rule.action == "loop_cursor" and (asked_after or page.rows):
                meta["after"] = asked_after or page.rows[-1].incident.id
            elif rule.action == "empty_page_with_cursor":
                rows = []
                meta["after"] = desk.incidents.cursor_to_the_same_place(asked_after)
            elif rule.action == "insert_rows":
                self._double.insert_rows(desk, rule)
        return json_response(incidents_body(rows, meta, gzipped=gzipped), gzipped=gzipped, headers=headers)


def _injected(rule: FaultRule, workspace: str) -> VendorError:
    headers = {"Retry-After": rule.retry_after} if rule.retry_after is not None else None
    error = error_of_status(rule.status or 500, f"told to answer with {rule.status}", headers)
    if error.status == 429:
        error.extra = {"rate_limit": {"name": f"{workspace} reporting key", "limit": 60, "remaining": 0}}
    return error


def _corrupted(row: Row, rule: FaultRule) -> Row:
    try:
        return Row(corrupt(row.json, rule.record))
    except (TypeError, ValueError) as error:
        raise error_of_status(500, f"the fault rule doesn't fit the record: {error}") from error


def vendor_routes(double: IncidentIoDouble) -> list[Route]:
    """The vendor's API alone, whatever the path."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [Route("/{path:path}", VendorApi(double).answer, methods=methods)]


def create_app(double: IncidentIoDouble) -> Starlette:
    """The ASGI application: `/_double/*` controls the double, everything else is the vendor's API."""
    control = control_routes(double.clock, double.faults, double.stats.as_json)
    return Starlette(routes=[*control, *vendor_routes(double)])
