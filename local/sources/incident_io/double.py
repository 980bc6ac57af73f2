"""The double as a whole: the workspaces' stores under one clock, the keys, quotas, faults and counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from local.sources.incident_io.archive import ArchiveIncident, Update
from local.sources.incident_io.errors import VendorError
from local.sources.incident_io.listing import IncidentLister
from local.sources.incident_io.paths import FAMILY, LISTS
from local.sources.incident_io.rate_limit import RateLimiter
from local.sources.incident_io.related import RelatedLister
from local.sources.incident_io.store import WorkspaceStore
from local.sources.incident_io.workspaces import Workspace, load_workspaces, split_by_workspace
from local.sources.kit.clock import ShownClock
from local.sources.kit.faults import FaultBoard, FaultRule
from local.sources.kit.stats import Stats


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


class IncidentIoDouble:
    """Everything behind the endpoints. `keys` maps a bearer key to its workspace's name.

    The clock and the faults are its own (`now` is the instant shown at first), or those given, which then others share.
    """

    def __init__(
        self,
        archived: Sequence[ArchiveIncident],
        keys: Mapping[str, str],
        now: datetime | ShownClock,
        *,
        faults: FaultBoard | None = None,
        rate_limited: bool = True,
        latency_seconds: float = 0.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        workspaces = {workspace.name: workspace for workspace in load_workspaces()}
        strangers = sorted(set(keys.values()) - set(workspaces))
        if strangers:
            raise ValueError(f"there is no workspace {', '.join(strangers)}; there are {', '.join(workspaces)}")
        self.clock = now if isinstance(now, ShownClock) else ShownClock(now)
        parts = split_by_workspace(archived, list(workspaces))
        self.desks = {name: Desk.open(workspace, parts[name], self.now) for name, workspace in workspaces.items()}
        self.limiter = RateLimiter(wall_clock) if rate_limited else None
        self.latency_seconds = latency_seconds
        self.faults = faults if faults is not None else FaultBoard({FAMILY: LISTS})
        self.stats = Stats()
        self._keys = dict(keys)
        self._inserted = 0
        self.clock.watch(self._show)

    @property
    def now(self) -> datetime:
        """The instant as of which every workspace is shown; setting it may jump forward or back."""
        return self.clock.now

    @now.setter
    def now(self, instant: datetime) -> None:
        self.clock.now = instant

    def _show(self, instant: datetime) -> None:
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
            started = rule.created_at or self.now
            opening = Update(at=started, status="Investigating")
            written = Update(at=max(self.now, started), status="Identified")
            updates = (opening, written) if written.at > started else (opening,)
            appeared = ArchiveIncident(
                id=f"inserted-{self._inserted}", impact="minor", started_at=started, updates=updates
            )
            desk.store.insert(appeared)
