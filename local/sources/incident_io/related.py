"""Lists that hang on incidents: `GET /v2/incident_updates` and `GET /v3/follow_ups`, ordered by id, oldest first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.sources.incident_io.listing import DEFAULT_MODES, MODES
from local.sources.incident_io.objects import JsonObject, follow_up_objects, update_objects
from local.sources.incident_io.query import Parameters
from local.sources.incident_io.store import Rendered, WorkspaceStore

FOLLOW_UP_MODES = (*MODES, "stream")


@dataclass(slots=True)
class RelatedLister:
    """Answers both lists over one workspace's store; the rows of each are kept until the workspace changes."""

    store: WorkspaceStore
    _updates: tuple[int, list[JsonObject]] | None = None
    _follow_ups: tuple[int, list[tuple[str, JsonObject]]] | None = None

    def incident_updates(self, parameters: Parameters) -> dict[str, Any]:
        """All updates, or those of `incident_id` (the full id: anything else gives an empty list, not an error)."""
        wanted = parameters.single("incident_id")
        if wanted is not None:
            return _paged("incident_updates", update_rows(self._only(wanted)), parameters)
        if self._updates is None or self._updates[0] != self.store.version:
            self._updates = (self.store.version, update_rows(self.store.visible()))
        return _paged("incident_updates", self._updates[1], parameters)

    def follow_ups(self, parameters: Parameters) -> dict[str, Any]:
        """Follow-ups by `incident_id`, `incident_mode`, and instants of creation and change.

        Raises VendorError (422) for a bad value.
        """
        mode = parameters.choice("incident_mode", FOLLOW_UP_MODES)
        modes = DEFAULT_MODES if mode is None else {mode}
        created, updated = parameters.instants("created_at"), parameters.instants("updated_at")
        incident_id = parameters.single("incident_id")
        rows = [
            row
            for incident_mode, row in self._all_follow_ups()
            if incident_mode in modes
            and incident_id in {None, row["incident_id"]}
            and (created is None or created.holds(datetime.fromisoformat(row["created_at"])))
            and (updated is None or updated.holds(datetime.fromisoformat(row["updated_at"])))
        ]
        return _paged("follow_ups", rows, parameters)

    def follow_up(self, follow_up_id: str) -> JsonObject | None:
        """The follow-up with this id, whatever the mode of its incident, if it exists by now."""
        return next((row for _, row in self._all_follow_ups() if row["id"] == follow_up_id), None)

    def _all_follow_ups(self) -> list[tuple[str, JsonObject]]:
        if self._follow_ups is None or self._follow_ups[0] != self.store.version:
            rows: list[tuple[str, JsonObject]] = [
                (shown.incident.archived.mode, row)
                for shown in self.store.visible()
                for row in follow_up_objects(shown.incident, self.store.now)
            ]
            rows.sort(key=lambda pair: str(pair[1]["id"]))
            self._follow_ups = (self.store.version, rows)
        return self._follow_ups[1]

    def _only(self, incident_id: str) -> list[Rendered]:
        found = self.store.find(incident_id)
        return [found] if found is not None and found.incident.id == incident_id else []


def update_rows(shown: Iterable[Rendered]) -> list[JsonObject]:
    """IncidentUpdateV2 of all updates made so far, by id."""
    rows = [row for one in shown for row in update_objects(one.incident, one.state)]
    rows.sort(key=lambda row: str(row["id"]))
    return rows


def _paged(name: str, rows: list[JsonObject], parameters: Parameters) -> dict[str, Any]:
    paging = parameters.paging()
    start = 0 if paging.after is None else bisect_right(rows, paging.after, key=lambda row: str(row["id"]))
    shown = rows[start : start + paging.size]
    meta: dict[str, Any] = {"page_size": paging.size}
    if len(shown) == paging.size:
        meta["after"] = shown[-1]["id"]
    return {name: shown, "pagination_meta": meta}
