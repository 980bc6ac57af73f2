"""The fakes keep the ports' contracts, and fail when they are told to."""

import pytest

from shared.adapters.memory import Faults, MemoryCloud, MemorySecrets
from shared.adapters.memory_pubsub import MemoryPublisher
from shared.errors import ConfigurationError, PublishFailed, StateConflict, StorageUnavailable
from tests.support.world import World, at


def test_a_create_never_overwrites_and_knows_its_own_owner() -> None:
    """As a retried upload whose first answer was lost."""
    bucket = MemoryCloud().bucket("b")
    first = bucket.create("x", b"1", owner="a")
    assert first.created
    assert not bucket.create("x", b"2", owner="b").created
    again = bucket.create("x", b"1", owner="a")
    assert (again.created, again.object) == (True, first.object)
    found = bucket.read("x")
    assert found is not None
    assert found[0] == b"1"


def test_replace_and_delete_hold_to_the_generation() -> None:
    """Nothing is overwritten unseen."""
    bucket = MemoryCloud().bucket("b")
    first = bucket.create("x", b"1", owner="a").object
    second = bucket.replace("x", b"2", owner="a2", generation=first.generation)
    with pytest.raises(StateConflict):
        bucket.replace("x", b"3", owner="b", generation=first.generation)
    assert bucket.delete("x", generation=first.generation) is False
    assert bucket.delete("x", generation=second.generation) is True
    with pytest.raises(StateConflict):
        bucket.replace("x", b"4", owner="c", generation=second.generation)


def test_a_fault_before_has_no_effect_and_one_after_has() -> None:
    """Each once."""
    faults = Faults()
    bucket = MemoryCloud(faults).bucket("b")
    faults.before.append(("create", "x", StorageUnavailable("no")))
    faults.after.append(("create", "y", StorageUnavailable("lost")))
    for name in ("x", "y"):
        with pytest.raises(StorageUnavailable):
            bucket.create(name, b"", owner="a")
    assert [stored.name for stored in bucket.list("")] == ["y"]
    bucket.create("x", b"", owner="a")
    assert faults.effects == [("create", "y"), ("create", "x")]


def test_a_publisher_can_refuse() -> None:
    """Before the message was taken."""
    faults = Faults(before=[("publish", "t", PublishFailed("no"))])
    publisher = MemoryPublisher(faults)
    with pytest.raises(PublishFailed):
        publisher.publish("t", {"a": "b"})
    publisher.publish("t", {"a": "b"})
    assert publisher.messages == [("t", {"a": "b"})]
    assert publisher.bodies == [b'{"a": "b"}']


def test_a_rotated_secret_is_seen_when_fetched_fresh() -> None:
    """The cache is short, not absent."""
    secrets = MemorySecrets({"s": "old"})
    secrets.rotate("s", "new")
    assert (secrets.fetch("s"), secrets.fetch("s", fresh=True), secrets.fetch("s")) == ("old", "new", "new")
    with pytest.raises(ConfigurationError, match="'t' has no version"):
        secrets.fetch("t")


def test_objects_are_as_old_as_the_clock_says() -> None:
    """So that ages can be tested."""
    world = World(now=at(7))
    world.landing.create("x", b"", owner="a")
    assert [stored.created_at for stored in world.landed()] == [at(7)]
