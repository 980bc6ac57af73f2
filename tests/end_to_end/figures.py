"""What the marts must say, worked out from an archive alone.

Written from docs/incident-archive.md, docs/metrics.md and the two YAML files that name things, with none of the code
under test: it shares no timeline, no mapping and no arithmetic with it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from math import floor
from typing import Any, NamedTuple

import yaml

from local.addresses import REPOSITORY

WORKSPACES = ("companya", "companyb", "companyc")
RANKS = {"critical": 4, "major": 3, "minor": 2, "none": 1, "maintenance": 1}
CATEGORIES = {
    "Scheduled": "triage",
    "Resolved": "closed",
    "Completed": "closed",
    "Postmortem": "learning",
    "Declined": "declined",
    "Merged": "merged",
    "Cancelled": "canceled",
}
EXTRACTED_MODES = ("standard", "retrospective")

Archived = Mapping[str, Any]


class Incident(NamedTuple):
    """One row of fct_ops__incidents, as far as an archive decides it; times in seconds, impact in minutes."""

    workspace: str
    created_at: datetime
    updated_at: datetime
    status_category: str
    severity_name: str | None
    severity_rank: int | None
    temperature: str | None
    impact_started_at: datetime | None
    detected_at: datetime | None
    responded_at: datetime | None
    fixed_at: datetime | None
    resolved_at: datetime | None
    time_to_detect_sec: int | None
    time_to_respond_sec: int | None
    time_to_resolve_sec: int | None
    time_detect_to_resolve_sec: int | None
    impact_duration_min: Decimal | None
    dq_flags: tuple[str, ...]


class Service(NamedTuple):
    """One row of bridge_ops__incident_service."""

    workspace: str
    created_at: datetime
    service_name: str


class Figures(NamedTuple):
    """Incidents, median and 90th percentile of the three times, in seconds (None without any)."""

    incidents: int
    detect: tuple[float | None, float | None]
    respond: tuple[float | None, float | None]
    resolve: tuple[float | None, float | None]


def homes(archive: Sequence[Archived]) -> dict[str, str]:
    """The workspace of every component: the most frequent first, each to the workspace with the fewest mentions."""
    mentions = Counter(component for incident in archive for component in incident.get("components", ()))
    taken = dict.fromkeys(WORKSPACES, 0)
    found = {}
    for component in sorted(mentions, key=lambda name: (-mentions[name], name)):
        home = sorted(WORKSPACES, key=lambda name: taken[name])[0]
        found[component], taken[home] = home, taken[home] + mentions[component]
    return found


def home(incident: Archived, of_components: Mapping[str, str]) -> str:
    """The workspace of an incident: its first component's, or the one that the digest of its id names."""
    components = incident.get("components")
    if components:
        return of_components[components[0]]
    return WORKSPACES[int(hashlib.sha256(incident["id"].encode()).hexdigest(), 16) % 3]


def by_workspace(archive: Sequence[Archived]) -> dict[str, list[Archived]]:
    """The archive as the workspaces divide it."""
    of_components = homes(archive)
    divided: dict[str, list[Archived]] = {name: [] for name in WORKSPACES}
    for incident in archive:
        divided[home(incident, of_components)].append(incident)
    return divided


def extracted(incidents: Iterable[Archived], at: datetime) -> list[Archived]:
    """Those that exist at an instant, in a mode that is extracted."""
    return [i for i in incidents if _at(i["started_at"]) <= at and i.get("mode", "standard") in EXTRACTED_MODES]


def expected_incidents(divided: Mapping[str, Sequence[Archived]], at: datetime) -> list[Incident]:
    """The rows of the fact, with the incidents as they stand at an instant."""
    return [_row(name, i, at) for name, incidents in divided.items() for i in extracted(incidents, at)]


def expected_services(divided: Mapping[str, Sequence[Archived]], at: datetime) -> list[Service]:
    """The rows of the bridge."""
    return [
        Service(name, _at(i["started_at"]), service)
        for name, incidents in divided.items()
        for i in extracted(incidents, at)
        for service in sorted(set(i.get("components", ())))
    ]


def expected_figures(rows: Iterable[Incident]) -> dict[tuple[str, str | None, str], Figures]:
    """The figures by workspace, severity and month of creation."""
    groups: dict[tuple[str, str | None, str], list[Incident]] = defaultdict(list)
    for row in rows:
        groups[row.workspace, row.severity_name, f"{row.created_at:%Y-%m}"].append(row)
    return {
        group: Figures(
            len(members),
            _median_and_p90(row.time_to_detect_sec for row in members),
            _median_and_p90(row.time_to_respond_sec for row in members),
            _median_and_p90(row.time_to_resolve_sec for row in members),
        )
        for group, members in groups.items()
    }


def _row(workspace: str, incident: Archived, at: datetime) -> Incident:
    made = [update for update in incident["updates"] if _at(update["at"]) <= at]
    status, impact = ("Scheduled" if incident["impact"] == "maintenance" else "Investigating"), incident["impact"]
    ended_by = 0  # the update that ended it last
    for number, update in enumerate(made):
        said = update["status"]
        if said == "Update":
            status = status if _category(status) == "live" else "Investigating"
        elif said != "Note":
            status = said
        if said in ("Resolved", "Completed"):
            ended_by = number
        impact = update.get("impact") or impact
    category = _category(status)
    stamps = _stamps(incident, made, ended_by, ended=category in ("closed", "learning"), at=at)
    shown = {name: value for name, value in stamps.items() if value is not None and value <= at}
    started = _at(incident["started_at"])
    last_change = _past(incident.get("updated_at"), at)
    updated = max([started, *shown.values(), *(_at(u["at"]) for u in made), *([last_change] if last_change else [])])
    return _timed(workspace, started, updated, category, None if category == "triage" else impact, shown)


def _stamps(
    incident: Archived, made: Sequence[Archived], ended_by: int, *, ended: bool, at: datetime
) -> dict[str, datetime | None]:
    def first(status: str) -> datetime | None:
        return next((_at(update["at"]) for update in made if update["status"] == status), None)

    started = _at(incident["started_at"])
    stamps = {
        "impact_started": _at(incident["downtime_start"]) if incident.get("downtime_start") else started,
        "detected": _at(made[0]["at"]) if made else None,
        "identified": first("Identified") or first("Update"),
        "accepted": _at(made[1]["at"]) if len(made) > 1 else None,
        "fixed": first("Monitoring") or (_past(incident.get("downtime_end"), at) if ended else None),
    }
    resolved = _past(incident.get("resolved_at"), at)
    if resolved is None:
        ends = [_at(update["at"]) for update in made if update["status"] in ("Resolved", "Completed")]
        resolved = ends[-1] if ends else None
    for number, update in enumerate(made):
        for name, corrected in update.get("timestamps", {}).items():
            if name != "resolved":
                stamps[name] = _at(corrected)
            elif number >= ended_by:
                resolved = _at(corrected)
    return {**stamps, "resolved": resolved if ended else None}


def _timed(
    workspace: str,
    created: datetime,
    updated: datetime,
    category: str,
    impact: str | None,
    shown: Mapping[str, datetime],
) -> Incident:
    names = _names(workspace)
    began, detected, responded, fixed, resolved = (
        shown.get(names.stamps.get(canonical, ""))
        for canonical in ("impact_started_at", "detected_at", "responded_at", "fixed_at", "resolved_at")
    )
    spans = {
        "detected_before_created": _span(created, detected),
        "responded_before_detected": _span(detected, responded),
        "resolved_before_detected": _span(detected, resolved),
        "resolved_before_created": _span(created, resolved),
        "impact_ended_before_start": _span(began or created, fixed or resolved),
    }
    good = {flag: span if span is not None and span >= 0 else None for flag, span in spans.items()}
    minutes = good["impact_ended_before_start"]
    rank = RANKS[impact] if impact else None
    return Incident(
        workspace, created, updated, category,
        names.severities[impact] if impact else None, rank, names.temperatures[rank] if rank else None,
        began, detected, responded, fixed, resolved,
        good["detected_before_created"], good["responded_before_detected"], good["resolved_before_created"],
        good["resolved_before_detected"],
        None if minutes is None else (Decimal(minutes) / 60).quantize(Decimal("0.01"), "ROUND_HALF_UP"),
        tuple(sorted(flag for flag, span in spans.items() if span is not None and span < 0)),
    )  # fmt: skip


class _Names(NamedTuple):
    stamps: dict[str, str]
    """Canonical instant to archive stamp."""
    severities: dict[str, str]
    """Impact to the workspace's own name."""
    temperatures: dict[int, str]


@cache
def _names(workspace: str) -> _Names:
    """What the registry and the workspace's own configuration call things."""
    family = yaml.safe_load((REPOSITORY / "shared/registry/incident_io.yaml").read_text())
    settings = family["instances"][workspace]["settings"]
    configured = yaml.safe_load((REPOSITORY / "local/sources/incident_io/workspaces.yaml").read_text())
    own = next(w for w in configured["workspaces"] if w["name"] == workspace)
    stamps = {stamp["name"]: stamp["stamp"] for stamp in own["timestamps"]}
    return _Names(
        {canonical: stamps[name] for canonical, name in settings["timestamps"].items()},
        {impact: severity["name"] for severity in own["severities"] for impact in severity["impacts"]},
        {int(rank): temperature for rank, temperature in settings["temperatures"].items()},
    )


def _category(status: str) -> str:
    return CATEGORIES.get(status, "live")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _past(text: str | None, at: datetime) -> datetime | None:
    return _at(text) if text is not None and _at(text) <= at else None


def _span(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return floor(end.timestamp()) - floor(start.timestamp())


def _median_and_p90(times: Iterable[int | None]) -> tuple[float | None, float | None]:
    known = sorted(time for time in times if time is not None)
    return (_percentile(known, 0.5), _percentile(known, 0.9)) if known else (None, None)


def _percentile(ordered: Sequence[int], share: float) -> float:
    """Linear between the two neighbours, as PERCENTILE_CONT."""
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def read(data: bytes) -> list[Archived]:
    """An archive's lines."""
    return [json.loads(line) for line in data.splitlines() if line.strip()]
