"""The double as a whole: the workspaces' stores under one clock, the keys, quotas, faults and counts."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.sources.incident_io.archive import ArchiveIncident, Update
from local.sources.incident_io.errors import VendorError
from local.sources.incident_io.faults import FaultBoard, FaultRule
from local.sources.incident_io.listing import IncidentLister
from local.sources.incident_io.rate_limit import RateLimiter
from local.sources.incident_io.related import RelatedLister
from local.sources.incident_io.store import WorkspaceStore
from local.sources.incident_io.workspaces import Workspace, load_workspaces, split_by_workspace


@dataclass(slots=True)
class Desk:
    """What one workspace's requests are answered from."""

    store: WorkspaceStore
    incidents: IncidentLister
    related: RelatedLister

    @classmethod
    def open(cls, workspace: Workspace, archived: Sequence[ArchiveIncident], now: datetime) -> Desk:
        """A desk over a workspace's share of the archive."""
        store = WorkspaceStore(workspace, archived, now)
        return cls(store, IncidentLister(store), RelatedLister(store))


@dataclass(slots=True)
class Stats:
    """Requests seen since the start, by workspace (`unknown` for those without a valid key)."""

    requests: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    responses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    last_query: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Counts by workspace and path, by workspace and status, the 429s, and each workspace's last query string."""
        return {
            "requests": {workspace: dict(paths) for workspace, paths in self.requests.items()},
            "responses": {workspace: dict(statuses) for workspace, statuses in self.responses.items()},
            "rate_limited": {workspace: statuses["429"] for workspace, statuses in self.responses.items()},
            "last_query": dict(self.last_query),
        }


class IncidentIoDouble:
    """Everything behind the endpoints. `keys` maps a bearer key to its workspace's name."""

    def __init__(
        self,
        archived: Sequence[ArchiveIncident],
        keys: Mapping[str, str],
        now: datetime,
        *,
        rate_limited: bool = True,
        latency_seconds: float = 0.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        workspaces = {workspace.name: workspace for workspace in load_workspaces()}
        strangers = sorted(set(keys.values()) - set(workspaces))
        if strangers:
            raise ValueError(f"there is no workspace {', '.join(strangers)}; there are {', '.join(workspaces)}")
        parts = split_by_workspace(archived, list(workspaces))
        self.desks = {name: Desk.open(workspace, parts[name], now) for name, workspace in workspaces.items()}
        self.limiter = RateLimiter(wall_clock) if rate_limited else None
        self.latency_seconds = latency_seconds
        self.faults = FaultBoard()
        self.stats = Stats()
        self._keys = dict(keys)
        self._now = now
        self._inserted = 0

    @property
    def now(self) -> datetime:
        """The instant as of which every workspace is shown; setting it may jump forward or back."""
        return self._now

    @now.setter
    def now(self, instant: datetime) -> None:
        self._now = instant
        for desk in self.desks.values():
            desk.store.now = instant

    def desk_for(self, authorization: str | None) -> Desk:
        """The workspace that the `Authorization` header's key opens. Raises VendorError (401)."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            message = "No authorization material provided in request"
            raise VendorError(401, "authentication_error", "missing_authorization_material", message)
        name = self._keys.get(key.strip())
        if name is None:
            raise VendorError(401, "authentication_error", "access_token_invalid", "Access token is invalid")
        return self.desks[name]

    def insert_rows(self, desk: Desk, rule: FaultRule) -> None:
        """Let incidents appear: created now, or at the rule's `created_at`, and written now either way."""
        for _ in range(rule.rows):
            self._inserted += 1
            started = rule.created_at or self._now
            opening = Update(at=started, status="Investigating")
            written = Update(at=max(self._now, started), status="Identified")
            updates = (opening, written) if written.at > started else (opening,)
            appeared = ArchiveIncident(
                id=f"inserted-{self._inserted}", impact="minor", started_at=started, updates=updates
            )
            desk.store.insert(appeared)
