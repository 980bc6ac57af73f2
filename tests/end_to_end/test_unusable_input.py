"""Messages, objects and records that nothing good can be done with: kept with their reason, and nobody else suffers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.scheduler import move_clock
from shared.messages import LANDED_TOPIC
from shared.quarantine import MESSAGES, OBJECTS, RECORDS, object_note
from shared.windows.watermark import read_watermark
from shared.windows.window import Window
from tests.end_to_end.running import HOUR, SOURCES, Running, canary_secrets, new_token, part

pytestmark = pytest.mark.usefixtures("unbuilt")

SOURCE = SOURCES["companya"]
TOPIC = "extract-inc-companya"


@pytest.mark.parametrize(
    ("topic", "attributes", "data", "error"),
    [
        (TOPIC, {"v": "1"}, b"{}", "MalformedMessage"),
        (TOPIC, {"v": "9", "source": SOURCE}, b"{}", "MalformedMessage"),
        (TOPIC, {"v": "1", "source": SOURCE, "window": "yesterday"}, b"{}", "MalformedMessage"),
        (TOPIC, {"v": "1", "source": "nobody"}, b"{}", "UnknownSource"),
        (LANDED_TOPIC, {"eventType": "OBJECT_FINALIZE"}, b"\xff not json", "MalformedMessage"),
        (LANDED_TOPIC, {"eventType": "OBJECT_DELETE"}, b"{}", "MalformedMessage"),
    ],
)
def test_a_message_that_says_nothing_useful(
    stack: Running, topic: str, attributes: dict[str, str], data: bytes, error: str
) -> None:
    """It is kept in quarantine with its reason, acknowledged, and alerts once."""
    before = _names(stack, MESSAGES)

    stack.publisher.publish(topic, attributes, data)

    stack.wait("quarantine", lambda: _names(stack, MESSAGES) - before)
    [name] = _names(stack, MESSAGES) - before
    note = _note(stack, name)
    assert note["reason"].startswith(error)
    assert note["message"]["data"]["message"].get("attributes") == attributes


def test_an_envelope_that_cannot_be_decoded(stack: Running) -> None:
    """What no push subscription would send is refused or kept in quarantine, and the function goes on."""
    url = f"http://127.0.0.1:{stack.addresses.load}/"
    for body in (b"{", b"[]", b'{"message": "text"}', b"\xff\xfe", b""):
        kept = _names(stack, MESSAGES)
        answer = httpx.post(url, content=body, headers={"content-type": "application/json"}, timeout=30)
        assert answer.status_code >= 400 or _names(stack, MESSAGES) > kept, body

    assert stack.run_window(stack.take_window())["status"] == "complete"


def test_a_message_that_fails_every_time_becomes_a_dead_letter(stack: Running) -> None:
    """The one that was sent when the stack began: after its last attempt it waits where a person finds it."""
    stack.wait("the dead letter", lambda: stack.dead_letters(TOPIC))

    assert [letter["source"] for letter in stack.dead_letters(TOPIC)] == ["x"]


def test_an_object_outside_the_layout(stack: Running) -> None:
    """A stranger's object is kept in quarantine with its reason, and never looked at again."""
    name = "landing/notes.txt"
    created = stack.landing.create(name, b"not ours", owner=new_token()).object

    note = object_note(name, created.generation)
    stack.wait("quarantine", lambda: note in _names(stack, OBJECTS))

    assert "outside the landing layout" in _note(stack, note)["reason"]
    kept = stack.quarantine.read(note.removesuffix(".json") + ".object")
    assert kept is not None
    assert kept[0] == b"not ours"


def test_an_object_whose_content_is_not_what_was_written(stack: Running) -> None:
    """The checksum in the metadata is another one: never loaded, kept, and not published again by the sweep."""
    window = stack.take_window()
    stack.run_window(window)
    name = part(SOURCE, window).object_name
    found, described = stack.landing.read(name), stack.landing.stat(name)
    assert found is not None
    assert described is not None
    forged = part(SOURCE, window, revision=9)
    metadata = {**described.metadata, "crc32c": "AAAAAA=="}

    created = stack.landing.create(forged.object_name, found[0], owner=new_token(), metadata=metadata).object

    note = object_note(forged.object_name, created.generation)
    stack.wait("quarantine", lambda: note in _names(stack, OBJECTS))
    assert "crc32c" in _note(stack, note)["reason"]
    stack.sweep()
    assert not stack.events("sweep", "sweep.object_republished", object=forged.object_name)
    assert stack.ledger_rows(forged) == 0
    assert set(stack.window_status(window)["sources"][SOURCE]["revisions"]) == {0}


def test_hostile_records_go_to_quarantine_and_the_rest_loads(stack: Running, canary: str) -> None:
    """Six records of a page that cannot be rows; what stands around them arrives, and the window completes."""
    hostile: dict[str, dict[str, Any]] = {
        "a wrong type": {"severity": "high"},
        "no key": {"id": None},
        "a lone surrogate": {"summary": {"$raw": '"\\ud800"'}},
        "the year 1": {"created_at": "0001-01-01T00:00:00Z"},
        "not a number": {"workload_minutes_total": {"$raw": "NaN"}},
        "10 MB of text": {"summary": {"$length": 10 * 1024 * 1024}},
    }
    window = stack.take_window()
    before = _names(stack, f"{RECORDS}{SOURCE}/")
    move_clock(stack.addresses, window.end)
    stack.source_faults({"action": "insert_rows", "workspace": "companya", "rows": len(hostile) + 2})
    key = canary_secrets(canary)["OPP_SECRET_INCIDENT_IO_COMPANYA"]
    there = _listed(stack, window, key)
    inserted = [
        i for i, record in enumerate(_listed(stack, window, key)) if record["id"] not in {r["id"] for r in there}
    ]
    assert len(inserted) == len(hostile) + 2
    *corrupted, good, better = inserted
    stack.source_faults(
        *(
            {"action": "corrupt_record", "workspace": "companya", "index": index, "record": record}
            for index, record in zip(corrupted, hostile.values(), strict=True)
        )
    )

    closed = stack.run_window(window)

    assert closed["status"] == "complete"
    assert closed["sources"][SOURCE]["rejected"] == len(hostile)
    [name] = _names(stack, f"{RECORDS}{SOURCE}/") - before
    reasons = sorted(note["reason"] for note in _notes(stack, name))
    assert reasons == sorted(["wrong_type", "wrong_type", "not_json", "implausible_instant", "not_json", "too_large"])
    loaded = stack.query(
        "select count(*) from raw.public.fact_incidents where workspace = 'companya' "
        f"and created_at = '{window.end:%Y-%m-%dT%H:%M:%SZ}'"
    )
    assert int(loaded[0][0]) == len((good, better))
    [alert] = stack.events("extract", "extract.records_quarantined", window=window.id)
    assert alert["records"] == len(hostile)


def test_a_proxys_page_is_tried_again(stack: Running) -> None:
    """HTML with status 200 instead of a page: a fault that passes, not data."""
    window = stack.take_window()
    stack.source_faults({"action": "html", "workspace": "companya", "path": "/v2/incidents"})

    assert stack.run_window(window)["status"] == "complete"

    [event] = stack.events("extract", "extract.request_retried", window=window.id)
    assert (event["source"], event["wait_seconds"]) == (SOURCE, 2.0)


def test_a_short_rate_limit_is_waited_for(stack: Running) -> None:
    """`Retry-After: 1` is obeyed within the same run: one request more, a second later."""
    window = stack.take_window()
    before = stack.list_requests("companya")
    stack.source_faults(
        {"action": "status", "status": 429, "retry_after": "1", "workspace": "companya", "path": "/v2/incidents"}
    )

    assert stack.run_window(window)["status"] == "complete"

    [event] = stack.events("extract", "extract.request_retried", window=window.id)
    assert (event["source"], event["wait_seconds"]) == (SOURCE, 1.0)
    assert stack.list_requests("companya") == before + 2


def _names(stack: Running, prefix: str) -> set[str]:
    return {stored.name for stored in stack.quarantine.list(prefix)}


def _note(stack: Running, name: str) -> Any:
    [note] = _notes(stack, name)
    return note


def _notes(stack: Running, name: str) -> list[Any]:
    found = stack.quarantine.read(name)
    assert found is not None
    return [json.loads(line) for line in found[0].splitlines()]


def _listed(stack: Running, window: Window, key: str) -> list[dict[str, Any]]:
    """The page of incidents that the extraction of the window will read."""
    watermark = read_watermark(stack.documents, SOURCE).value
    assert watermark is not None
    first = min(watermark, window.start) - HOUR - timedelta(days=1)
    last = window.end + timedelta(days=1)
    categories: Iterable[str] = ("triage", "live", "learning", "paused", "closed", "declined", "canceled", "merged")
    answer = httpx.get(
        f"http://127.0.0.1:{stack.addresses.sources}/incident_io/v2/incidents",
        params=[
            ("page_size", "250"),
            ("sort_by", "created_at_oldest_first"),
            *(("status_category[one_of]", category) for category in categories),
            *(("mode[one_of]", mode) for mode in ("standard", "retrospective")),
            ("updated_at[date_range]", f"{first.date()}~{last.date()}"),
        ],
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    incidents: list[dict[str, Any]] = answer.raise_for_status().json()["incidents"]
    return incidents
