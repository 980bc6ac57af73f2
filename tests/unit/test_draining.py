"""The spool's part in a window: one listing for all sources of a workspace, deleted when all of them have read it."""

import io
import json

import pytest

from shared import logs
from shared.errors import StorageUnavailable
from shared.state import layout
from shared.windows import draining
from shared.windows.closing import settle_open_windows
from shared.windows.watermark import read_watermark
from tests.support.incidents import incident
from tests.support.world import World, at, stream_registry_of

PIPELINE, EVENTS = "ops_incidents_stream", "FACT_INCIDENT_EVENTS"
UPDATED = "public_incident.incident_updated_v2"
SEVEN, FIVE_PAST = "20261120T0700Z", "20261120T0705Z"
OF_ALPHA = [f"incident_io_alpha_{e}" for e in ("events", "follow_up_changes", "incident_changes", "update_changes")]


def _world(*workspaces: str, events: int = 3) -> World:
    names = workspaces or ("alpha",)
    world = World(*names, now=at(7.01), registry=stream_registry_of(*names))
    for workspace in world.workspaces.values():
        for number in range(events):
            name = f"{workspace.identity}{number}"
            workspace.put(incident(name, at(6)))
            world.receive(workspace.identity, f"msg_{name}", UPDATED, {"id": name})
    return world


def _waiting(world: World) -> int:
    return len(list(world.spool.list("")))


def _events(world: World) -> set[str]:
    return {str(key[1]) for key in world.warehouse.tables[EVENTS]}


def _settle_all(world: World) -> None:
    settle_open_windows(world.closing, lambda name, exc: pytest.fail(f"{name}: {exc}"))


def _statuses(world: World, window_id: str) -> dict[str, str]:
    sources = world.value(layout.closed(PIPELINE, window_id))["sources"]
    return {name: outcome["status"] for name, outcome in sources.items()}


def test_a_quiet_window_reads_the_spool_and_empties_it() -> None:
    """Every event is kept, every incident is there as it is now, and dbt is asked once."""
    world = _world()
    world.drain()
    assert _events(world) == {"msg_alpha0", "msg_alpha1", "msg_alpha2"}
    assert world.ids() == {"alpha0", "alpha1", "alpha2"}
    assert _waiting(world) == 0
    assert world.names(layout.open_window(PIPELINE)) == []
    assert len(world.names(layout.REQUESTS)) == 1


def test_an_empty_window_asks_nobody_and_wakes_nobody() -> None:
    """Neither the vendor nor the warehouse nor dbt; the window is closed all the same."""
    world = _world(events=0)
    world.drain()
    assert world.http.requests == []
    assert world.warehouse.ledgers == {}
    assert (world.names(layout.REQUESTS), world.jobs.started) == ([], [])
    assert set(_statuses(world, SEVEN).values()) == {"complete"}


def test_all_sources_of_a_window_read_the_same_events() -> None:
    """What comes after the first of them has looked is the next window's."""
    world = _world(events=1)
    world.extract_source(OF_ALPHA[0])
    world.receive("alpha", "late", UPDATED, {"id": "alpha9"})
    world.workspaces["alpha"].put(incident("alpha9", at(6)))
    world.drain()
    assert (_events(world), world.ids()) == ({"msg_alpha0"}, {"alpha0"})
    assert _waiting(world) == 1
    world.clock.move_to(at(7.1))
    world.drain()
    assert (_events(world), world.ids()) == ({"msg_alpha0", "late"}, {"alpha0", "alpha9"})
    assert _waiting(world) == 0


def test_a_listing_is_frozen_once_also_by_two_at_once() -> None:
    """Whoever is second takes the first one's."""
    world = _world(events=1)

    def other_first(moment: str, effect: str, subject: str) -> None:
        if (moment, effect) == ("before", "create") and subject.startswith("listings/"):
            world.faults.hook = None
            world.receive("alpha", "in_between", UPDATED, {"id": "alpha0"})
            draining.freeze_listing(world.documents, world.spool, window, "alpha")

    window = world.window(PIPELINE)
    world.faults.hook = other_first
    seen = draining.freeze_listing(world.documents, world.spool, window, "alpha")
    assert {waiting.event.webhook_id for waiting in seen} == {"msg_alpha0", "in_between"}


@pytest.mark.parametrize("missing", OF_ALPHA)
def test_nothing_is_deleted_while_a_source_of_the_workspace_has_not_read(missing: str) -> None:
    """Whichever it is; another workspace does not wait for it."""
    world = _world("alpha", "beta")
    for source in [*world.stream("alpha"), *world.stream("beta")]:
        if source != missing:
            world.extract_source(source)
    world.load_all()
    assert [stored.name.partition("/")[0] for stored in world.spool.list("")] == ["alpha"] * 3
    world.extract_source(missing)
    world.load_all()
    assert _waiting(world) == 0


def test_what_a_source_misses_by_the_deadline_the_next_window_reads_again() -> None:
    """The window closes without it; nothing is lost, and the gap is closed."""
    world = _world()
    for source in OF_ALPHA[:3]:
        world.extract_source(source)
    world.load_all()
    world.clock.move_to(at(7.26))
    _settle_all(world)
    assert world.value(layout.closed(PIPELINE, SEVEN))["status"] == "partial"
    assert _waiting(world) == 3
    world.receive("alpha", "new", UPDATED, {"id": "alpha0"})
    world.drain()
    assert _waiting(world) == 0
    assert _events(world) == {"msg_alpha0", "msg_alpha1", "msg_alpha2", "new"}
    assert _statuses(world, SEVEN)[OF_ALPHA[3]] == "superseded"
    assert world.names("gaps/") == []


def test_an_open_window_s_events_are_not_listed_again() -> None:
    """A backlog is read once, not by every window that comes while it is read."""
    world = _world()
    world.extract_source(OF_ALPHA[0])
    world.clock.move_to(at(7.1))
    world.receive("alpha", "new", UPDATED, {"id": "alpha0"})
    world.drain()
    assert len(world.value(layout.listing(PIPELINE, FIVE_PAST, "alpha"))["events"]) == 1
    # and the later window does not stand for the earlier one, whose events it has not read
    assert _waiting(world) == 3
    assert world.names(layout.open_window(PIPELINE)) == [f"open/{PIPELINE}/{SEVEN}.json"]
    for source in OF_ALPHA[1:]:
        world.extract_source(source, window=world.value(layout.expected(world.window(PIPELINE, 7.01)))["window"])
    world.load_all()
    assert _waiting(world) == 0
    assert world.names(layout.OPEN) == []


def test_a_late_source_finds_events_gone_that_a_later_window_has_read() -> None:
    """It ends without rows instead of failing for ever."""
    world = _world()
    for source in OF_ALPHA[:3]:
        world.extract_source(source)
    world.load_all()
    world.clock.move_to(at(7.26))
    _settle_all(world)
    world.drain()
    window = world.value(layout.expected(world.window(PIPELINE, 7.01)))["window"]
    world.extract_source(OF_ALPHA[3], window=window)
    world.load_all()
    assert set(_statuses(world, SEVEN).values()) == {"complete"}
    assert world.ids() == {"alpha0", "alpha1", "alpha2"}


def test_a_backlog_is_read_window_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing holds so many events and no more."""
    monkeypatch.setattr(draining, "MOST_EVENTS", 4)
    world = _world(events=10)
    for minute, left in enumerate((6, 2, 0)):
        world.clock.move_to(at(7.01 + minute / 12))
        world.drain()
        assert _waiting(world) == left
    assert len(_events(world)) == len(world.ids()) == 10


def test_deleting_is_repeated_until_it_is_done() -> None:
    """By every settling of the window, also after a death between the deletion and the note of it."""
    world = _world()
    for source in OF_ALPHA:
        world.extract_source(source)
    world.faults.before.append(("delete", "alpha/", StorageUnavailable("503")))
    with pytest.raises(StorageUnavailable):
        world.load_all()
    assert _waiting(world) == 3
    assert world.names(layout.open_window(PIPELINE)) != []
    world.faults.after.append(("delete", "alpha/", StorageUnavailable("the answer is lost")))
    with pytest.raises(StorageUnavailable):
        world.load_all()
    assert _waiting(world) == 2
    world.faults.before.append(("create", "drained/", StorageUnavailable("503")))
    with pytest.raises(StorageUnavailable):
        world.load_all()
    assert _waiting(world) == 0
    world.load_all()
    assert world.names(layout.OPEN) == []
    assert set(_statuses(world, SEVEN).values()) == {"complete"}


def test_only_the_generation_that_was_read_is_deleted() -> None:
    """An event of the same name that was spooled anew stays."""
    world = _world(events=1)
    for source in OF_ALPHA:
        world.extract_source(source)
    (stored,) = world.spool.list("")
    world.spool.delete(stored.name, generation=stored.generation)
    world.receive("alpha", "msg_alpha0", UPDATED, {"id": "alpha0"})
    world.load_all()
    assert _waiting(world) == 1


def test_polling_s_watermark_knows_nothing_of_events() -> None:
    """What an event makes us read is of any age; the stream has no watermark of its own."""
    world = _world()
    world.drain()
    for source in OF_ALPHA:
        assert read_watermark(world.documents, source).value is None
        assert read_watermark(world.documents, source).covered_to == at(7)
    assert read_watermark(world.documents, "incident_io_alpha_incidents").covered_to is None


def test_a_replay_reads_what_its_window_listed() -> None:
    """As far as it is still there."""
    world = _world()
    for source in OF_ALPHA[:3]:
        world.extract_source(source)
    world.load_all()
    world.receive("alpha", "new", UPDATED, {"id": "alpha0"})
    window = world.value(layout.expected(world.window(PIPELINE)))["window"]
    world.extract_source(OF_ALPHA[0], window=window, revision="1")
    world.extract_source(OF_ALPHA[3])
    world.load_all()
    assert _events(world) == {"msg_alpha0", "msg_alpha1", "msg_alpha2"}
    assert _waiting(world) == 1
    world.extract_source(OF_ALPHA[0], window=window, revision="2")
    world.load_all()
    assert [s.metadata["rows"] for s in world.landed() if "/r2/" in s.name] == ["0"]


def test_a_stranger_in_the_spool_stops_nobody_and_is_named() -> None:
    """It is no event; a person looks at it."""
    world = _world(events=1)
    world.spool.create("alpha/notes.txt", b"hello", owner="somebody")
    world.spool.create("alpha/" + "0" * 64, b"{}", owner="somebody", metadata={"webhook_id": "m"})
    told = io.StringIO()
    with logs.captured(told):
        world.drain()
    assert _waiting(world) == 2
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert sum(line["event"] == "extract.spool_stranger" for line in lines) == 2
    world.clock.sleep(3601)
    told = io.StringIO()
    with logs.captured(told):
        assert world.sweep().spool_leftovers == 2
    (named,) = [json.loads(line) for line in told.getvalue().splitlines() if "spool_leftovers" in line]
    assert (named["severity"], named["workspace"], named["events"]) == ("ERROR", "alpha", 2)


def test_the_sweep_names_what_nobody_drains() -> None:
    """After an hour; before that it is on its way."""
    world = _world("alpha", "beta", events=2)
    world.clock.sleep(3500)
    assert world.sweep().spool_leftovers == 0
    world.clock.sleep(100)
    assert world.sweep().spool_leftovers == 4


def test_a_workspace_s_sources_are_those_that_are_enabled() -> None:
    """A window waits for no other."""
    world = World("alpha", now=at(7.01), registry=stream_registry_of("alpha", entities=["events", "incident_changes"]))
    world.workspaces["alpha"].put(incident("a", at(6)))
    world.receive("alpha", "m", UPDATED, {"id": "a"})
    world.drain()
    assert _waiting(world) == 0
    spools = world.value(layout.expected(world.window(PIPELINE)))["spools"]
    assert spools == {"alpha": ["incident_io_alpha_events", "incident_io_alpha_incident_changes"]}
