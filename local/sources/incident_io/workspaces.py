"""The invented workspaces (workspaces.yaml) and which of them an archived incident belongs to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import yaml

from local.sources.incident_io.archive import ArchiveIncident, Impact, Stamp, Status
from local.sources.incident_io.timeline import Category

T = TypeVar("T")


def _first(matches: Iterator[T], workspace: str, what: str) -> T:
    for match in matches:
        return match
    raise KeyError(f"workspace {workspace} has nothing that stands for {what!r}")


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Anything a workspace names: its fixed id and its name there."""

    id: str
    name: str


class Severity(Named, frozen=True, forbid_unknown_fields=True):
    """A severity; a lower rank is less severe."""

    rank: int
    impacts: tuple[Impact, ...]
    description: str


class IncidentStatus(Named, frozen=True, forbid_unknown_fields=True):
    """A status of the workspace's own life cycle and the archive statuses it stands for."""

    rank: int
    category: Category
    archive: tuple[Status, ...]


class IncidentType(Named, frozen=True, forbid_unknown_fields=True, rename={"purpose": "for"}):
    """A kind of incident."""

    purpose: Literal["unplanned", "maintenance"]


class Timestamp(Named, frozen=True, forbid_unknown_fields=True):
    """A timestamp of the workspace and the archive stamp it shows."""

    rank: int
    stamp: Stamp


class DurationMetric(Named, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A duration between two stamps."""

    start: Stamp
    end: Stamp


class Role(Named, frozen=True, forbid_unknown_fields=True):
    """A role people take in an incident."""

    shortform: str
    type: Literal["lead", "reporter", "custom"]


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice of a select field."""

    id: str
    value: str


class CatalogField(Named, frozen=True, forbid_unknown_fields=True):
    """A multi-select whose choices are entries of a catalog type."""

    catalog_type_id: str


class SelectField(Named, frozen=True, forbid_unknown_fields=True):
    """A single-select with its own options."""

    options: tuple[Option, ...]


class CustomFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The custom fields every workspace has, each under its own id and name."""

    affected_services: CatalogField
    detection: SelectField
    customers_affected: Named
    ticket: Named


class Workspace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """One workspace's configuration. `domain` is a reserved name, never a real one.

    Compared by identity: it is loaded once and stands in the key of what is derived from it.
    """

    name: str
    title: str
    domain: str
    slack_team_id: str
    created_at: datetime
    teams: tuple[Named, ...]
    severities: tuple[Severity, ...]
    statuses: tuple[IncidentStatus, ...]
    incident_types: tuple[IncidentType, ...]
    timestamps: tuple[Timestamp, ...]
    duration_metrics: tuple[DurationMetric, ...]
    roles: tuple[Role, ...]
    custom_fields: CustomFields

    def severity_for(self, impact: Impact) -> Severity:
        """The severity that stands for an impact; KeyError when the workspace has none."""
        return _first((s for s in self.severities if impact in s.impacts), self.name, impact)

    def status_for(self, status: Status) -> IncidentStatus:
        """The status that stands for an archive status; KeyError when the workspace has none."""
        return _first((s for s in self.statuses if status in s.archive), self.name, status)

    def type_for(self, impact: Impact) -> IncidentType:
        """Planned work has a type of its own."""
        purpose = "maintenance" if impact == "maintenance" else "unplanned"
        return _first((t for t in self.incident_types if t.purpose == purpose), self.name, purpose)


class _WorkspacesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    workspaces: tuple[Workspace, ...]


@cache
def load_workspaces() -> tuple[Workspace, ...]:
    """The workspaces of workspaces.yaml, in its order."""
    text = Path(__file__).with_name("workspaces.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), _WorkspacesFile).workspaces


def component_homes(incidents: Iterable[ArchiveIncident], workspaces: Sequence[str]) -> dict[str, str]:
    """Which workspace each component belongs to.

    Components, most frequent first (by name where equally frequent), go to the workspace that has the fewest mentions
    so far (the first of them where equal), so that the workspaces come out about the same size.
    """
    mentions = Counter(component for incident in incidents for component in incident.components)
    load = dict.fromkeys(workspaces, 0)
    homes: dict[str, str] = {}
    for component, count in sorted(mentions.items(), key=lambda item: (-item[1], item[0])):
        lightest = min(workspaces, key=load.__getitem__)
        homes[component] = lightest
        load[lightest] += count
    return homes


def home_of(incident: ArchiveIncident, homes: Mapping[str, str], workspaces: Sequence[str]) -> str:
    """The workspace of the first component; without components a digest of the id decides."""
    if incident.components:
        return homes[incident.components[0]]
    return workspaces[int.from_bytes(hashlib.sha256(incident.id.encode()).digest(), "big") % len(workspaces)]


def split_by_workspace(
    incidents: Sequence[ArchiveIncident], workspaces: Sequence[str]
) -> dict[str, list[ArchiveIncident]]:
    """Every incident in exactly one workspace, in the order given; the same archive always splits the same way."""
    homes = component_homes(incidents, workspaces)
    parts: dict[str, list[ArchiveIncident]] = {name: [] for name in workspaces}
    for incident in incidents:
        parts[home_of(incident, homes, workspaces)].append(incident)
    return parts
