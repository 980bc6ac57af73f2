"""Archives for stories: every hour alike, or a generated history cut to measure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from local.addresses import REPOSITORY
from local.sources.incident_io.archive import archive_lines
from local.sources.incident_io.generator import generate
from tests.end_to_end.figures import WORKSPACES, by_workspace, extracted
from tests.end_to_end.running import HOUR, lines

HOURS_FROM, HOURS = datetime(2026, 1, 5, tzinfo=UTC), 120
COMPONENTS = ("api", "billing", "catalog")
"""One a workspace: equally frequent components go to the workspaces in the order of their names."""

HISTORY_FROM, HISTORY_UNTIL = datetime(2025, 11, 3, tzinfo=UTC), datetime(2026, 2, 14, tzinfo=UTC)
HISTORY_SEED, HISTORY_PER_DAY = 11, 9.0
PAGE_SIZE = 250

REAL_ARCHIVE = REPOSITORY.parent / "shared" / "data" / "github_status_incidents.jsonl"
"""A public service's own history; not part of the repository."""


def hourly_archive() -> bytes:
    """An incident a workspace and hour, from an hour before the stack's first window on: open for half an hour."""
    return lines(
        [_hourly(HOURS_FROM - HOUR + HOUR * hour, component) for hour in range(HOURS) for component in COMPONENTS]
    )


def history_archive(full: str, at: datetime) -> list[dict[str, Any]]:
    """A generated history of which the workspace `full` has whole pages exactly, as seen at an instant.

    One incident more is still in triage then.
    """
    made = generate(HISTORY_SEED, HISTORY_FROM, HISTORY_UNTIL, HISTORY_PER_DAY)
    archive: list[dict[str, Any]] = [json.loads(line) for line in archive_lines(made)]
    [planned] = _names_of("companya", 1, "planned")
    archive.append(
        {
            "id": planned,
            "impact": "maintenance",
            "started_at": (at - HOUR).isoformat(),
            "updates": [{"at": (at - HOUR).isoformat(), "status": "Scheduled"}],
        }
    )
    lacking = -len(extracted(by_workspace(archive)[full], at)) % PAGE_SIZE
    # without components, so that the other incidents stay where they are
    archive += [_plain(name) for name in _names_of(full, lacking, "plain")]
    return archive


def last_change(archive: Sequence[Mapping[str, Any]]) -> datetime:
    """The last instant that any history tells of."""
    texts = [update["at"] for incident in archive for update in incident["updates"]]
    texts += [incident[name] for incident in archive for name in ("updated_at", "resolved_at") if incident.get(name)]
    return max(datetime.fromisoformat(text) for text in texts)


def _hourly(hour: datetime, component: str) -> dict[str, Any]:
    def at(minutes: int) -> str:
        return (hour + timedelta(minutes=minutes)).isoformat()

    return {
        "id": f"{component}-{hour:%Y%m%d%H}",
        "impact": "minor",
        "components": [component],
        "started_at": at(10),
        "updates": [
            {"at": at(10), "status": "Investigating"},
            {"at": at(15), "status": "Identified"},
            {"at": at(40), "status": "Resolved"},
        ],
    }


def _plain(name: str) -> dict[str, Any]:
    started = (HISTORY_FROM + timedelta(hours=int(name.rpartition("-")[2]) % 500)).isoformat()
    return {
        "id": name,
        "impact": "none",
        "started_at": started,
        "updates": [{"at": started, "status": "Investigating"}, {"at": started, "status": "Resolved"}],
    }


def _names_of(workspace: str, count: int, stem: str) -> list[str]:
    """Ids that an archive without components puts into the workspace."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"{stem}-{number}"
        if WORKSPACES[int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3] == workspace:
            found.append(name)
        number += 1
    return found
