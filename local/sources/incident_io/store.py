"""A workspace's incidents as of the double's clock, rendered once per state.

An incident's state stands still between two of its change instants, so what was rendered is kept until the clock has
passed one: moving the clock over an archive renders again only the incidents that it changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.objects import WorkspaceIncident, incident_object
from local.sources.incident_io.timeline import IncidentState, state_at
from local.sources.incident_io.workspaces import Workspace
from local.sources.kit.gzip_parts import deflate_part


@dataclass(slots=True)
class Rendered:
    """An incident in one state: the state, its JSON, and the JSON deflated (made when first asked for)."""

    incident: WorkspaceIncident
    state: IncidentState
    _json: bytes | None = None
    _deflated: bytes | None = None

    @property
    def json(self) -> bytes:
        """IncidentV2 as UTF-8 JSON."""
        if self._json is None:
            self._json = msgspec.json.encode(incident_object(self.incident, self.state))
        return self._json

    @property
    def deflated(self) -> bytes:
        """The JSON as a part of a gzip stream (see gzip_parts)."""
        if self._deflated is None:
            self._deflated = deflate_part(self.json)
        return self._deflated


class WorkspaceStore:
    """The incidents of one workspace, oldest first; `version` moves whenever what can be seen may have changed."""

    def __init__(self, workspace: Workspace, archived: Sequence[ArchiveIncident], now: datetime) -> None:
        self.workspace = workspace
        self.version = 0
        self._now = now
        in_order = sorted(archived, key=lambda incident: (incident.started_at, incident.id))
        self._incidents = [WorkspaceIncident.enrol(workspace, a, n) for n, a in enumerate(in_order, start=1)]
        self._incidents.sort(key=lambda incident: incident.id)
        self._by_id = {incident.id: incident for incident in self._incidents}
        self._by_number = {incident.number: incident for incident in self._incidents}
        self._rendered: dict[str, tuple[int, Rendered]] = {}

    @property
    def now(self) -> datetime:
        """The instant as of which the workspace is shown."""
        return self._now

    @now.setter
    def now(self, instant: datetime) -> None:
        if instant != self._now:
            self._now = instant
            self.version += 1

    def insert(self, archived: ArchiveIncident) -> WorkspaceIncident:
        """Add an incident that no archive knew; it takes the next number. ValueError when its id is taken."""
        incident = WorkspaceIncident.enrol(self.workspace, archived, len(self._incidents) + 1)
        if incident.id in self._by_id:
            raise ValueError(f"{self.workspace.name} already has the incident {archived.id!r}")
        self._incidents.append(incident)
        self._incidents.sort(key=lambda known: known.id)
        self._by_id[incident.id] = incident
        self._by_number[incident.number] = incident
        self.version += 1
        return incident

    def known(self) -> Sequence[WorkspaceIncident]:
        """Every incident of this workspace, visible or not, oldest first."""
        return self._incidents

    def knows(self, incident_id: str) -> bool:
        """Whether the id is one of this workspace's, visible or not."""
        return incident_id in self._by_id

    def visible(self) -> Iterator[Rendered]:
        """Every incident that exists by now, oldest first."""
        for incident in self._incidents:
            rendered = self._render(incident)
            if rendered is not None:
                yield rendered

    def find(self, id_or_number: str) -> Rendered | None:
        """The incident with this id or this number (`123` of INC-123), if it exists by now."""
        incident = self._by_id.get(id_or_number)
        if incident is None and id_or_number.isdecimal() and len(id_or_number) < 12:
            incident = self._by_number.get(int(id_or_number))
        return None if incident is None else self._render(incident)

    def _render(self, incident: WorkspaceIncident) -> Rendered | None:
        deleted_at = incident.archived.deleted_at
        if deleted_at is not None and deleted_at <= self._now:
            return None
        stage = bisect_right(incident.changes, self._now)
        if stage == 0:
            return None
        kept = self._rendered.get(incident.id)
        if kept is not None and kept[0] == stage:
            return kept[1]
        state = state_at(incident.archived, self._now)
        if state is None:
            return None
        rendered = Rendered(incident, state)
        self._rendered[incident.id] = (stage, rendered)
        return rendered
