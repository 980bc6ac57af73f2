"""incident.io in memory: workspaces whose incidents change over time, listed as the vendor lists them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.errors import SourceUnavailable
from shared.instants import from_text
from shared.ports import Clock, HttpRequest, HttpResponse
from tests.support.incidents import encoded


@dataclass(slots=True)
class Listed:
    """An incident: its place in the list, and its versions with the instants from which they are served."""

    id: str
    created_at: datetime
    versions: list[tuple[datetime, datetime, bytes]] = field(default_factory=list)
    """Served from, updated_at, the record."""

    def at(self, now: datetime) -> tuple[datetime, bytes] | None:
        """What is served now: `updated_at` and the record."""
        served = [(updated_at, record) for since, updated_at, record in self.versions if since <= now]
        return served[-1] if served else None


class Workspace:
    """One workspace's incidents."""

    def __init__(self, identity: str, key: str) -> None:
        self.identity = identity
        self.key = key
        self.incidents: dict[str, Listed] = {}
        self.follow_ups: dict[str, dict[str, Any]] = {}
        """Follow-ups by id, as they are now."""
        self.updates: dict[str, list[dict[str, Any]]] = {}
        """What was said of an incident, by its id."""
        self.hidden: set[str] = set()
        """Ids of what the key may not see."""

    def put(self, record: dict[str, Any], *, raw: bytes | None = None) -> None:
        """Serve this version of an incident from its `updated_at` on; `raw` replaces the record's bytes."""
        updated_at = from_text(record["updated_at"])
        listed = self.incidents.setdefault(record["id"], Listed(record["id"], from_text(record["created_at"])))
        listed.versions.append((updated_at, updated_at, raw or encoded(record)))
        listed.versions.sort(key=lambda version: version[0])

    def now(self, now: datetime) -> dict[str, bytes]:
        """Every incident as it is served now."""
        return {name: served[1] for name, listed in self.incidents.items() if (served := listed.at(now)) is not None}


class IncidentIoInMemory:
    """Answers requests. `answer_next` queues answers that come before the true ones, for faults of every kind."""

    def __init__(self, clock: Clock, *workspaces: Workspace) -> None:
        self.clock = clock
        self.workspaces = {workspace.identity: workspace for workspace in workspaces}
        self.queued: list[HttpResponse | BaseException] = []
        self.before_answer: Callable[[HttpRequest], None] | None = None
        self.pages_served = 0

    def answer_next(self, *answers: HttpResponse | BaseException) -> None:
        """Answer the next requests with these."""
        self.queued += answers

    def answer(self, request: HttpRequest) -> HttpResponse | BaseException:
        """The answer to one request, for MemoryHttp."""
        if self.before_answer is not None:
            self.before_answer(request)
        if self.queued:
            return self.queued.pop(0)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        workspace = next((w for w in self.workspaces.values() if w.key == key), None)
        if workspace is None:
            return response(401, {"type": "authentication_error"})
        path = urlsplit(request.url).path
        if path == "/v1/identity":
            url = f"https://app.incident.io/{workspace.identity}"
            return response(200, {"identity": {"name": workspace.identity, "dashboard_url": url, "roles": []}})
        if path == "/v2/incidents":
            self.pages_served += 1
            return self._list(workspace, request)
        if path == "/v2/incident_updates":
            return _updates(workspace, request)
        if path.startswith(("/v2/incidents/", "/v3/follow_ups/")):
            return self._show(workspace, path)
        return response(404, {"type": "not_found"})

    def _show(self, workspace: Workspace, path: str) -> HttpResponse:
        asked = path.rpartition("/")[2]
        if asked not in workspace.hidden and path.startswith("/v3"):
            if asked in workspace.follow_ups:
                return response(200, {"follow_up": workspace.follow_ups[asked]})
        elif asked not in workspace.hidden and asked in workspace.incidents:
            found = workspace.incidents[asked].at(self.clock.now())
            if found is not None:
                return response(200, b'{"incident": ' + found[1] + b"}")
        return response(404, {"type": "not_found", "status": 404, "errors": [{"code": "resource_not_found"}]})

    def _list(self, workspace: Workspace, request: HttpRequest) -> HttpResponse:
        query = dict(request.query)
        size = int(query["page_size"])
        first, _, last = query["updated_at[date_range]"].partition("~")
        served = []
        for listed in sorted(workspace.incidents.values(), key=lambda each: (each.created_at, each.id)):
            found = listed.at(self.clock.now())
            if found is not None and first <= found[0].date().isoformat() <= last:
                served.append((listed, found[1]))
        if after := query.get("after"):
            anchor = workspace.incidents[after]
            served = [(each, r) for each, r in served if (each.created_at, each.id) > (anchor.created_at, anchor.id)]
        page = served[:size]
        meta: dict[str, Any] = {"page_size": size}
        if len(served) > size:
            meta["after"] = page[-1][0].id
        body = b'{"incidents": [' + b", ".join(record for _, record in page) + b'], "pagination_meta": '
        return HttpResponse(200, {"content-type": "application/json"}, body + json.dumps(meta).encode() + b"}")


def _updates(workspace: Workspace, request: HttpRequest) -> HttpResponse:
    query = dict(request.query)
    said = workspace.updates.get(query["incident_id"], [])
    after = [each["id"] for each in said].index(query["after"]) + 1 if "after" in query else 0
    page = said[after : after + int(query["page_size"])]
    meta: dict[str, Any] = {"page_size": len(page)}
    if after + len(page) < len(said):
        meta["after"] = page[-1]["id"]
    return response(200, {"incident_updates": page, "pagination_meta": meta})


def response(status: int, body: object = None, **headers: str) -> HttpResponse:
    """An answer; header names are written with `_` for `-`, a body that is no bytes becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def unavailable(message: str = "connection reset") -> SourceUnavailable:
    """A network fault."""
    return SourceUnavailable(message)
