"""The flows over a frozen listing: every event and every object once, from wherever an extraction goes on."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.memory import MemoryCloud
from shared.errors import ConfigurationError, StorageUnavailable
from shared.extract.pages import PageRequest, SpoolRequest
from shared.extract.sender import UnusableBody
from shared.extract.spooled import spooled_page
from shared.ports import HttpResponse, Spool
from shared.registry.model import Source
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io_events import listed
from shared.spool import SpooledEvent, WaitingEvent
from tests.support.incident_io import response
from tests.support.incidents import encoded, incident, with_raw_field
from tests.support.world import at, stream_registry_of

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
FAMILY = FAMILIES["incident_io_events"]
KNOWN = stream_registry_of("alpha")
UPDATED, FOLLOWED = "public_incident.incident_updated_v2", "public_incident.follow_up_updated_v2"
Told = list[tuple[str, str]]
"""Event type and the id that the event tells, of each event."""


def _source(entity: str) -> Source:
    return KNOWN.source(f"incident_io_alpha_{entity}")


def _spooled(told: Told) -> tuple[Spool, ExtractionRange]:
    """A spool that holds these events, and a range that lists them."""
    bucket = MemoryCloud().bucket("spool")
    waiting = []
    for number, (event_type, told_id) in enumerate(told):
        event = SpooledEvent("alpha", f"msg_{number}", event_type, NOW)
        body = json.dumps({"event_type": event_type, event_type: {"id": told_id}}).encode()
        stored = bucket.create(event.object_name, body, owner="me", metadata=event.to_mapping()).object
        waiting.append(WaitingEvent(event, stored.generation, stored.size))
    return bucket, ExtractionRange(NOW, NOW, full=True, events=tuple(waiting))


def _walk(
    entity: str,
    spool: Spool,
    extraction: ExtractionRange,
    answers: Mapping[str, HttpResponse] | None = None,
    resume: str = "",
) -> tuple[list[PageRequest | SpoolRequest], list[RawPage]]:
    """Every request of a flow, and its pages."""
    source, requests, pages = _source(entity), [], []
    flow = FAMILY.pages(source, extraction, resume)
    request = next(flow, None)
    while request is not None:
        requests.append(request)
        if isinstance(request, SpoolRequest):
            page = spooled_page(spool, request)
        else:
            updates = request.path == "/v2/incident_updates"
            default = response(200, {"incident_updates": []}) if updates else response(404, {"type": "not_found"})
            page = FAMILY.split(source, request, (answers or {}).get(request.path, default))
        pages.append(page)
        try:
            request = flow.send(page.seen)
        except StopIteration:
            request = None
    return requests, pages


def _asked(requests: list[PageRequest | SpoolRequest]) -> list[str]:
    return [request.path for request in requests if isinstance(request, PageRequest)]


def _small_pages(monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    monkeypatch.setattr(listed, "EVENTS_A_PAGE", events)


def test_an_empty_listing_asks_for_nothing() -> None:
    """Neither the spool nor the vendor."""
    spool, extraction = _spooled([])
    for entity in ("events", "incident_changes", "follow_up_changes", "update_changes"):
        assert _walk(entity, spool, extraction) == ([], [])


def test_only_bodies_that_matter_are_read_and_each_object_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two messages of one change, one of another, and many that are none of this source's business."""
    _small_pages(monkeypatch, 2)
    told = [(UPDATED, "A"), ("schedule.created_v1", "S"), (UPDATED, "A"), (FOLLOWED, "F"), ("", ""), (UPDATED, "B")]
    spool, extraction = _spooled([*told, (UPDATED, "A")])
    requests, _ = _walk("incident_changes", spool, extraction)
    read = [w.event.webhook_id for r in requests if isinstance(r, SpoolRequest) for w in r.events]
    assert read == ["msg_0", "msg_2", "msg_5", "msg_6"]
    assert _asked(requests) == ["/v2/incidents/A", "/v2/incidents/B"]
    requests, _ = _walk("follow_up_changes", spool, extraction)
    assert _asked(requests) == ["/v3/follow_ups/F"]
    requests, pages = _walk("events", spool, extraction)
    assert _asked(requests) == []
    assert [len(page.records) for page in pages] == [2, 2, 2, 1]


@given(
    st.lists(st.tuples(st.sampled_from([UPDATED, FOLLOWED, "unknown"]), st.sampled_from("ABCDE")), max_size=12),
    st.integers(1, 4),
    st.integers(1, 400),
)
def test_an_extraction_that_goes_on_anywhere_asks_for_what_is_left(told: Told, size: int, most_bytes: int) -> None:
    """At each resume: what comes is what came after it, but for what an earlier invocation asked for already."""
    spool, extraction = _spooled(told)
    before = listed.EVENTS_A_PAGE, listed.BYTES_A_PAGE
    listed.EVENTS_A_PAGE, listed.BYTES_A_PAGE = size, most_bytes
    try:
        for entity in ("incident_changes", "update_changes"):
            requests, _ = _walk(entity, spool, extraction)
            whole = [(request.path, request.query) for request in requests if isinstance(request, PageRequest)]
            wanted = {told_id for event_type, told_id in told if event_type == UPDATED}
            assert len(whole) == len(set(whole)) == len(wanted)
            for number, request in enumerate(requests):
                rest, _ = _walk(entity, spool, extraction, resume=request.resume)
                came = [(r.path, r.query) for r in rest if isinstance(r, PageRequest)]
                left = [(r.path, r.query) for r in requests[number:] if isinstance(r, PageRequest)]
                # what another page asked for before may be asked for again, nothing may be left out
                assert set(left) <= set(came) <= set(whole)
                assert len(came) == len(set(came))
        requests, pages = _walk("events", spool, extraction)
        assert sum(len(page.records) for page in pages) == len(told)
        for number, request in enumerate(requests):
            _, rest_of_pages = _walk("events", spool, extraction, resume=request.resume)
            assert rest_of_pages == pages[number:]
    finally:
        listed.EVENTS_A_PAGE, listed.BYTES_A_PAGE = before


@given(st.lists(st.tuples(st.just(UPDATED), st.sampled_from("ABCDEFG")), min_size=1, max_size=12), st.integers(1, 4))
def test_a_cut_between_scopes_always_gets_further(told: Told, size: int) -> None:
    """One scope an invocation, and still the end is reached: a page of events alone is no scope."""
    spool, extraction = _spooled(told)
    before, listed.EVENTS_A_PAGE = listed.EVENTS_A_PAGE, size
    try:
        resume: str | None = ""
        seen: list[str] = []
        for _ in range(3 * len(told) + 1):
            requests, _ = _walk("incident_changes", spool, extraction, resume=resume or "")
            own = [request for request in requests if request.scope == requests[0].scope]
            seen += _asked(own)
            following = requests[len(own) :]
            assert not following or following[0].resume != resume
            resume = following[0].resume if following else None
            if resume is None:
                break
        assert resume is None
        assert {path.rpartition("/")[2] for path in seen} == {told_id for _, told_id in told}
    finally:
        listed.EVENTS_A_PAGE = before


def test_pages_of_events_are_bounded_by_their_bodies() -> None:
    """However few events those are; one that is larger alone is read alone."""
    event = SpooledEvent("alpha", "m", UPDATED, NOW)
    mega = 1024 * 1024
    sizes = [3 * mega, 2 * mega, 9 * mega, 1, 1]
    events = tuple(WaitingEvent(event, number, size) for number, size in enumerate(sizes))
    assert len(listed.page_of(events, 0)) == 2
    assert len(listed.page_of(events, 2)) == 1
    assert len(listed.page_of(events, 3)) == 2
    assert len(listed.page_of(events * 100, 3)) <= listed.EVENTS_A_PAGE


def test_events_that_are_gone_are_left_out() -> None:
    """A window that listed them too was faster; what they were about is loaded."""
    spool, extraction = _spooled([(UPDATED, "A"), (UPDATED, "B")])
    spool.delete_each([extraction.events[0].version])
    requests, _ = _walk("incident_changes", spool, extraction)
    assert _asked(requests) == ["/v2/incidents/B"]
    _, pages = _walk("events", spool, extraction)
    assert [event.webhook_id for event in pages[0].context["events"]] == ["msg_1"]


def test_a_spool_that_fails_is_no_empty_one() -> None:
    """The message comes again."""
    cloud = MemoryCloud()
    cloud.faults.before.append(("read", "alpha/", StorageUnavailable("503")))
    _, extraction = _spooled([(UPDATED, "A")])
    with pytest.raises(StorageUnavailable):
        spooled_page(cloud.bucket("spool"), SpoolRequest(extraction.events))


def _rows(entity: str, told: Told, answers: Mapping[str, HttpResponse]) -> Rows:
    spool, extraction = _spooled(told)
    _, pages = _walk(entity, spool, extraction, answers)
    return FAMILY.rows(_source(entity), pages, ("0:0",), extraction)


def _shown(record: bytes) -> HttpResponse:
    return response(200, b'{"incident": ' + record + b"}")


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_object_that_is_not_there_is_no_row_and_no_error(status: int) -> None:
    """Deleted, or not to be seen by this key, or no id at all: the census decides about deletion."""
    rows = _rows("incident_changes", [(UPDATED, "A")], {"/v2/incidents/A": response(status, {"type": "not_found"})})
    assert (rows.count, rows.rejections, rows.scopes) == (0, [], ())


@pytest.mark.parametrize("body", [b"<html>Not found</html>", b"", b"[]", b'{"message": "no route"}'])
def test_a_404_of_somebody_else_is_no_answer(body: bytes) -> None:
    """A front end's page says nothing of the incident: it is tried again."""
    with pytest.raises(UnusableBody):
        _rows("incident_changes", [(UPDATED, "A")], {"/v2/incidents/A": response(404, body)})


@pytest.mark.parametrize("body", [b'{"incident": {"id": "A"', b'{"incidents": []}', b"null", b"{}", b'{"incident": }'])
def test_a_body_that_is_no_object_is_no_answer(body: bytes) -> None:
    """Cut short, or of another shape."""
    with pytest.raises(UnusableBody):
        _rows("incident_changes", [(UPDATED, "A")], {"/v2/incidents/A": response(200, body)})


@pytest.mark.parametrize("value", [b"NaN", b"[" * 3000 + b"]" * 3000, b'"\\ud800"'])
def test_an_incident_that_cannot_be_read_is_rejected_and_stops_nothing(value: bytes) -> None:
    """Else one poisoned incident would hold its workspace's events for ever."""
    record = with_raw_field(incident("A", at(5)), "surprise", value)
    rows = _rows("incident_changes", [(UPDATED, "A")], {"/v2/incidents/A": _shown(record)})
    assert rows.count == 0
    assert [rejection.record for rejection in rows.rejections] == [record]


@pytest.mark.parametrize(("mode", "count"), [("standard", 1), ("retrospective", 1), ("test", 0), ("tutorial", 0)])
def test_incidents_of_modes_that_are_not_polled_are_left_out(mode: str, count: int) -> None:
    """Whatever their age: an event may be about an old incident."""
    rows = _rows(
        "incident_changes", [(UPDATED, "A")], {"/v2/incidents/A": _shown(encoded(incident("A", at(-9999), mode=mode)))}
    )
    assert (rows.count, rows.skipped, rows.rejections) == (count, 1 - count, [])


def _follow_up(**changes: Any) -> dict[str, Any]:
    return {
        "id": "F",
        "incident_id": "A",
        "title": "Cache it",
        "status": "outstanding",
        "labels": [],
        "creator": {"user": {"id": "U", "name": "Ada", "email": "ada@example.com"}},
        "created_at": "2026-11-20T07:00:00Z",
        "updated_at": "2026-11-20T07:30:00Z",
        **changes,
    }


@pytest.mark.parametrize(("mode", "count"), [("standard", 1), ("test", 0), (None, 0)])
def test_a_follow_up_has_the_mode_of_its_incident(mode: str | None, count: int) -> None:
    """One whose incident is not to be seen would not be listed either."""
    answers = {"/v3/follow_ups/F": response(200, {"follow_up": _follow_up()})}
    if mode is not None:
        answers["/v2/incidents/A"] = _shown(encoded(incident("A", at(5), mode=mode)))
    rows = _rows("follow_up_changes", [(FOLLOWED, "F")], answers)
    assert (rows.count, rows.skipped, rows.rejections) == (count, 1 - count, [])


def test_a_follow_up_without_an_incident_is_rejected() -> None:
    """It breaks its contract; nothing else is asked for."""
    answers = {"/v3/follow_ups/F": response(200, {"follow_up": {"id": "F"}})}
    rows = _rows("follow_up_changes", [(FOLLOWED, "F")], answers)
    assert (rows.count, len(rows.rejections)) == (0, 1)


def test_updates_of_something_that_is_no_incident_are_none() -> None:
    """An id that the vendor refuses must not hold its workspace's events for ever."""
    rows = _rows(
        "update_changes", [(UPDATED, "A")], {"/v2/incident_updates": response(422, {"type": "validation_error"})}
    )
    assert (rows.count, rows.rejections, rows.scopes) == (0, [], ())
    with pytest.raises(UnusableBody):
        _rows("update_changes", [(UPDATED, "A")], {"/v2/incident_updates": response(422, b"<html>")})


def test_the_events_source_has_no_answers_to_cut() -> None:
    """It asks the vendor for nothing; whoever calls it so has wired it wrongly."""
    with pytest.raises(ConfigurationError, match="spool"):
        FAMILY.split(_source("events"), PageRequest("/"), response(200, {}))
