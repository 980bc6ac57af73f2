"""Envelopes that are none, and messages that do not say what to do."""

import json
from typing import Any

import httpx
import pytest

from tests.functions.envelopes import PROJECT, Envelope, binary, message, pushed
from tests.functions.platform import FUNCTIONS, Platform
from tests.functions.vendor import Vendor

pytestmark = pytest.mark.emulated
JSON = {"content-type": "application/json"}
SOURCE = "incident_io_companya_incidents"

NO_EVENTS = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe{}",
    "a number": b"7",
    "a list": b"[1]",
    "null": b"null",
    "an empty object": b"{}",
    "no message": b'{"subscription": "projects/p/subscriptions/s"}',
    "a message without data": b'{"subscription": "projects/p/subscriptions/s", "message": {"messageId": "1"}}',
    "a message without an id": b'{"subscription": "projects/p/subscriptions/s", "message": {"data": "e30="}}',
}


@pytest.mark.parametrize("body", NO_EVENTS.values(), ids=NO_EVENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_event_is_refused_by_the_framework(platform: Platform, function: str, body: bytes) -> None:
    """No message of ours can look like this; nothing runs and nothing is kept."""
    before = set(platform.quarantined())
    outcome = platform.deliver(function, Envelope(body, JSON, ""))
    assert 400 <= outcome.status < 600
    assert outcome.lines == []
    assert set(platform.quarantined()) == before


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_posts_are_taken(platform: Platform, function: str) -> None:
    assert httpx.get(f"http://127.0.0.1:{platform.ports[function]}/").status_code == 405


def _refused(platform: Platform, function: str, envelope: Envelope, error: str) -> dict[str, Any]:
    """The line of a delivery that was acknowledged as one that cannot work, and is kept whole."""
    outcome = platform.deliver(function, envelope)
    assert outcome.status == 200, outcome.text
    note = platform.note_of(envelope)
    assert note is not None
    assert note["reason"].startswith(f"{error}: ")
    event = "message.malformed" if error == "MalformedMessage" else "run.failed"
    line = outcome.line(event)
    assert (line["severity"], line["kind"], line["error"]) == ("ERROR", "permanent", error)
    assert note["reason"] == f"{error}: {line['message']}"
    assert len(line["run_id"]) == 32
    return line


def _kept(platform: Platform, envelope: Envelope) -> Any:
    note = platform.note_of(envelope)
    assert note is not None
    return note["message"]["data"]["message"]


@pytest.mark.parametrize("wrap", [pushed, binary])
@pytest.mark.parametrize("function", ["extract", "load"])
def test_a_message_without_attributes(platform: Platform, function: str, wrap: Any) -> None:
    inner = message(None, b"{}")
    envelope = wrap(inner)
    _refused(platform, function, envelope, "MalformedMessage")
    assert _kept(platform, envelope)["data"] == inner["data"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("data", ["not base64!", "YWJ", "größe", "====", 7, ["e30="], {"a": 1}])
def test_data_that_is_not_base64(platform: Platform, function: str, data: Any) -> None:
    _refused(platform, function, pushed({**message({"source": SOURCE}), "data": data}), "MalformedMessage")


@pytest.mark.parametrize("attributes", ["text", ["a"], 7])
def test_attributes_that_are_no_mapping(platform: Platform, attributes: Any) -> None:
    _refused(platform, "extract", pushed({**message(), "attributes": attributes}), "MalformedMessage")


@pytest.mark.parametrize("published", ["yesterday", "2026-11-20T07:00:00", "0001-01-01T00:00:00+23:00", 7])
def test_an_impossible_time_of_publication(platform: Platform, published: Any) -> None:
    _refused(platform, "extract", pushed({**message({"source": SOURCE}), "publishTime": published}), "MalformedMessage")


@pytest.mark.parametrize(
    "source",
    [
        "unknown",
        "incident_io_companya_incidents'; DROP TABLE x; --",
        'incident_io_companya_incidents"',
        "../incident_io_companya_incidents",
        "incident_io_companya_incidents/../x",
        "incident_io_соmpanya_incidents",  # noqa: RUF001 - Cyrillic look-alikes
        "INCIDENT_IO_COMPANYA_INCIDENTS",
        " incident_io_companya_incidents",
        "incident_io_companya_incidents\n",
        "incident_io_companya_incidents\u200b",
        "\ud800",
        "x" * 5000,
    ],
)
def test_a_source_that_the_registry_does_not_know(platform: Platform, source: str) -> None:
    envelope = pushed(message({"v": "1", "source": source}))
    _refused(platform, "extract", envelope, "UnknownSource")
    assert _kept(platform, envelope)["attributes"]["source"] == source


@pytest.mark.parametrize(
    "window",
    [
        "now",
        "/",
        "2026-11-20T07:00:00Z",
        "20261120T0700Z",
        "2026-11-20T07:00:00Z/2026-11-20T06:00:00Z",
        "2026-11-20T07:00:00Z/2026-11-20T07:00:00Z",
        "2026-11-20T06:00:00Z/2026-11-20T07:00:30Z",
        "2026-11-20T06:00:00/2026-11-20T07:00:00",
        "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z/2026-11-20T08:00:00Z",
        "0001-01-01T00:00:00+23:00/2026-11-20T07:00:00Z",
        "2026-11-20T06:00:00Z/9999-12-31T23:59:00-23:00",
        "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z'; --",
    ],
)
def test_a_window_that_is_none(platform: Platform, window: str) -> None:
    line = _refused(platform, "extract", pushed(message({"source": SOURCE, "window": window})), "MalformedMessage")
    assert SOURCE in line["message"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"revision": "-1"},
        {"revision": "one"},
        {"revision": "1.5"},
        {"revision": ""},
        {"revision": "9" * 5000},
        {"part": "-1"},
        {"part": "100000"},
        {"not_before": "soon"},
        {"not_before": "2026-11-20T07:00:00"},
        {"v": "2"},
        {"source": ""},
    ],
    ids=repr,
)
def test_attributes_that_cannot_be_used(platform: Platform, attributes: dict[str, str]) -> None:
    _refused(platform, "extract", pushed(message({"source": SOURCE, **attributes})), "MalformedMessage")


@pytest.mark.parametrize("event_type", ["OBJECT_DELETE", "OBJECT_METADATA_UPDATE", "object_finalize", "", None])
def test_a_notification_of_something_else(platform: Platform, event_type: str | None) -> None:
    attributes = {"bucketId": "b", **({} if event_type is None else {"eventType": event_type})}
    _refused(platform, "load", pushed(message(attributes, b'{"name": "a"}')), "MalformedMessage")


@pytest.mark.parametrize(
    "data",
    [
        b"no JSON",
        b"\xff",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"bucket": "b", "name": "n"}',
        b'{"bucket": "b", "name": "n", "generation": "first"}',
        b'{"bucket": "b", "name": "n", "generation": 1e400}',
        b'{"bucket": "b", "name": "n", "generation": "1", "metadata": ["a"]}',
        b"[" * 20_000,
    ],
    ids=repr,
)
def test_a_notification_that_describes_no_object(platform: Platform, data: bytes) -> None:
    _refused(platform, "load", pushed(message({"eventType": "OBJECT_FINALIZE"}, data)), "MalformedMessage")


def test_a_message_that_comes_again_is_kept_once(platform: Platform) -> None:
    envelope = pushed(message({"source": "unknown"}))
    for _ in range(3):
        assert platform.deliver("extract", envelope).status == 200
    assert [n["subject"] for n in platform.quarantined("messages/").values()].count(envelope.message_id) == 1


def test_while_quarantine_is_out_of_reach_nothing_is_acknowledged(platform: Platform) -> None:
    """A message is acknowledged when its place in quarantine is durable, not before."""
    envelope = pushed(message({"source": "unknown"}))
    platform.stack.storage_faults(
        {"action": "error", "status": 400, "path_contains": "/upload/", "name_contains": "messages/", "times": None}
    )
    try:
        assert platform.deliver("extract", envelope).status == 503
    finally:
        platform.stack.storage_faults()
    assert platform.note_of(envelope) is None
    assert platform.deliver("extract", envelope).status == 200
    assert platform.note_of(envelope) is not None


@pytest.mark.parametrize("header", ["", "/", "no-trace/1;o=1", "<script>/1", "größe/1"])
def test_a_trace_header_that_is_none_leaves_the_field_out(platform: Platform, vendor: Vendor, header: str) -> None:
    log = platform.functions.supervisor.log_path("extract")
    start = log.stat().st_size
    envelope = pushed(message({"source": "unknown"}))
    answer = httpx.post(
        f"http://127.0.0.1:{platform.ports['extract']}/projects/{PROJECT}/topics/t",
        content=envelope.body,
        headers=[(b"content-type", b"application/json"), (b"X-Cloud-Trace-Context", header.encode())],
    )
    assert answer.status_code == 200
    (line,) = [json.loads(text) for text in log.read_text()[start:].splitlines() if text.startswith("{")]
    assert line["event"] == "run.failed"
    assert "logging.googleapis.com/trace" not in line
