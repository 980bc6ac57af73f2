"""What the double tells by webhook, how it is signed, and how badly it is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.events import Event, events_between
from local.sources.incident_io.generator import generate
from local.sources.incident_io.store import WorkspaceStore
from local.sources.incident_io.webhooks import WebhookSender, WebhookTarget, deliveries, message_of, signature

START, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 15, tzinfo=UTC)
ARCHIVE = list(generate(13, START, NOW, per_day=8, deleted=0.1))
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()


def store_at(now: datetime) -> WorkspaceStore:
    return IncidentIoDouble(ARCHIVE, {"key": "companya"}, now).desks["companya"].store


def told() -> list[Event]:
    return events_between(store_at(NOW), START, NOW)


def test_the_signature_is_that_of_the_specification() -> None:
    """An example that is computed here from the rule alone; a secret of another form is refused."""
    key = b"a secret of the tests"
    right = base64.b64encode(hmac.new(key, b"msg_1.1700000000." + b'{"a": 1}', hashlib.sha256).digest()).decode()
    assert signature(SECRET, "msg_1", 1_700_000_000, b'{"a": 1}') == f"v1,{right}"
    for bad in ("", "whsec_", "abc"):
        with pytest.raises(ValueError, match="begins with whsec_"):
            signature(bad, "msg_1", 1, b"")


def test_every_kind_of_change_is_told_under_its_own_name() -> None:
    """Follow-ups in two versions, a new status beside the update, private ones by id alone."""
    kinds = Counter(event.event_type for event in told())
    for happened in ("incident_created_v2", "incident_updated_v2", "follow_up_created_v1", "follow_up_updated_v2"):
        assert kinds[f"public_incident.{happened}"], happened
    for scope in ("public_incident", "private_incident"):
        for happened in ("follow_up_created", "follow_up_updated"):
            assert kinds[f"{scope}.{happened}_v1"] == kinds[f"{scope}.{happened}_v2"]
    assert kinds["public_incident.incident_status_updated_v2"]
    assert not kinds["private_incident.incident_status_updated_v2"], "the vendor has no such event"
    private = [event for event in told() if event.event_type.startswith("private_")]
    assert private
    for event in private:
        assert event.payload == {"id": event.subject}
    for event in told():
        assert set(event.body) == {"event_type", event.event_type}


def test_what_is_told_last_is_what_the_lists_show() -> None:
    """Nothing changes untold: the newest event of every incident and follow-up is its state; deletions are not told."""
    now = NOW - timedelta(days=3)
    store = store_at(now)
    newest = {e.subject: e for e in events_between(store, START, now) if e.event_type.endswith("created_v2")}
    newest |= {e.subject: e for e in events_between(store, START, now) if e.event_type.endswith("updated_v2")}
    seen = 0
    for shown in store.visible():
        event = newest[shown.incident.id]
        if event.event_type.startswith("public_incident.incident_"):
            if "status_updated" not in event.event_type:
                assert event.payload["updated_at"] <= json.loads(shown.json)["updated_at"]
            seen += 1
    assert seen > 50
    gone = [i for i in store.known() if i.archived.deleted_at is not None and i.archived.deleted_at <= now]
    assert gone
    for incident in gone:
        assert store.find(incident.id) is None
        assert store.find(str(incident.number)) is None
        ended = incident.archived.deleted_at
        assert ended is not None
        assert not [e for e in events_between(store, ended, NOW) if e.subject == incident.id]


def test_intervals_side_by_side_tell_what_the_whole_tells() -> None:
    """Also where an end falls onto a change."""
    store = store_at(NOW)
    cuts = [START, *sorted({e.at for e in told() if "incident.incident_" in e.event_type})[::50], NOW]
    pieces = [e for a, b in itertools.pairwise(cuts) for e in events_between(store, a, b)]
    for kind in (
        "incident_created_v2",
        "incident_updated_v2",
        "incident_status_updated_v2",
        "follow_up_created_v1",
        "follow_up_updated_v2",
    ):
        one, many = ([e.subject for e in es if e.event_type.endswith(kind)] for es in (told(), pieces))
        assert sorted(one) == sorted(many), kind


def test_deliveries_are_unordered_and_some_come_twice_under_the_same_id() -> None:
    """The same in every run; nothing is left out."""
    store = store_at(NOW)
    sent = deliveries(store, START, NOW, seed=7)
    assert sent == deliveries(store, START, NOW, seed=7)
    ids = Counter(message.webhook_id for message in sent)
    assert ids.keys() == {message_of("companya", event).webhook_id for event in told()}
    assert set(ids.values()) == {1, 2}
    in_order = [message_of("companya", event).webhook_id for event in told()]
    assert [message.webhook_id for message in sent][: len(in_order)] != in_order


Taken = list[tuple[str, dict[str, str], bytes]]


@pytest.fixture
def taker() -> Iterator[tuple[str, Taken]]:
    taken: Taken = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/incident-io", taken
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_clock_that_moves_tells_what_changed_meanwhile(taker: tuple[str, Taken]) -> None:
    """Signed for the workspace's own path; a leap through history tells nothing."""
    url, taken = taker
    double = IncidentIoDouble(ARCHIVE, {"key": "companya"}, START)
    store = double.desks["companya"].store
    sender = WebhookSender(WebhookTarget(url, {"companya": SECRET}), [store], double.now, seed=7)
    double.clock.watch(sender.moved)
    then = START + timedelta(days=30)
    double.now = then
    double.now = then + timedelta(hours=6)
    sender.drain()
    expected = {message_of("companya", e).webhook_id for e in events_between(store, then, then + timedelta(hours=6))}
    assert expected
    assert {headers["webhook-id"] for _, headers, _ in taken} == expected
    for path, headers, body in taken:
        assert path == "/incident-io/companya"
        seconds = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(SECRET, headers["webhook-id"], seconds, body)
        assert json.loads(body)["event_type"] in json.loads(body)


def test_nobody_who_listens_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, without the secret."""
    double = IncidentIoDouble(ARCHIVE, {"key": "companya"}, START + timedelta(days=30))
    target = WebhookTarget("http://127.0.0.1:9", {"companya": SECRET})
    sender = WebhookSender(target, [double.desks["companya"].store], double.now, seed=7)
    sender.moved(double.now + timedelta(hours=6))
    sender.drain()
    said = capsys.readouterr().err
    assert "webhooks of companya" in said
    assert SECRET not in said + repr(target)
