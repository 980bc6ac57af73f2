"""Leases: one holder at a time, by compare-and-swap; a dead holder blocks others for its time only."""

import pytest

from shared.errors import LeaseHeld
from shared.state.lease import Lease, acquire, is_live
from tests.support.world import World, at

NAME = "leases/x.json"


def _world() -> World:
    return World(now=at(7))


def _acquire(world: World, holder: str) -> Lease:
    return acquire(world.documents, world.clock, NAME, holder=holder, seconds=120)


def test_a_second_holder_is_told_how_long_to_wait() -> None:
    """Transient, so that the message comes again."""
    world = _world()
    _acquire(world, "a")
    world.clock.sleep(50)
    with pytest.raises(LeaseHeld, match="held by a") as caught:
        _acquire(world, "b")
    assert caught.value.retry_after == 70


def test_a_released_lease_is_free_at_once() -> None:
    """And gone."""
    world = _world()
    _acquire(world, "a").release()
    assert world.names("leases/") == []
    assert _acquire(world, "b").holder == "b"


def test_a_lease_that_ran_out_is_taken_over() -> None:
    """To the second."""
    world = _world()
    _acquire(world, "a")
    world.clock.sleep(120)
    assert not is_live(world.documents.get(NAME), world.clock.now())
    _acquire(world, "b")
    assert world.value(NAME)["holder"] == "b"


def test_a_kept_lease_does_not_run_out() -> None:
    """Renewed once a third of its time has passed, and not more often."""
    world = _world()
    lease = _acquire(world, "a")
    for _ in range(30):
        world.clock.sleep(20)
        lease.keep()
        assert is_live(world.documents.get(NAME), world.clock.now())
    renewals = [effect for effect, _ in world.faults.effects if effect == "replace"]
    assert len(renewals) == 15


def test_a_holder_that_was_overtaken_learns_it_when_it_keeps() -> None:
    """The work must stop; the new holder is left alone, also by the release."""
    world = _world()
    slow = _acquire(world, "slow")
    world.clock.sleep(121)
    _acquire(world, "fast")
    with pytest.raises(LeaseHeld, match="lost to another holder"):
        slow.keep()
    slow.release()
    assert world.value(NAME)["holder"] == "fast"


def test_of_two_that_take_over_at_once_one_wins() -> None:
    """The other one saw the same expired lease, a moment too late."""
    world = _world()
    _acquire(world, "dead")
    world.clock.sleep(200)

    def other_is_faster(moment: str, effect: str, subject: str) -> None:
        if (moment, effect) == ("before", "replace"):
            world.faults.hook = None
            _acquire(world, "fast")

    world.faults.hook = other_is_faster
    with pytest.raises(LeaseHeld, match="another holder was faster"):
        _acquire(world, "slow")
    assert world.value(NAME)["holder"] == "fast"
