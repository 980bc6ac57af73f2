"""What each event type makes us fetch, and what is kept of events that nobody can read."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.incident_io_events.event_types import EVENT_TYPES, fetches, ids_of
from shared.sources.incident_io_events.events import event_rows
from shared.sources.record import MAX_RECORD_BYTES
from shared.spool import SpooledEvent

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
CONTRACTS = ("incidents", "incident_updates", "follow_ups")
FIXTURE = Path(__file__).parents[1] / "fixtures" / "incident_io_events" / "events.json"
BODIES = {event["event_type"]: event for event in json.loads(FIXTURE.read_text())}
UPDATED = "public_incident.incident_updated_v2"


def _event(event_type: str, webhook_id: str = "msg_1") -> SpooledEvent:
    return SpooledEvent("alpha", webhook_id, event_type, NOW)


def _ids(event_type: str, body: object) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = {contract: ids_of(contract, _event(event_type), data) for contract in CONTRACTS}
    return {contract: ids[0] for contract, ids in found.items() if ids}


def _row(event_type: str, body: bytes) -> dict[str, Any]:
    rows = event_rows([_event(event_type)], [body])
    assert rows.count == 1
    assert rows.rejections == []
    return {name: values[0] for name, values in rows.columns.items()}


def test_all_types_of_the_vendor_s_document_are_there() -> None:
    """33, each of them of one of the vendor's kinds."""
    assert len(EVENT_TYPES) == 33
    kinds = {name.partition(".")[0] for name in EVENT_TYPES}
    assert kinds == {
        *("public_incident", "private_incident", "public_alert", "private_alert"),
        *("public_escalation", "private_escalation", "schedule"),
    }
    for name, known in EVENT_TYPES.items():
        assert known.fetches <= set(CONTRACTS), name
        assert bool(known.follow_up) >= ("follow_ups" in known.fetches), name
        assert bool(known.incident) >= ("incidents" in known.fetches), name


INCIDENT, PRIVATE = "01FDAG4SAP5TYPT98WGR2N7W91", "01FDAG4SAP5TYPT98WGR2N7W92"
FETCHED = {
    "public_incident.incident_updated_v2": {"incidents": INCIDENT, "incident_updates": INCIDENT},
    "public_incident.incident_status_updated_v2": {"incidents": INCIDENT, "incident_updates": INCIDENT},
    "public_incident.follow_up_updated_v2": {"follow_ups": "01FCNDV6P870EA6S7TK1DSYDG0"},
    "public_incident.postmortem_document_status_updated_v1": {"incidents": INCIDENT},
    "private_incident.incident_updated_v2": {"incidents": PRIVATE, "incident_updates": PRIVATE},
    "private_incident.follow_up_created_v2": {"follow_ups": "01FCNDV6P870EA6S7TK1DSYDG1"},
    "private_incident.membership_granted_v1": {"incidents": PRIVATE},
    "public_alert.alert_created_v1": {},
}


@pytest.mark.parametrize("event_type", FETCHED)
def test_what_an_event_makes_us_fetch(event_type: str) -> None:
    """By the id where the vendor's document puts it; never an incident by a follow-up's id."""
    assert _ids(event_type, BODIES[event_type]) == FETCHED[event_type]
    assert {c for c in CONTRACTS if fetches(event_type, c)} == FETCHED[event_type].keys()


def test_both_versions_of_a_follow_up_s_event_ask_for_the_same_follow_up() -> None:
    """The vendor tells of each change twice."""
    for version in ("v1", "v2"):
        name = f"public_incident.follow_up_created_{version}"
        body = {"event_type": name, name: {"id": "F1", "incident_id": "I1", "follow_up": True}}
        assert _ids(name, body) == {"follow_ups": "F1"}


def test_an_unknown_type_fetches_nothing_and_is_kept() -> None:
    """The vendor adds types without notice."""
    body = {"event_type": "public_incident.renamed_v9", "public_incident.renamed_v9": {"id": "I1"}}
    assert _ids("public_incident.renamed_v9", body) == {}
    row = _row("public_incident.renamed_v9", json.dumps(body).encode())
    assert (row["event_type"], row["dq_flags"]) == ("public_incident.renamed_v9", '["unknown_event_type"]')
    assert json.loads(row["payload"]) == body


DEEP = b'{"event_type": "%b", "%b": ' % (UPDATED.encode(), UPDATED.encode()) + b"[" * 5000 + b"]" * 5000 + b"}"


@pytest.mark.parametrize(
    ("body", "flags"),
    [
        (b"", ["not_an_object", "no_id"]),
        (b"[1]", ["not_an_object", "no_id"]),
        (b'"text"', ["not_an_object", "no_id"]),
        (b"{", ["not_an_object", "no_id"]),
        (b"\xff\xfe{}", ["not_utf8", "not_an_object", "no_id"]),
        (b"{}", ["no_id"]),
        (DEEP, ["not_an_object", "no_id"]),
        (b'{"%b": {"id": 5}}' % UPDATED.encode(), ["no_id"]),
        (b'{"%b": {"id": null}}' % UPDATED.encode(), ["no_id"]),
        (b'{"%b": {"id": ""}}' % UPDATED.encode(), ["no_id"]),
        (b'{"%b": []}' % UPDATED.encode(), ["no_id"]),
        (b'{"%b": {"id": "a", "id": "I1"}}' % UPDATED.encode(), []),
    ],
)
def test_every_body_is_kept_and_what_is_odd_about_it_is_flagged(body: bytes, flags: list[str]) -> None:
    """Whole, and byte by byte where it is no text."""
    row = _row(UPDATED, body)
    assert json.loads(row["dq_flags"]) == flags
    assert row["dq_valid"] is (not flags)
    assert row["payload"].encode("latin-1" if "not_utf8" in flags else "utf-8") == body
    assert _ids(UPDATED, body) == ({"incidents": "I1", "incident_updates": "I1"} if not flags else {})


@pytest.mark.parametrize("hostile", ["a/b", "..", ".", "a?b=c", "a b", "é", "a#b", "%2e%2e", "x" * 129, "a\u0000"])
def test_an_id_that_would_be_another_path_is_not_asked_for(hostile: str) -> None:
    """The event is kept with it all the same."""
    body = {"event_type": UPDATED, UPDATED: {"id": hostile}}
    assert _ids(UPDATED, body) == {}
    assert _row(UPDATED, json.dumps(body).encode())["incident_id"] == hostile


def test_only_an_event_too_large_to_be_loaded_is_rejected() -> None:
    """It is in quarantine whole; the others of its page load."""
    body = b'{"a": "' + b"x" * MAX_RECORD_BYTES + b'"}'
    rows = event_rows([_event("", "m1"), _event("", "m2")], [body, b"{}"])
    assert [(r.reason, r.record) for r in rows.rejections] == [("too_large", body)]
    assert rows.columns["webhook_id"] == ("m2",)
    assert rows.columns["event_type"] == (None,)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.sampled_from(sorted(EVENT_TYPES)), st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_stops_the_drain(event_type: str, body: bytes) -> None:
    """Whatever is in it: one row, and ids that may stand in a path."""
    _row(event_type, body)
    for found in _ids(event_type, body).values():
        assert found.isascii()
        assert "/" not in found


@given(st.sampled_from(sorted(EVENT_TYPES)), JSON)
def test_no_payload_stops_the_drain(event_type: str, payload: object) -> None:
    """Also where the body is the type's own."""
    body = json.dumps({"event_type": event_type, event_type: payload}).encode()
    assert json.loads(_row(event_type, body)["payload"])["event_type"] == event_type
