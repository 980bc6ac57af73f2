"""The extract function: a message in, a part in the landing bucket, one summary line in the log."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from shared.instants import to_text
from shared.landing import PartMetadata, PartName
from shared.ports import StoredObject
from shared.state import layout
from shared.windows.window import Window
from tests.contract.servers import json_reply, reply
from tests.functions.envelopes import binary, message, pushed
from tests.functions.platform import Outcome, Platform, new_window, published
from tests.functions.vendor import Vendor, incident

pytestmark = pytest.mark.emulated
SOURCE, TOPIC = "incident_io_companya_incidents", "extract-inc-companya"
TRACE = "105445aa7843bc8bf206b12000100000"


def part(platform: Platform, window: Window, number: int = 0, revision: int = 0) -> StoredObject | None:
    return platform.landing.stat(PartName(SOURCE, window.id, revision, number).object_name)


def asked(window: Window, **attributes: str) -> dict[str, Any]:
    return message({"v": "1", "source": SOURCE, "window": window.interval, **attributes})


def columns(platform: Platform, stored: StoredObject) -> dict[str, list[Any]]:
    found = platform.landing.read(stored.name)
    assert found is not None
    table: dict[str, list[Any]] = pq.read_table(io.BytesIO(found[0])).to_pydict()
    return table


@pytest.mark.parametrize("wrap", [pushed, binary])
def test_a_bare_tick_extracts_the_window_of_its_publication(platform: Platform, vendor: Vendor, wrap: Any) -> None:
    window = new_window()
    vendor.incidents = [incident(f"01-{window.id}", window.start)]
    tick = message({"source": SOURCE}, b"tick", published_at=window.end + timedelta(minutes=59, seconds=59))
    outcome = platform.deliver("extract", wrap(tick, TOPIC), trace=TRACE)
    assert outcome.status == 200
    stored = part(platform, window)
    assert stored is not None
    metadata = PartMetadata.from_mapping(stored.name, stored.metadata)
    assert (metadata.rows, metadata.rejected, metadata.last, metadata.window) == (1, 0, True, window)
    assert metadata.crc32c == stored.crc32c
    rows = columns(platform, stored)
    assert (rows["INCIDENT_ID"], rows["WORKSPACE"], rows["_WINDOW_ID"]) == (
        [f"01-{window.id}"],
        ["companya"],
        [window.id],
    )
    summary = outcome.line("run.finished")
    assert summary["severity"] == "INFO"
    assert (summary["step"], summary["status"], summary["rows_extracted"], summary["parts"]) == (
        "extract",
        "done",
        1,
        1,
    )
    assert (summary["source"], summary["pipeline"], summary["window"]) == (SOURCE, "ops_incidents", window.id)
    assert {line["run_id"] for line in outcome.lines} == {metadata.run_id}
    assert {"severity", "event", "message", "time", "run_id"} <= set.intersection(*map(set, outcome.lines))
    assert summary["logging.googleapis.com/trace"].endswith(f"/traces/{TRACE}")


def test_the_messages_own_window_wins_over_its_publication(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    inner = {**asked(window), "publishTime": to_text(datetime.now(UTC))}
    assert platform.deliver("extract", pushed(inner)).status == 200
    assert part(platform, window) is not None


def test_a_window_without_incidents_lands_an_empty_part(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    assert platform.deliver("extract", pushed(asked(window))).status == 200
    stored = part(platform, window)
    assert stored is not None
    assert (stored.metadata["rows"], stored.metadata["last"], stored.metadata["watermark"]) == ("0", "true", "")


def test_a_message_that_comes_again_finds_its_part(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    envelope = pushed(asked(window))
    assert platform.deliver("extract", envelope).status == 200
    first = part(platform, window)
    outcome = platform.deliver("extract", envelope)
    assert outcome.status == 200
    assert part(platform, window) == first
    assert [line["event"] for line in outcome.lines].count("extract.part_found") == 1
    assert outcome.line("run.finished")["requests"] == 0


def test_a_replay_is_a_revision_of_its_own(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    for revision in ("0", "1"):
        assert platform.deliver("extract", pushed(asked(window, revision=revision))).status == 200
    assert part(platform, window, revision=1) is not None


def test_a_record_that_breaks_the_contract_is_kept_and_the_rest_lands(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    bad = incident("bad", window.start, updated_at="yesterday")
    vendor.incidents = [incident("good 1", window.start), bad, incident("good 2", window.start)]
    outcome = platform.deliver("extract", pushed(asked(window)))
    assert outcome.status == 200
    stored = part(platform, window)
    assert stored is not None
    assert columns(platform, stored)["INCIDENT_ID"] == ["good 1", "good 2"]
    (kept,) = platform.quarantine.list(f"records/{SOURCE}/{window.id}/")
    found = platform.quarantine.read(kept.name)
    assert found is not None
    line = json.loads(found[0])
    assert (line["reason"], json.loads(line["record"])) == ("wrong_type", bad)
    alert = outcome.line("extract.records_quarantined")
    assert (alert["severity"], alert["records"]) == ("ERROR", 1)


def deferred(outcome: Outcome, error: str) -> dict[str, Any]:
    """The line of a delivery that will come again."""
    assert outcome.status == 503
    line = outcome.line("run.deferred")
    assert (line["severity"], line["kind"], line["error"]) == ("WARNING", "transient", error)
    return line


def test_a_message_that_is_early_comes_again(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    early = pushed(asked(window, part="1", not_before=to_text(datetime.now(UTC) + timedelta(hours=1))))
    assert SOURCE in deferred(platform.deliver("extract", early), "NotYet")["message"]
    assert part(platform, window) is None
    assert platform.note_of(early) is None


def test_while_another_delivery_works_on_the_window_the_message_comes_again(platform: Platform, vendor: Vendor) -> None:
    """Both deliveries share one acknowledgement: neither may give it before the work is done."""
    window = new_window()
    name = layout.extract_lease(SOURCE, window.id, 0)
    lease = {"holder": "another", "expires_at": to_text(datetime.now(UTC) + timedelta(hours=1))}
    held = platform.state.create(name, json.dumps(lease).encode(), owner="another").object
    envelope = pushed(asked(window))
    deferred(platform.deliver("extract", envelope), "LeaseHeld")
    assert part(platform, window) is None
    platform.state.delete(name, generation=held.generation)
    assert platform.deliver("extract", envelope).status == 200
    assert part(platform, window) is not None


def test_a_storage_that_fails_makes_the_message_come_again(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    envelope = pushed(asked(window))
    fault = {
        "action": "error",
        "status": 403,
        "method": "POST",
        "path_contains": "/upload/",
        "name_contains": "landing/",
    }
    platform.stack.storage_faults({**fault, "times": None})
    try:
        deferred(platform.deliver("extract", envelope), "StorageUnavailable")
    finally:
        platform.stack.storage_faults()
    assert platform.deliver("extract", envelope).status == 200
    assert part(platform, window) is not None


def test_a_lost_answer_to_the_upload_lands_one_part(platform: Platform, vendor: Vendor) -> None:
    window = new_window()
    platform.stack.storage_faults({"action": "drop_response", "path_contains": "/upload/", "name_contains": "landing/"})
    try:
        outcome = platform.deliver("extract", pushed(asked(window)))
    finally:
        platform.stack.storage_faults()
    assert outcome.status == 200
    assert outcome.line("extract.part_landed")["part"] == 0


REFUSALS = {
    "another workspace's key": ("AuthenticationFailed", "companyz"),
    "a key that is refused": ("AuthenticationFailed", "401"),
    "a redirect": ("RequestRefused", "302"),
    "an unknown path": ("RequestRefused", "404"),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_source_that_refuses_is_told_once_and_acknowledged(platform: Platform, vendor: Vendor, why: str) -> None:
    error, said = REFUSALS[why]
    window = new_window()
    vendor.identity = (lambda _: "companyz") if why == "another workspace's key" else None
    vendor.listing = {
        "a key that is refused": json_reply(401, '{"type": "authentication_error"}'),
        "a redirect": reply(302, b"", {"location": "https://elsewhere.example/"}),
        "an unknown path": json_reply(404, '{"type": "not_found"}'),
    }.get(why)
    envelope = pushed(asked(window))
    outcome = platform.deliver("extract", envelope)
    assert outcome.status == 200
    line = outcome.line("run.failed")
    assert (line["severity"], line["error"]) == ("ERROR", error)
    assert SOURCE in line["message"]
    assert said in line["message"]
    assert line.get("secret") == ("incident-io-companya" if error == "AuthenticationFailed" else None)
    note = platform.note_of(envelope)
    assert note is not None
    assert note["message"]["data"]["message"]["attributes"]["window"] == window.interval
    assert part(platform, window) is None


def test_a_wait_that_is_too_long_continues_by_message(platform: Platform, vendor: Vendor) -> None:
    """What the source asks for is beyond the soft deadline: the part closes and its continuation says when."""
    window = new_window()
    vendor.listing = reply(429, b"{}", {"Retry-After": "3600"})
    published(platform, TOPIC)
    outcome = platform.deliver("extract", pushed(asked(window)))
    assert outcome.status == 200
    assert outcome.line("run.finished")["status"] == "continued"
    (continuation,) = published(platform, TOPIC)
    attributes = continuation["attributes"]
    assert (attributes["source"], attributes["window"], attributes["part"]) == (SOURCE, window.interval, "1")
    not_before = datetime.fromisoformat(attributes["not_before"])
    assert timedelta(minutes=55) < not_before - datetime.now(UTC) <= timedelta(minutes=60)
    assert json.loads(continuation["data"]) == attributes
    deferred(platform.deliver("extract", pushed(message(attributes))), "NotYet")
    vendor.listing = None
    due = {name: value for name, value in attributes.items() if name != "not_before"}
    assert platform.deliver("extract", pushed(message(due))).status == 200
    last = part(platform, window, 1)
    assert last is not None
    assert last.metadata["last"] == "true"
