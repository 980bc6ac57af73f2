"""The sweep finds what events lost, and leaves alone what is under way or was refused."""

from contextlib import nullcontext

import pytest

from shared.errors import JobUnavailable, RejectedObject
from shared.landing import PREFIX
from shared.state import layout
from shared.state.lease import acquire
from tests.support.incidents import incident
from tests.support.world import World, at, source_name

ALPHA = source_name("alpha")


def _world() -> World:
    world = World("alpha", now=at(7.01))
    world.workspaces["alpha"].put(incident("a", at(6)))
    return world


def _deliver_published(world: World) -> None:
    for (topic, attributes), body in zip(world.publisher.messages, world.publisher.bodies, strict=True):
        assert topic == "landed"
        world.load_message(attributes, body)
    world.publisher.messages, world.publisher.bodies = [], []


def test_a_lost_notification_is_published_again_as_it_was() -> None:
    """By the ordinary way: the loader does not know the difference."""
    world = _world()
    world.tick("alpha")
    world.clock.sleep(16 * 60)
    assert world.sweep().republished == 1
    _deliver_published(world)
    assert world.ids() == {"a"}
    assert world.sweep().republished == 0


def test_a_young_object_is_still_on_its_ordinary_way() -> None:
    """A push may be tried again after ten minutes."""
    world = _world()
    world.tick("alpha")
    world.clock.sleep(14 * 60)
    assert world.sweep().republished == 0


def test_a_refused_object_is_not_published_again() -> None:
    """It stands in quarantine; a person replays it."""
    world = _world()
    world.tick("alpha")
    (stored,) = world.landed()
    with pytest.raises(RejectedObject):
        world.load(world.notification(stored, crc32c="other"))
    world.clock.sleep(3600)
    assert world.sweep().republished == 0


def test_an_old_window_is_looked_at_once_a_day() -> None:
    """What is recent with every sweep: listing half a year of windows each time would be most of an idle day's cost."""
    world = _world()
    world.tick("alpha")
    world.clock.sleep(40 * 86_400)
    assert world.sweep().republished == 1
    world.publisher.messages.clear()
    world.clock.sleep(3600)
    assert world.sweep().republished == 0
    world.clock.sleep(86_400)
    assert world.sweep().republished == 1


def test_a_stranger_s_object_does_not_stop_the_sweep() -> None:
    """It is announced once, refused by the loader, and from then on left alone."""
    world = _world()
    world.landing.create(f"{PREFIX}{ALPHA}/notes.txt", b"hello", owner="somebody")
    world.tick("alpha")
    world.clock.sleep(3600)
    assert world.sweep().republished == 2
    for body in world.publisher.bodies:
        with pytest.raises(RejectedObject, match=r"notes.txt") if b"notes.txt" in body else nullcontext():
            world.load_message({"eventType": "OBJECT_FINALIZE"}, body)
    assert world.ids() == {"a"}
    assert world.sweep().republished == 0


def test_a_window_past_its_deadline_is_closed() -> None:
    """Nobody else would look at it."""
    world = World("alpha", "beta", now=at(7.01))
    world.workspaces["alpha"].put(incident("a", at(6)))
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(7.8))
    summary = world.sweep()
    assert (summary.windows_settled, summary.failures) == (1, 0)
    assert world.names(layout.OPEN) == []
    assert len(world.names(layout.REQUESTS)) == 1


def test_a_pending_request_starts_the_job_unless_one_builds() -> None:
    """A job that died leaves its lease for a minute and a half at most."""
    world = _world()
    world.tick("alpha")
    world.load_all()
    acquire(world.documents, world.clock, layout.DBT_LEASE, holder="dead", seconds=90)
    assert world.sweep().job_started is False
    world.clock.sleep(91)
    assert world.sweep().job_started is True
    assert world.job() == 0
    assert world.sweep().job_started is False


def test_a_failure_of_one_window_is_counted_and_the_rest_goes_on() -> None:
    """The next sweep tries again."""
    world = World("alpha", "beta", now=at(7.01))
    world.workspaces["alpha"].put(incident("a", at(6)))
    world.tick("alpha")
    world.tick("alpha", window="2026-11-20T05:00:00Z/2026-11-20T06:00:00Z")
    world.load_all()
    world.clock.move_to(at(9.5))
    world.faults.before.append(("start", "dbt", JobUnavailable("no")))
    summary = world.sweep()
    assert (summary.windows_settled, summary.failures) == (1, 1)
    summary = world.sweep()
    assert (summary.failures, world.names(layout.OPEN)) == (0, [])


def test_a_quiet_sweep_changes_nothing() -> None:
    """Safe to repeat."""
    world = _world()
    world.hour()
    world.clock.sleep(3600)
    world.sweep()  # the day's first one leaves a note that it was
    effects = len(world.faults.effects)
    assert world.sweep().windows_settled == 0
    assert len(world.faults.effects) == effects
