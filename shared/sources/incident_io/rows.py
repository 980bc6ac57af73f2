"""Incidents as rows of their contract: decode, validate, compute; what breaks the contract is rejected whole."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.contracts.incidents import INCIDENTS
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.incident_io import Stamp as CanonicalStamp
from shared.sources.family import ExtractionRange, Rejection, Rows
from shared.sources.incident_io.actors import kind_and_email
from shared.sources.incident_io.record import (
    KNOWN_FIELDS,
    FieldEntry,
    Incident,
    KnownIncident,
    RoleAssignment,
    Stamp,
)
from shared.sources.incident_io.times import incident_times
from shared.sources.record import EARLIEST, LATEST, MAX_RECORD_BYTES, Refused

COLUMNS = tuple(
    column.name for column in (*INCIDENTS.columns, *(INCIDENTS.column(n) for n in ("dq_valid", "dq_flags")))
)

_STAMPS: tuple[CanonicalStamp, ...] = ("impact_started_at", "detected_at", "responded_at", "fixed_at", "resolved_at")

_known_incident = msgspec.json.Decoder(KnownIncident)
_incident = msgspec.json.Decoder(Incident)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_surrogate = re.compile(rb"\\u[dD][89a-fA-F]").search


def incident_rows(settings: IncidentIoSettings, records: Sequence[bytes], extraction: ExtractionRange) -> Rows:
    """Records as columns; those last updated before the range are skipped, those that break the contract rejected."""
    own_names = [settings.timestamps.get(stamp) for stamp in _STAMPS]
    tuples: list[tuple[Any, ...]] = []
    rows = Rows(columns={}, count=0)
    for record in records:
        try:
            incident, payload, unknown = _decode(record)
            if incident.updated_at < extraction.start and not extraction.full:
                rows.skipped += 1
                continue
            tuples.append(_row(settings, own_names, incident, payload))
        except Refused as exc:
            rows.rejections.append(Rejection(exc.reason, exc.detail, bytes(record)))
            continue
        if rows.watermark is None or incident.updated_at > rows.watermark:
            rows.watermark = incident.updated_at
        rows.unknown.update(unknown)
    rows.count = len(tuples)
    rows.columns = dict(zip(COLUMNS, zip(*tuples, strict=True), strict=True)) if tuples else {}
    return rows


def _decode(record: bytes) -> tuple[Incident, str, Iterable[str]]:
    """The incident, its text, and the names of its fields that are not known."""
    if len(record) > MAX_RECORD_BYTES:
        raise Refused("too_large", f"{len(record)} bytes, at most {MAX_RECORD_BYTES} can be loaded")
    unknown: Iterable[str] = ()
    try:
        try:
            incident: Incident = _known_incident.decode(record)
        except msgspec.ValidationError:
            incident = _incident.decode(record)
            unknown = _fields.decode(record).keys() - KNOWN_FIELDS
        payload = str(record, "utf-8")
        if _surrogate(record):
            _anything.decode(record)  # a lone one hides in text that the struct leaves undecoded
    except msgspec.ValidationError as exc:
        raise Refused("wrong_type", str(exc)) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Refused("not_json", str(exc)) from exc
    except RecursionError as exc:
        raise Refused("too_deep", "nested deeper than the decoder goes") from exc
    return incident, payload, unknown


def _row(
    settings: IncidentIoSettings, own_names: Sequence[str | None], incident: Incident, payload: str
) -> tuple[Any, ...]:
    stamps = _stamps(incident.incident_timestamp_values)
    _check_plausible("created_at", incident.created_at)
    _check_plausible("updated_at", incident.updated_at)
    _check_plausible("last_activity_at", incident.last_activity_at)
    impact_started, detected, responded, fixed, resolved = map(stamps.get, own_names)
    times = incident_times(incident.created_at, impact_started, detected, fixed, resolved)
    severity, status = incident.severity, incident.incident_status
    creator_kind, creator_email = kind_and_email(incident.creator)
    return (
        settings.workspace,
        incident.id,
        incident.reference,
        incident.name,
        incident.summary,
        incident.visibility,
        incident.mode,
        status.id,
        status.name,
        status.category,
        severity.id if severity else None,
        severity.name if severity else None,
        severity.rank if severity else None,
        incident.incident_type.name if incident.incident_type else None,
        creator_kind,
        creator_email,
        _lead_email(incident.incident_role_assignments),
        incident.permalink,
        incident.has_debrief,
        incident.workload_minutes_total,
        incident.workload_minutes_working,
        incident.workload_minutes_late,
        incident.workload_minutes_sleeping,
        incident.created_at,
        incident.updated_at,
        incident.last_activity_at,
        impact_started,
        detected,
        responded,
        fixed,
        resolved,
        times.ttd_sec,
        times.ttr_sec,
        times.tts_sec,
        times.impact_duration_sec,
        str(_encode(stamps), "utf-8"),
        _services(incident.custom_field_entries, settings.affected_services_field),
        payload,
        not times.flags,
        str(_encode(times.flags), "utf-8") if times.flags else "[]",
    )


def _stamps(values: list[Stamp] | None) -> dict[str | None, datetime]:
    stamps: dict[str | None, datetime] = {}
    for stamp in values or ():
        if stamp.value is not None and (instant := stamp.value.value) is not None:
            name = stamp.incident_timestamp.name
            # checked first: the calendar's first and last day may have no name in UTC
            _check_plausible(name, instant)
            stamps[name] = instant.astimezone(UTC)
    return stamps


def _check_plausible(name: str, instant: datetime | None) -> None:
    if instant is not None and not EARLIEST <= instant < LATEST:
        raise Refused("implausible_instant", f"{name} is {instant.isoformat()}")


def _lead_email(assignments: list[RoleAssignment]) -> str | None:
    for assignment in assignments:
        if assignment.role.role_type == "lead" and assignment.assignee is not None:
            return assignment.assignee.email
    return None


def _services(entries: list[FieldEntry], field: str | None) -> str:
    services = []
    for entry in entries:
        if entry.custom_field.id == field:
            for value in entry.values:
                reference = value.value_catalog_entry or value.value_option
                if reference is not None:
                    services.append({"id": reference.id, "name": reference.name or reference.value})
    return str(_encode(services), "utf-8") if services else "[]"
