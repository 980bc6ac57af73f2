"""Quarantine from the outside: what is listed, what is shown, and what asking again does for each kind."""

import itertools
import json
from typing import Any

import pytest

from shared.errors import ConfigurationError, PublishFailed, RejectedObject
from shared.landing import PREFIX
from shared.operate.backfill.plan import Stretch, plan_source
from shared.operate.backfill.run import BackfillPorts, carry_out, look_up
from shared.operate.described import described
from shared.operate.quarantine import Kind, QuarantinePorts, State, find_entry, list_entries, replay_entries
from shared.operate.replay import ReplayPorts
from shared.operate.status import StatusPorts, status
from shared.quarantine import keep_message
from shared.state.documents import Documents
from tests.support.incidents import incident, with_raw_field
from tests.support.world import World, at, source_name

ALPHA = source_name("alpha")
SEVEN = "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z"


def _ports(world: World) -> QuarantinePorts:
    return QuarantinePorts(
        world.quarantine,
        Documents(world.quarantine, world.new_token),
        ReplayPorts(world.registry, world.documents, world.landing, world.publisher),
        world.clock,
    )


def _world_with_a_bad_record() -> World:
    world = World("alpha", now=at(7.01))
    world.workspaces["alpha"].put(incident("good", at(6)))
    world.workspaces["alpha"].put(
        incident("bad", at(6)), raw=with_raw_field(incident("bad", at(6)), "severity", b'"x"')
    )
    world.hour()
    return world


def _deliver_extracts(world: World) -> None:
    for message in world.continuations():
        world.extract(message, world.clock.now())
    world.publisher.bodies = []
    world.load_all()


def test_records_are_listed_with_their_reasons() -> None:
    world = _world_with_a_bad_record()
    (entry,) = list_entries(_ports(world), limit=10)
    assert (entry.kind, entry.source, entry.window_id, entry.revision) == (Kind.RECORDS, ALPHA, "20261120T0700Z", 0)
    assert (dict(entry.reasons), entry.state, entry.kept_at) == ({"wrong_type": 1}, State.OPEN, at(7.01))
    assert list_entries(_ports(world), kind=Kind.MESSAGES, limit=10) == []
    assert list_entries(_ports(world), source="another", limit=10) == []


def test_records_are_extracted_again_and_keep_their_place() -> None:
    """Asked, then replayed; the file is still there, and what is refused again has a file of its own."""
    world = _world_with_a_bad_record()
    ports = _ports(world)
    (outcome,) = replay_entries(ports, list_entries(ports, limit=10))
    assert outcome.asked == f"window 20261120T0700Z of {ALPHA} again, as revision 1"
    assert [e.state for e in list_entries(ports, limit=10)] == [State.ASKED]
    world.workspaces["alpha"].put(incident("bad", at(6), at(6.5)))  # the source was mended
    _deliver_extracts(world)
    assert world.ids() == {"good", "bad"}
    assert list_entries(ports, limit=10) == []
    (entry,) = list_entries(ports, everything=True, limit=10)
    assert (entry.state, entry.asked["revision"]) == (State.REPLAYED, 1)
    assert world.quarantine.stat(entry.name) is not None
    assert (
        status(StatusPorts(world.registry, world.documents, world.quarantine), at(8))["quarantine"]["asked_again"] == 1
    )


def test_what_is_refused_again_is_open_again() -> None:
    world = _world_with_a_bad_record()
    ports = _ports(world)
    replay_entries(ports, list_entries(ports, limit=10))
    _deliver_extracts(world)
    assert [(e.revision, e.state) for e in list_entries(ports, limit=10)] == [(1, State.OPEN)]


def test_the_files_of_one_revision_are_one_extraction() -> None:
    world = World("alpha", now=at(7.01), soft_deadline_seconds=0)
    for number in range(4):
        bad = incident(f"b{number}", at(number))
        world.workspaces["alpha"].put(bad, raw=with_raw_field(bad, "severity", b'"x"'))
    world.hour()
    ports = _ports(world)
    entries = list_entries(ports, limit=10)
    assert len(entries) == 2
    assert all(outcome.asked for outcome in replay_entries(ports, entries))
    assert len(world.continuations()) == 1


def test_a_backfill_s_records_are_read_again_over_the_backfill_s_range() -> None:
    """Not over what the window's scheduled extraction read."""
    world = _world_with_a_bad_record()
    ports = _ports(world)
    source = world.registry.source(ALPHA)
    backfill = BackfillPorts(world.registry, world.documents, world.landing, world.publisher, world.clock)
    plan = plan_source(world.registry, source, Stretch(at(0, day=18), at(7), 30), world.clock.now())
    sleep, sleeps = world.clock.sleep, itertools.count()

    def delivering(seconds: float) -> None:
        sleep(seconds)
        if next(sleeps) == 0:
            _deliver_extracts(world)

    world.clock.sleep = delivering  # type: ignore[method-assign]  # the fake's own way of hearing of time
    carry_out(backfill, [look_up(backfill, plan)], parallel=1, told=lambda _: None)
    (entry,) = [e for e in list_entries(ports, limit=10) if e.revision == 1]
    (outcome,) = replay_entries(ports, [entry])
    assert outcome.asked is not None
    assert outcome.asked.endswith("revision 2")
    ranges = [world.value(f"ranges/{ALPHA}/20261120T0700Z/r{n}.json") for n in (1, 2)]
    assert (ranges[1]["start"], ranges[1]["end"]) == (ranges[0]["start"], ranges[0]["end"])
    assert ranges[1]["start"] == "2026-11-18T00:00:00Z"


def test_what_was_spooled_cannot_be_read_again_and_says_so() -> None:
    world = _world_with_a_bad_record()
    sources = {ALPHA: world.registry.sources[ALPHA].model_copy(update={"cursor": "existence"})}
    world.registry = type(world.registry)(world.registry.pipelines, sources)
    ports = _ports(world)
    (outcome,) = replay_entries(ports, list_entries(ports, limit=10))
    assert outcome.refused is not None
    assert "gone once it was drained" in outcome.refused
    assert (world.publisher.messages, list_entries(ports, limit=10)[0].state) == ([], State.OPEN)


def _refused_object(world: World) -> None:
    world.tick("alpha")
    (stored,) = world.landed()
    with pytest.raises(RejectedObject):
        world.load(world.notification(stored, crc32c="other"))


def _deliver_landed(world: World) -> None:
    for (topic, attributes), body in zip(world.publisher.messages, world.publisher.bodies, strict=True):
        assert topic == "landed"
        world.load_message(attributes, body)
    world.publisher.messages, world.publisher.bodies = [], []


def test_a_refused_object_is_announced_again_as_it_landed() -> None:
    world = World("alpha", now=at(7.01))
    world.workspaces["alpha"].put(incident("a", at(6)))
    _refused_object(world)
    ports = _ports(world)
    (entry,) = list_entries(ports, limit=10)
    assert (entry.kind, entry.source, entry.window_id) == (Kind.OBJECTS, ALPHA, "20261120T0700Z")
    (outcome,) = replay_entries(ports, [entry])
    assert outcome.refused is None
    assert list_entries(ports, limit=10)[0].state is State.ASKED
    _deliver_landed(world)
    assert world.ids() == {"a"}
    assert list_entries(ports, everything=True, limit=10)[0].state is State.REPLAYED


def test_an_object_that_is_gone_names_the_replay_that_helps() -> None:
    world = World("alpha", now=at(7.01))
    _refused_object(world)
    (stored,) = world.landed()
    world.landing.delete(stored.name, generation=stored.generation)
    ports = _ports(world)
    (outcome,) = replay_entries(ports, list_entries(ports, limit=10))
    assert outcome.refused is not None
    assert f"replay {ALPHA} 20261120T0700Z" in outcome.refused


def test_a_stranger_s_object_is_not_announced_again() -> None:
    """The loader would refuse it again."""
    world = World("alpha", now=at(7.01))
    stored = world.landing.create(f"{PREFIX}{ALPHA}/notes.txt", b"hello", owner="x").object
    with pytest.raises(RejectedObject):
        world.load(world.notification(stored))
    ports = _ports(world)
    (outcome,) = replay_entries(ports, list_entries(ports, limit=10))
    assert (outcome.asked, world.publisher.messages) == (None, [])


def _push(attributes: dict[str, str] | None, topic: str | None, published: str = "2026-11-20T07:00:03Z") -> Any:
    message = {"attributes": attributes, "data": "e30=", "messageId": "7", "publishTime": published}
    return {"message": message, **({"subscription": f"projects/p/subscriptions/{topic}"} if topic else {})}


@pytest.mark.parametrize("topic", ["extract-inc-alpha", None])
def test_a_bare_tick_comes_again_with_the_window_that_it_meant(topic: str | None) -> None:
    """Hours later its publish time would mean another one."""
    world = World("alpha", now=at(11.4))
    world.workspaces["alpha"].put(incident("a", at(6)))
    keep_message(world.quarantine, "7", {"data": _push({"source": ALPHA}, topic)}, "AuthenticationFailed: no", "t")
    ports = _ports(world)
    (entry,) = list_entries(ports, limit=10)
    assert (entry.kind, entry.source) == (Kind.MESSAGES, ALPHA)
    replay_entries(ports, [entry])
    assert world.publisher.messages == [
        ("extract-inc-alpha", {"v": "1", "source": ALPHA, "window": SEVEN, "revision": "0", "part": "0"})
    ]
    _deliver_extracts(world)
    assert list_entries(ports, everything=True, limit=10)[0].state is State.REPLAYED


@pytest.mark.parametrize(
    "data", [None, 7, {}, {"message": 3}, _push({"x": "y"}, None), _push(None, "strange")], ids=repr
)
def test_a_message_that_says_nothing_is_refused_and_the_others_go_on(data: Any) -> None:
    world = World("alpha", now=at(11.4))
    keep_message(world.quarantine, "1", {"data": data}, "MalformedMessage: no", "t")
    keep_message(world.quarantine, "2", {"data": _push({"source": ALPHA}, None)}, "UnknownSource: no", "t")
    ports = _ports(world)
    outcomes = replay_entries(ports, list_entries(ports, limit=10))
    assert sorted(outcome.asked is None for outcome in outcomes) == [False, True]
    assert len(world.publisher.messages) == 1


def test_what_was_not_published_is_not_called_asked() -> None:
    world = _world_with_a_bad_record()
    ports = _ports(world)
    world.faults.before.append(("publish", "extract-", PublishFailed("no")))
    with pytest.raises(PublishFailed):
        replay_entries(ports, list_entries(ports, limit=10))
    assert list_entries(ports, limit=10)[0].state is State.OPEN


def test_asking_twice_remembers_both() -> None:
    world = _world_with_a_bad_record()
    ports = _ports(world)
    for _ in range(2):
        replay_entries(ports, list_entries(ports, everything=True, limit=10))
        _deliver_extracts(world)
    first = list_entries(ports, everything=True, limit=10)[-1]
    assert first.asked["revision"] > first.asked["before"]["revision"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="quarantine list"):
        find_entry(_ports(World("alpha", now=at(7))), "markers/x")


def test_a_record_s_personal_fields_stay_closed() -> None:
    record = {
        "id": "01HX7", "created_at": "2026-11-20T06:00:00Z", "status": "live", "name": "Jane's laptop burns",
        "email": "jane@example.com", "actor_id": "jane", "creator": {"name": "Jane"}, "tags": ["a"], "cost": 7.5,
        "closed": False, "mode": "a sentence, free", "jane@example.com": 1,
    }  # fmt: skip
    shown = described(json.dumps(record))
    assert "jane" not in shown.lower()
    assert "id: 01HX7" in shown
    assert "created_at: 2026-11-20T06:00:00Z" in shown
    assert "name: <text of 19>" in shown
    assert "mode: <text of 16>" in shown
    assert described("[1, 2]") == "<list of 2>"
    assert described("no json") == "no JSON, 7 characters"
    assert described("[" * 100_000) == "no JSON, 100000 characters"
