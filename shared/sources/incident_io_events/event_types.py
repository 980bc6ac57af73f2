"""Every event type of the vendor's: what it is about, and what is fetched because of it.

An event is a nudge: events come in any order and twice, so the object itself is asked for. Those of private incidents
hold nothing but the id of what changed. An event that tells only what nobody reads yet (alerts, say) is kept, no more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from shared.spool import SpooledEvent

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventType:
    """Where the payload has the ids of what it is about, and which contracts' objects are fetched by them."""

    incident: Path = ()
    follow_up: Path = ()
    fetches: frozenset[str] = frozenset()


INCIDENT_WITH_UPDATES = frozenset({"incidents", "incident_updates"})

_INCIDENT = EventType(incident=("id",), fetches=INCIDENT_WITH_UPDATES)
_STATUS = EventType(incident=("incident", "id"), fetches=INCIDENT_WITH_UPDATES)
_FOLLOW_UP = EventType(incident=("incident_id",), follow_up=("id",), fetches=frozenset({"follow_ups"}))
_PRIVATE_FOLLOW_UP = EventType(follow_up=("id",), fetches=frozenset({"follow_ups"}))
_ACTION = EventType(incident=("incident_id",))
_POSTMORTEM = EventType(incident=("postmortem_document", "incident_id"), fetches=frozenset({"incidents"}))
# who may see an incident has changed, perhaps also whether our key may
_MEMBERSHIP = EventType(incident=("incident_id",), fetches=frozenset({"incidents"}))
_KEPT_ONLY = EventType()

EVENT_TYPES: Mapping[str, EventType] = {
    "public_incident.incident_created_v2": _INCIDENT,
    "public_incident.incident_updated_v2": _INCIDENT,
    "public_incident.incident_status_updated_v2": _STATUS,
    "public_incident.follow_up_created_v1": _FOLLOW_UP,
    "public_incident.follow_up_created_v2": _FOLLOW_UP,
    "public_incident.follow_up_updated_v1": _FOLLOW_UP,
    "public_incident.follow_up_updated_v2": _FOLLOW_UP,
    "public_incident.action_created_v1": _ACTION,
    "public_incident.action_updated_v1": _ACTION,
    "public_incident.postmortem_document_status_updated_v1": _POSTMORTEM,
    "public_alert.alert_created_v1": _KEPT_ONLY,
    "public_alert.alert_resolved_v1": _KEPT_ONLY,
    "public_escalation.escalation_created_v1": _KEPT_ONLY,
    "public_escalation.escalation_status_updated_v1": _KEPT_ONLY,
    "private_incident.incident_created_v2": _INCIDENT,
    "private_incident.incident_updated_v2": _INCIDENT,
    "private_incident.follow_up_created_v1": _PRIVATE_FOLLOW_UP,
    "private_incident.follow_up_created_v2": _PRIVATE_FOLLOW_UP,
    "private_incident.follow_up_updated_v1": _PRIVATE_FOLLOW_UP,
    "private_incident.follow_up_updated_v2": _PRIVATE_FOLLOW_UP,
    "private_incident.action_created_v1": _KEPT_ONLY,
    "private_incident.action_updated_v1": _KEPT_ONLY,
    "private_incident.postmortem_document_status_updated_v1": _KEPT_ONLY,
    "private_incident.membership_granted_v1": _MEMBERSHIP,
    "private_incident.membership_revoked_v1": _MEMBERSHIP,
    "private_alert.alert_created_v1": _KEPT_ONLY,
    "private_alert.alert_resolved_v1": _KEPT_ONLY,
    "private_escalation.escalation_created_v1": _KEPT_ONLY,
    "private_escalation.escalation_status_updated_v1": _KEPT_ONLY,
    "schedule.created_v1": _KEPT_ONLY,
    "schedule.updated_v1": _KEPT_ONLY,
    "schedule.deleted_v1": _KEPT_ONLY,
    "schedule.shift_change_v1": _KEPT_ONLY,
}
"""All 33 that the vendor's document names."""

_FETCHABLE = re.compile(r"[A-Za-z0-9._~-]{1,128}")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


def fetches(event_type: str, contract: str) -> bool:
    """Whether an event of this type makes us fetch objects of the contract."""
    known = EVENT_TYPES.get(event_type)
    return known is not None and contract in known.fetches


def payload_of(event_type: str, body: bytes) -> Mapping[str, msgspec.Raw] | None:
    """The fields of an event's payload, undecoded; None when the body is no event of that type that can be read."""
    return _inside(_decoded(body), event_type)


def id_at(payload: Mapping[str, msgspec.Raw] | None, path: Path) -> str | None:
    """The id at a path of the payload; None where there is none."""
    for key in path[:-1]:
        payload = _inside(payload, key)
    if payload is None or not path or path[-1] not in payload:
        return None
    try:
        return _text.decode(payload[path[-1]]) or None
    except (msgspec.DecodeError, RecursionError):
        return None


def is_object(body: bytes) -> bool:
    """Whether the body is a JSON object that can be read."""
    return _decoded(body) is not None


def ids_of(contract: str, event: SpooledEvent, body: bytes) -> Sequence[str]:
    """The ids by which objects of the contract are to be fetched because of this event: one, or none."""
    known = EVENT_TYPES.get(event.event_type)
    if known is None or contract not in known.fetches:
        return ()
    path = known.follow_up if contract == "follow_ups" else known.incident
    found = id_at(payload_of(event.event_type, body), path)
    return (found,) if found is not None and is_fetchable(found) else ()


def is_fetchable(object_id: str) -> bool:
    """Whether the id may stand in a path as it is: what would have to be escaped there is no id of this vendor's."""
    return _FETCHABLE.fullmatch(object_id) is not None and object_id.strip(".") != ""


def _decoded(body: bytes | msgspec.Raw) -> Mapping[str, msgspec.Raw] | None:
    try:
        return _object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _inside(fields: Mapping[str, msgspec.Raw] | None, key: str) -> Mapping[str, msgspec.Raw] | None:
    return None if fields is None or key not in fields else _decoded(fields[key])
