"""The load function: a notification in, rows and a marker out, once; what may not be loaded goes to quarantine."""

import base64
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.contracts.incidents import INCIDENTS
from shared.crc32c import crc32c_base64
from shared.landing import PartMetadata, PartName
from shared.ports import StoredObject
from shared.state import layout
from shared.windows.window import Window
from tests.contract.stack import eventually
from tests.contract.test_warehouse import incident, parquet
from tests.functions.envelopes import Envelope, binary, finalised, message, pushed
from tests.functions.platform import LANDING, Platform, new_window

pytestmark = pytest.mark.emulated
SOURCE = "incident_io_companyb_incidents"


def described(window: Window, data: bytes, rows: int) -> PartMetadata:
    """What the extraction would say of a part."""
    return PartMetadata(
        pipeline=window.pipeline,
        window=window,
        contract=INCIDENTS.name,
        fingerprint=INCIDENTS.fingerprint,
        run_id="run-of-the-extraction",
        rows=rows,
        rejected=0,
        last=True,
        next_cursor="",
        not_before=None,
        range_start=window.start,
        range_end=window.end,
        watermark=window.start if rows else None,
        crc32c=crc32c_base64(data),
        observed_at=window.end,
    )


def land(
    platform: Platform, window: Window, *ids: str, name: str | None = None, metadata: dict[str, str] | None = None
) -> StoredObject:
    """A part of companyb with these incidents, under its proper name and metadata unless told otherwise."""
    name = PartName(SOURCE, window.id, 0, 0).object_name if name is None else name
    rows = [incident(i, workspace="companyb", created_at=window.start, updated_at=window.start) for i in ids]
    data = parquet(rows, file=name, observed_at=window.end)
    stated = {**described(window, data, len(rows)).to_mapping(), **(metadata or {})}
    creation = platform.landing.create(name, data, owner="test", metadata=stated)
    assert creation.created
    return creation.object


def marker(platform: Platform, window: Window) -> StoredObject | None:
    return platform.state.stat(layout.marker(SOURCE, window.id, 0, 0))


def loaded(platform: Platform, *ids: str) -> int:
    listed = ", ".join(f"'{i}'" for i in ids)
    return len(platform.rows(f"WORKSPACE = 'companyb' AND INCIDENT_ID IN ({listed})"))


@pytest.mark.parametrize("wrap", [pushed, binary])
def test_a_finalised_part_is_merged_and_marked(platform: Platform, wrap: Any) -> None:
    window = new_window()
    first, second = f"1-{window.id}", f"2-{window.id}"
    outcome = platform.deliver("load", wrap(finalised(LANDING, land(platform, window, first, second))))
    assert outcome.status == 200
    assert loaded(platform, first, second) == 2
    there = marker(platform, window)
    assert there is not None
    assert (there.metadata["rows"], there.metadata["last"]) == ("2", "true")
    summary = outcome.line("run.finished")
    assert (summary["severity"], summary["step"], summary["status"]) == ("INFO", "load", "done")
    assert (summary["rows_loaded"], summary["inserted"], summary["updated"]) == (2, 2, 0)
    assert (summary["source"], summary["window"], summary["part"]) == (SOURCE, window.id, 0)
    assert len({line["run_id"] for line in outcome.lines}) == 1


def test_a_notification_that_comes_again_loads_nothing(platform: Platform) -> None:
    window = new_window()
    stored = land(platform, window, f"1-{window.id}")
    for status in ("done", "already_loaded", "already_loaded"):
        outcome = platform.deliver("load", pushed(finalised(LANDING, stored)))
        assert outcome.status == 200
        assert outcome.line("run.finished")["status"] == status
    assert loaded(platform, f"1-{window.id}") == 1


def test_five_deliveries_at_once_load_once_and_all_are_acknowledged(platform: Platform) -> None:
    window = new_window()
    ids = [f"{n}-{window.id}" for n in range(30)]
    inner = finalised(LANDING, land(platform, window, *ids))
    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(lambda _: platform.deliver("load", pushed(inner)), range(5)))
    assert [outcome.status for outcome in outcomes] == [200] * 5
    statuses = sorted(outcome.line("run.finished")["status"] for outcome in outcomes)
    assert statuses == ["already_loaded"] * 4 + ["done"]
    assert loaded(platform, *ids) == 30
    assert marker(platform, window) is not None


def test_different_parts_at_once_are_all_loaded(platform: Platform) -> None:
    windows = [new_window() for _ in range(4)]
    inners = [finalised(LANDING, land(platform, window, f"1-{window.id}")) for window in windows]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda inner: platform.deliver("load", pushed(inner)), inners))
    assert [outcome.status for outcome in outcomes] == [200] * 4
    assert loaded(platform, *(f"1-{window.id}" for window in windows)) == 4


def test_a_part_without_rows_is_marked_and_the_warehouse_not_asked(platform: Platform) -> None:
    window = new_window()
    outcome = platform.deliver("load", pushed(finalised(LANDING, land(platform, window))))
    assert outcome.status == 200
    assert marker(platform, window) is not None
    assert [line["event"] for line in outcome.lines if line["event"].startswith("load.")] == ["load.part_marked"]


def refused(platform: Platform, inner: dict[str, Any], reason: str) -> dict[str, Any]:
    """The note of an object that was taken to quarantine, and its delivery acknowledged."""
    envelope = pushed(inner)
    outcome = platform.deliver("load", envelope)
    assert outcome.status == 200, outcome.text
    line = outcome.line("run.failed")
    assert (line["severity"], line["error"]) == ("ERROR", "RejectedObject")
    assert reason in line["message"]
    resource = json.loads(base64.b64decode(inner["data"]))
    wanted = (resource["name"], int(resource["generation"]))
    notes = platform.quarantined("objects/").values()
    (note,) = [n for n in notes if (n["object"], n["generation"]) == wanted]
    assert note["reason"] == line["message"]
    return dict(note)


LIES = {
    "crc32c": {"crc32c": "AAAAAA=="},
    "window": {"window": "2020-01-01T00:00:00Z/2020-01-01T01:00:00Z"},
    "pipeline": {"pipeline": "market"},
    "contract": {"contract": "orders"},
}


@pytest.mark.parametrize("claim", LIES)
def test_a_part_whose_metadata_contradicts_it_is_kept_whole(platform: Platform, claim: str) -> None:
    window = new_window()
    stored = land(platform, window, f"1-{window.id}", metadata=LIES[claim])
    note = refused(platform, finalised(LANDING, stored), f"states {claim}")
    copies = [o for o in platform.quarantine.list("objects/") if o.name.endswith(f"/{stored.generation}.object")]
    assert [copy.crc32c for copy in copies] == [stored.crc32c]
    assert note["bucket"] == LANDING
    assert marker(platform, window) is None
    assert loaded(platform, f"1-{window.id}") == 0


@pytest.mark.parametrize("missing", ["rows", "window", "pipeline", "last", "crc32c", "watermark"])
def test_a_part_without_its_metadata_is_kept_whole(platform: Platform, missing: str) -> None:
    window = new_window()
    stored = land(platform, window, f"1-{window.id}")
    metadata = {name: value for name, value in stored.metadata.items() if name != missing}
    refused(platform, finalised(LANDING, stored, metadata=metadata), missing)
    assert marker(platform, window) is None


@pytest.mark.parametrize("value", ["many", "-", "1e3", "", "9" * 5000])
def test_a_number_of_rows_that_is_none_is_refused(platform: Platform, value: str) -> None:
    window = new_window()
    stored = land(platform, window, f"1-{window.id}")
    refused(platform, finalised(LANDING, stored, metadata={**stored.metadata, "rows": value}), "metadata")


def test_a_file_with_other_rows_than_stated_loads_nothing_and_is_acknowledged(platform: Platform) -> None:
    window = new_window()
    envelope = pushed(finalised(LANDING, land(platform, window, f"1-{window.id}", metadata={"rows": "2"})))
    outcome = platform.deliver("load", envelope)
    assert outcome.status == 200
    assert outcome.line("run.failed")["error"] == "WarehouseRefused"
    assert platform.note_of(envelope) is not None
    assert loaded(platform, f"1-{window.id}") == 0
    assert marker(platform, window) is None


OUTSIDE = [
    "landing/x.parquet",
    "landing/it's/20261120T0700Z/r0/part-00000.parquet",
    "landing/a;DROP TABLE x--/20261120T0700Z/r0/part-00000.parquet",
    "landing/../state/20261120T0700Z/r0/part-00000.parquet",
    "landing/incident_io_соmpanyb_incidents/20261120T0700Z/r0/part-00000.parquet",  # noqa: RUF001 - Cyrillic
    "landing/incident_io_companyb_incidents/20261120T0700Z/r0/part-00000.parquet\u200b",
    "landing/incident_io_companyb_incidents/20261120T0700Z/r0/part-0000\u0661.parquet",
    "landing/incident_io_companyb_incidents/20261120T0700Z/r00/part-00000.parquet",
    "landing/incident_io_companyb_incidents/20261399T0700Z/r0/part-00000.parquet",
    "landing/incident_io_companyb_incidents/20261120T0700Z/r0/part-00000.parquet.tmp",
    "landing/unknown_source/20261120T0700Z/r0/part-00000.parquet",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_object_outside_the_layout_is_kept_whole(platform: Platform, name: str) -> None:
    stored = land(platform, new_window(), "stranger", name=name)
    refused(platform, finalised(LANDING, stored), "object")
    copies = [o for o in platform.quarantine.list("objects/") if o.name.endswith(f"/{stored.generation}.object")]
    assert len(copies) == 1
    assert loaded(platform, "stranger") == 0


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800", "new\nline", "x" * 2000, "\x00", "landing/absent.parquet"])
def test_a_forged_name_of_what_cannot_be_there_is_noted(platform: Platform, name: str) -> None:
    window = new_window()
    stored = dataclasses.replace(land(platform, window, "1"), name=name)
    refused(platform, finalised(LANDING, stored), "outside the landing layout")


def test_a_notification_of_another_bucket_is_refused(platform: Platform) -> None:
    stored = land(platform, new_window(), "1")
    refused(platform, finalised(LANDING, stored, bucket="functions-state"), "functions-state")


def test_a_part_that_is_gone_is_acknowledged_with_its_reason(platform: Platform) -> None:
    window = new_window()
    stored = land(platform, window, "1")
    platform.landing.delete(stored.name, generation=stored.generation)
    envelope = pushed(finalised(LANDING, stored))
    outcome = platform.deliver("load", envelope)
    assert outcome.status == 200
    assert outcome.line("run.failed")["error"] == "WarehouseRefused"
    assert platform.note_of(envelope) is not None
    assert marker(platform, window) is None


def test_a_notification_that_was_cut_short_of_its_object_is_malformed(platform: Platform) -> None:
    envelope: Envelope = pushed(message({"eventType": "OBJECT_FINALIZE"}, b'{"bucket": "b"}'))
    assert platform.deliver("load", envelope).line("message.malformed")["error"] == "MalformedMessage"


def test_a_dead_warehouse_makes_the_message_come_again(platform: Platform) -> None:
    window = new_window()
    inner = finalised(LANDING, land(platform, window, f"1-{window.id}"))
    platform.stack.kill_warehouse()
    platform.stack.start_warehouse()
    # the function's session is gone with the old process
    outcome = platform.deliver("load", pushed(inner))
    line = outcome.line("run.deferred")
    assert (outcome.status, line["severity"], line["error"]) == (503, "WARNING", "WarehouseUnavailable")
    assert marker(platform, window) is None
    assert platform.deliver("load", pushed(inner)).status == 200
    assert loaded(platform, f"1-{window.id}") == 1


def test_a_loader_that_is_killed_in_its_work_is_finished_by_the_next_delivery(platform: Platform) -> None:
    window = new_window()
    inner = finalised(LANDING, land(platform, window, f"1-{window.id}"))
    platform.stack.storage_faults(
        {"action": "delay", "seconds": 3, "method": "POST", "path_contains": "/upload/", "name_contains": "markers/"}
    )
    try:
        with ThreadPoolExecutor(1) as pool:
            attempt = pool.submit(platform.deliver, "load", pushed(inner))
            eventually(lambda: loaded(platform, f"1-{window.id}") == 1, 10)
            platform.functions.kill("load")
            assert attempt.exception(10) is not None
    finally:
        platform.stack.storage_faults()
        platform.functions.start("load")
    outcome = platform.deliver("load", pushed(inner))
    assert outcome.status == 200
    assert outcome.line("run.finished")["status"] == "already_loaded"
    assert marker(platform, window) is not None
