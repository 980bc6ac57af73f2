"""A workspace's stream through the real functions: spooled events become parts, rows, and an empty spool."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.ports import StoredObject
from shared.registry import registry
from shared.spool import SpooledEvent
from shared.windows.window import Window
from tests.functions.envelopes import finalised, message, pushed
from tests.functions.platform import LANDING, Platform
from tests.functions.vendor import Vendor, incident

pytestmark = pytest.mark.emulated
END = datetime(2026, 11, 2, 12, 5, tzinfo=UTC)
WINDOW = Window("ops_incidents_stream", END - timedelta(minutes=5), END)
UPDATED = "public_incident.incident_updated_v2"


def receive(platform: Platform, webhook_id: str, event_type: str, body: bytes) -> None:
    """Spool an event of companya."""
    event = SpooledEvent("companya", webhook_id, event_type, END)
    platform.spool.create(event.object_name, body, owner="test", metadata=event.to_mapping())


def of_window(platform: Platform, source: str) -> list[StoredObject]:
    return list(platform.landing.list(f"landing/{source}/{WINDOW.id}/"))


def test_events_become_rows_and_leave_the_spool(platform: Platform, vendor: Vendor) -> None:
    vendor.incidents = [incident("stream-1", END)]
    told = json.dumps({"event_type": UPDATED, UPDATED: {"id": "stream-1"}}).encode()
    receive(platform, "msg_1", UPDATED, told)
    receive(platform, "msg_2", UPDATED, told.replace(b"stream-1", b"nobody"))
    receive(platform, "msg_3", "", b"\xff no JSON \x01")
    receive(platform, "msg_4", UPDATED, b'{"a": 1, "a": ' + b"[" * 2000 + b"]" * 2000 + b"}")
    enabled = registry().enabled("ops_incidents_stream")
    for source in enabled:
        asked = message({"v": "1", "source": source.name, "window": WINDOW.interval})
        assert platform.deliver("extract", pushed(asked, source.topic)).status == 200
    waiting = {source.name: of_window(platform, source.name) for source in enabled}
    assert {name: sum(int(stored.metadata["rows"]) for stored in found) for name, found in waiting.items()} == {
        **dict.fromkeys(waiting, 0),
        "incident_io_companya_events": 4,
        "incident_io_companya_incident_changes": 1,
    }
    assert len(list(platform.spool.list("companya/"))) == 4
    for stored in (stored for found in waiting.values() for stored in found):
        assert platform.deliver("load", pushed(finalised(LANDING, stored))).status == 200
    assert list(platform.spool.list("companya/")) == []
    assert [row["_SOURCE"] for row in platform.rows("INCIDENT_ID = 'stream-1'")] == [
        "incident_io_companya_incident_changes"
    ]
    events = platform.stack.sql("SELECT * FROM RAW.PUBLIC.FACT_INCIDENT_EVENTS ORDER BY WEBHOOK_ID")
    assert [row["WEBHOOK_ID"] for row in events] == ["msg_1", "msg_2", "msg_3", "msg_4"]
    assert [row["DQ_VALID"] for row in events] == [True, True, False, False]
    assert json.loads(events[0]["PAYLOAD"]) == json.loads(told)
