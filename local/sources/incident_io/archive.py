"""The archive form: incident histories as JSON lines, one incident a line, described in docs/incident-archive.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from local.sources.kit.instants import Instant

Impact = Literal["none", "minor", "major", "critical", "maintenance"]
Status = Literal[
    "Investigating",
    "Identified",
    "Update",
    "Monitoring",
    "In progress",
    "Scheduled",
    "Resolved",
    "Completed",
    "Postmortem",
    "Declined",
    "Merged",
    "Cancelled",
    "Note",
]
Mode = Literal["standard", "retrospective", "test", "tutorial"]
Visibility = Literal["public", "private"]
Stamp = Literal["reported", "impact_started", "detected", "identified", "accepted", "fixed", "resolved"]

STAMPS: tuple[Stamp, ...] = ("reported", "impact_started", "detected", "identified", "accepted", "fixed", "resolved")


class ArchiveError(ValueError):
    """An archive has lines that can't be used. `problems` holds (line number from 1, reason) for every one of them."""

    def __init__(self, name: str, problems: list[tuple[int, str]]) -> None:
        self.problems = problems
        listing = "\n".join(f"  line {number}: {reason}" for number, reason in problems)
        super().__init__(f"{name}: {len(problems)} unusable line(s)\n{listing}")


class Responder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who led the response."""

    name: str
    email: str


class Update(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One entry of an incident's history; `impact` and `timestamps` hold from `at` on."""

    at: Instant
    status: Status
    impact: Impact | None = None
    timestamps: dict[Stamp, Instant] = {}


class ArchiveIncident(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One incident with its whole history, updates oldest first."""

    id: str
    impact: Impact
    started_at: Instant
    updates: tuple[Update, ...]
    components: tuple[str, ...] = ()
    resolved_at: Instant | None = None
    downtime_start: Instant | None = None
    downtime_end: Instant | None = None
    updated_at: Instant | None = None
    deleted_at: Instant | None = None
    title: str | None = None
    mode: Mode = "standard"
    visibility: Visibility = "public"
    summary: str | None = None
    responder: Responder | None = None


_decode = msgspec.json.Decoder(ArchiveIncident).decode
_encode = msgspec.json.Encoder().encode


def _objection(incident: ArchiveIncident) -> str | None:
    """Why an incident of the right shape still can't be replayed, or None."""
    if not incident.id:
        return "`id` is empty"
    if not incident.updates:
        return "`updates` is empty: an incident has at least the update that opened it"
    for earlier, later in zip(incident.updates, incident.updates[1:], strict=False):
        if later.at < earlier.at:
            return f"`updates` are not oldest first: {later.at.isoformat()} follows {earlier.at.isoformat()}"
    return None


def parse_archive(lines: Iterable[bytes], name: str = "archive") -> list[ArchiveIncident]:
    """Decode JSON lines; blank lines are skipped.

    Raises ArchiveError with the number and the reason of every bad line, an id used twice included.
    """
    incidents: list[ArchiveIncident] = []
    problems: list[tuple[int, str]] = []
    first_seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            incident = _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            problems.append((number, str(error)))
            continue
        objection = _objection(incident)
        if objection is None and incident.id in first_seen:
            objection = f"`id` {incident.id!r} was used on line {first_seen[incident.id]}"
        if objection is not None:
            problems.append((number, objection))
            continue
        first_seen[incident.id] = number
        incidents.append(incident)
    if problems:
        raise ArchiveError(name, problems)
    return incidents


def load_archive(path: Path) -> list[ArchiveIncident]:
    """Read an archive file. Raises ArchiveError (every bad line) or OSError."""
    with path.open("rb") as lines:
        return parse_archive(lines, path.name)


def encode_incident(incident: ArchiveIncident) -> bytes:
    """One archive line without its line end; defaults are left out."""
    return _encode(incident)


def archive_lines(incidents: Iterable[ArchiveIncident]) -> Iterator[bytes]:
    """The lines of an archive, each with its line end."""
    for incident in incidents:
        yield encode_incident(incident) + b"\n"
