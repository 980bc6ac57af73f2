"""Loading: once an object, newest version wins, and what may not be loaded is kept with its reason."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import RejectedObject, WarehouseRefused, WarehouseUnavailable
from shared.quarantine import object_note
from tests.support.incidents import incident
from tests.support.world import LANDING, World, at, source_name

ALPHA = source_name("alpha")


def _world(*incidents: dict[str, Any], hour: float = 7.01) -> World:
    world = World("alpha", now=at(hour))
    for record in incidents or (incident("a", at(6)),):
        world.workspaces["alpha"].put(record)
    world.extract_all("alpha")
    return world


def test_an_object_is_loaded_once_however_often_it_is_announced() -> None:
    """The ledger knows it; the marker is written all the same."""
    world = _world()
    (stored,) = world.landed()
    first = world.load(world.notification(stored))
    second = world.load(world.notification(stored))
    assert first.loaded is not None
    assert (first.loaded.inserted, first.loaded.already_loaded) == (1, False)
    assert second.loaded is not None
    assert second.loaded.already_loaded
    assert world.warehouse.ledgers["FACT_INCIDENTS__LEDGER"] == {(stored.name, stored.generation)}
    assert len(world.names("markers/")) == 1


def test_an_answer_lost_after_the_commit_is_settled_by_the_next_delivery() -> None:
    """Nothing is loaded twice, and the window is closed."""
    world = _world()
    world.faults.after.append(("load_part", "", WarehouseUnavailable("answer lost")))
    with pytest.raises(WarehouseUnavailable):
        world.load_all()
    assert world.names("markers/") == []
    world.load_all()
    assert len(world.names("markers/")) == 1
    assert world.ids() == {"a"}
    assert world.names("open/") == []


def test_a_part_without_rows_asks_the_warehouse_nothing() -> None:
    """It is marked."""
    world = World("alpha", now=at(7.01))
    world.tick("alpha")
    (stored,) = world.landed()
    assert world.load(world.notification(stored)).loaded is None
    assert len(world.names("markers/")) == 1
    assert world.warehouse.ledgers == {}


def test_a_newer_version_replaces_an_older_one_and_never_the_other_way() -> None:
    """Whichever part is loaded first."""
    world = _world(incident("a", at(5), at(6), summary="old"))
    world.clock.move_to(at(8.01))
    world.workspaces["alpha"].put(incident("a", at(5), at(7.5), summary="new"))
    world.extract_all("alpha")
    old, new = world.landed()
    for order in ((old, new), (new, old)):
        world.warehouse.tables.clear()
        world.warehouse.ledgers.clear()
        for stored in order:
            world.load(world.notification(stored))
        assert world.table["alpha", "a"]["summary"] == "new"


def test_a_date_that_is_corrected_moves_the_row_and_not_its_anchor() -> None:
    """Merges of marts prune by the anchor."""
    world = _world(incident("a", at(5), at(6)))
    world.load_all()
    world.clock.move_to(at(8.01))
    world.workspaces["alpha"].put(incident("a", at(2), at(7.5)))
    world.extract_all("alpha")
    world.load_all()
    row = world.table["alpha", "a"]
    assert (row["created_at"], row["_anchor_at"]) == (at(2), at(5))
    assert len(world.table) == 1


def _hostile(world: World) -> dict[str, Any]:
    (stored,) = world.landed()
    good = world.notification(stored)
    return {
        "another bucket": replace(good, bucket="elsewhere"),
        "another layout": replace(good, object_name="landing/x.parquet"),
        "a hostile name": replace(good, object_name="landing/'; DROP TABLE x; --/20261120T0700Z/r0/part-00000.parquet"),
        "no metadata": replace(good, metadata={}),
        "unknown source": replace(good, object_name=good.object_name.replace(ALPHA, "incident_io_beta_incidents")),
        "another window": replace(good, object_name=good.object_name.replace("T0700Z", "T0800Z")),
        "another pipeline": replace(good, metadata={**good.metadata, "pipeline": "other"}),
        "another contract": replace(good, metadata={**good.metadata, "contract": "other"}),
        "other content": replace(good, crc32c="AAAAAA=="),
        "unreadable rows": replace(good, metadata={**good.metadata, "rows": "x"}),
    }


@pytest.mark.parametrize("name", _hostile(_world()))
def test_what_may_not_be_loaded_goes_to_quarantine_with_its_reason(name: str) -> None:
    """The object beside the note; nothing is loaded, nothing marked."""
    world = _world()
    message = _hostile(world)[name]
    with pytest.raises(RejectedObject) as caught:
        world.load(message)
    found = world.quarantine.read(object_note(message.object_name, message.generation))
    assert found is not None
    note = json.loads(found[0])
    assert note == {
        "bucket": LANDING,
        "object": message.object_name,
        "generation": message.generation,
        "reason": str(caught.value),
    }
    assert world.table == {}
    assert world.names("markers/") == []
    with pytest.raises(RejectedObject):
        world.load(message)
    assert len([s for s in world.quarantine.list("objects/") if s.name.endswith(".json")]) == 1


def test_the_rejected_object_itself_is_copied() -> None:
    """Byte for byte, to be looked at after the landing bucket has forgotten it."""
    world = _world()
    message = _hostile(world)["other content"]
    with pytest.raises(RejectedObject):
        world.load(message)
    copy = world.quarantine.read(object_note(message.object_name, message.generation).replace(".json", ".object"))
    original = world.landing.read(message.object_name)
    assert copy is not None
    assert original is not None
    assert copy[0] == original[0]


def test_an_older_fingerprint_is_loaded() -> None:
    """Columns are matched by name; a deployment between extract and load is no error."""
    world = _world()
    (stored,) = world.landed()
    good = world.notification(stored)
    world.load(replace(good, metadata={**good.metadata, "fingerprint": "0" * 16}))
    assert world.ids() == {"a"}


@pytest.mark.parametrize("error", [WarehouseUnavailable("busy"), WarehouseRefused("no")])
def test_a_failed_load_marks_nothing(error: Exception) -> None:
    """Whether it comes again or not."""
    world = _world()
    world.faults.before.append(("load_part", "", error))
    with pytest.raises(type(error)):
        world.load_all()
    assert (world.names("markers/"), world.table) == ([], {})
