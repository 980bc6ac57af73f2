"""Closing a window: its deadline, its gaps, its one request a digest, and what a late part changes."""

import pytest

from shared.errors import JobUnavailable
from shared.state import layout
from shared.state.builds_hold import hold_builds, release_builds
from shared.state.lease import acquire
from shared.windows.closing import settle_open_windows, start_job_if_needed
from shared.windows.watermark import read_watermark
from tests.support.incidents import incident
from tests.support.world import World, at, source_name

ALPHA, BETA = source_name("alpha"), source_name("beta")
SEVEN, EIGHT = "20261120T0700Z", "20261120T0800Z"


def _world(*, incidents: int = 2) -> World:
    world = World("alpha", "beta", now=at(7.01))
    for workspace in world.workspaces.values():
        for number in range(incidents):
            workspace.put(incident(f"{workspace.identity}{number}", at(6 + number / 10)))
    return world


def _statuses(world: World, window_id: str) -> dict[str, str]:
    sources = world.value(layout.closed("ops_incidents", window_id))["sources"]
    return {name: outcome["status"] for name, outcome in sources.items()}


def _settle_all(world: World) -> None:
    settle_open_windows(world.closing, lambda name, exc: pytest.fail(f"{name}: {exc}"))


def test_the_last_source_s_last_part_closes_the_window() -> None:
    """Before it, the window is open and nothing is requested."""
    world = _world()
    world.tick("alpha")
    world.load_all()
    assert world.names(layout.OPEN) == [f"open/ops_incidents/{SEVEN}.json"]
    assert world.names(layout.REQUESTS) == []
    world.tick("beta")
    world.load_all()
    assert world.names(layout.OPEN) == []
    assert len(world.names(layout.REQUESTS)) == 1
    assert world.jobs.started
    assert _statuses(world, SEVEN) == {ALPHA: "complete", BETA: "complete"}


def test_five_deliveries_of_every_object_leave_one_request_and_one_build() -> None:
    """Before and after the build."""
    world = _world()
    for workspace in world.workspaces:
        world.tick(workspace)
    for _ in range(5):
        world.load_all()
    assert len(world.names(layout.REQUESTS)) == 1
    world.job()
    started = len(world.jobs.started)
    for _ in range(5):
        world.load_all()
    assert world.names(layout.REQUESTS) == []
    assert len(world.dbt.plans) == 1
    assert len(world.jobs.started) == started


def test_the_first_tick_freezes_whom_the_window_waits_for() -> None:
    """A source that is added meanwhile belongs to the next window."""
    world = _world()
    world.tick("alpha")
    expected = world.value("windows/ops_incidents/20261120T0700Z/expected.json")
    assert expected["sources"] == [ALPHA, BETA]
    assert expected["deadline_at"] == "2026-11-20T07:45:36Z"  # counted from the opening, later than the end


def test_a_window_closes_partial_at_its_deadline_and_names_who_is_missing() -> None:
    """dbt runs with what is there; the other source is named."""
    world = _world()
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(7.5))
    _settle_all(world)
    assert world.names(layout.REQUESTS) == []
    world.clock.move_to(at(7.77))
    _settle_all(world)
    (name,) = world.names(layout.REQUESTS)
    assert world.value(name)["missing"] == [BETA]
    assert _statuses(world, SEVEN) == {ALPHA: "complete", BETA: "missing"}
    assert world.names("gaps/") == [f"gaps/{BETA}/{SEVEN}.json"]
    assert read_watermark(world.documents, BETA).covered_to is None


def test_a_source_that_recovers_supersedes_its_gaps_and_covers_them() -> None:
    """Its next window reads from the unmoved watermark; the warehouse hears of it."""
    world = _world()
    world.hour()
    world.clock.move_to(at(8.01))
    world.workspaces["beta"].put(incident("late", at(7.5)))
    world.hour("alpha")
    world.clock.move_to(at(8.8))
    _settle_all(world)
    world.job()
    assert _statuses(world, EIGHT)[BETA] == "missing"
    world.clock.move_to(at(9.01))
    world.hour()
    assert _statuses(world, EIGHT) == {ALPHA: "complete", BETA: "superseded"}
    assert world.warehouse.windows["ops_incidents", EIGHT, BETA].status == "superseded"
    assert world.names("gaps/") == []
    assert "late" in world.ids()


def test_an_earlier_window_supersedes_no_later_gap() -> None:
    """Its late part says nothing of the hours after it."""
    world = _world()
    for hour in (7, 8):
        world.clock.move_to(at(hour + 0.01))
        world.extract_all("alpha")
        world.load_all()
    world.clock.move_to(at(8.8))
    _settle_all(world)
    world.extract_all("beta", window="2026-11-20T06:00:00Z/2026-11-20T07:00:00Z")
    world.load_all()
    world.job()
    assert _statuses(world, SEVEN)[BETA] == "complete"
    assert _statuses(world, EIGHT)[BETA] == "missing"
    assert world.names("gaps/") == [f"gaps/{BETA}/{EIGHT}.json"]
    assert world.warehouse.windows["ops_incidents", EIGHT, BETA].status == "missing"


def test_an_open_window_is_closed_as_superseded_by_a_later_one() -> None:
    """Before its deadline, without waiting for it."""
    world = _world()
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(8.01))
    world.hour()
    assert world.names(layout.OPEN) == []
    assert _statuses(world, SEVEN) == {ALPHA: "complete", BETA: "superseded"}


def test_a_late_part_after_the_build_changes_the_digest_and_is_built_once_more() -> None:
    """One more request, and no third."""
    world = _world()
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(7.8))
    _settle_all(world)
    world.job()
    assert len(world.dbt.plans) == 1
    world.tick("beta", window="2026-11-20T06:00:00Z/2026-11-20T07:00:00Z")
    world.load_all()
    assert len(world.names(layout.REQUESTS)) == 1
    assert _statuses(world, SEVEN) == {ALPHA: "complete", BETA: "complete"}
    world.job()
    world.load_all()
    assert world.names(layout.REQUESTS) == []
    assert len(set(world.dbt.built)) == len(world.dbt.built) == 2
    assert world.dbt.marts == world.table
    assert world.names("gaps/") == []
    assert world.warehouse.windows["ops_incidents", SEVEN, BETA].status == "complete"


def test_a_window_without_rows_is_built_without_waking_anybody() -> None:
    """No job, no warehouse; the watermark's coverage moves on."""
    world = _world(incidents=0)
    for workspace in world.workspaces:
        world.tick(workspace)
    world.load_all()
    assert world.jobs.started == []
    assert world.names(layout.REQUESTS) == []
    assert len(world.names("dbt/built/")) == 1
    assert not any(effect == "load_part" for effect, _ in world.faults.effects)
    assert read_watermark(world.documents, ALPHA).covered_to == at(7)


def test_the_gap_is_told_to_the_warehouse_before_it_is_forgotten() -> None:
    """A death right after the outcome was rewritten must not leave the warehouse with "missing" for ever."""
    world = _world()
    world.hour()
    world.clock.move_to(at(8.01))
    world.hour("alpha")
    world.clock.move_to(at(8.8))
    _settle_all(world)
    world.job()
    world.clock.move_to(at(9.01))
    world.extract_all("alpha")
    world.extract_all("beta")
    world.faults.after.append(("replace", f"{EIGHT}/closed.json", KeyboardInterrupt()))
    alpha, beta = [world.notification(stored) for stored in world.landed() if "20261120T0900Z" in stored.name]
    world.load(alpha)
    with pytest.raises(KeyboardInterrupt):
        world.load(beta)
    world.load(beta)
    world.job()
    assert world.warehouse.windows["ops_incidents", EIGHT, BETA].status == "superseded"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("subject", ["open/", "expected.json"])
def test_a_death_while_a_window_opens_leaves_none_that_never_closes(moment: str, subject: str) -> None:
    """The re-delivered tick completes what was begun; the deadline finds the window."""
    world = _world()
    planned = world.faults.before if moment == "before" else world.faults.after
    planned.append(("create", subject, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        world.tick("alpha")
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(7.8))
    assert world.sweep().windows_settled == 1
    assert _statuses(world, SEVEN) == {ALPHA: "complete", BETA: "missing"}


def test_no_job_is_started_while_one_builds() -> None:
    """The builder looks again before it ends."""
    world = _world()
    lease = acquire(world.documents, world.clock, layout.DBT_LEASE, holder="builder", seconds=90)
    assert start_job_if_needed(world.closing) is False
    lease.release()
    assert start_job_if_needed(world.closing) is True
    assert world.jobs.started == ["dbt"]


def test_no_job_is_started_while_builds_are_held() -> None:
    """A person's hold; the request waits."""
    world = _world()
    hold_builds(world.documents, "the warehouse moves", world.clock.now())
    world.tick("alpha")
    world.tick("beta")
    world.load_all()
    assert len(world.names(layout.REQUESTS)) == 1
    assert world.jobs.started == []
    release_builds(world.documents)
    assert start_job_if_needed(world.closing) is True


def test_a_job_that_cannot_be_started_leaves_the_request_for_the_next_delivery() -> None:
    """Nothing is acknowledged before it is under way."""
    world = _world()
    for workspace in world.workspaces:
        world.tick(workspace)
    world.faults.before.append(("start", "dbt", JobUnavailable("no")))
    with pytest.raises(JobUnavailable):
        world.load_all()
    world.load_all()
    assert world.jobs.started[0] == "dbt"
    assert len(world.names(layout.REQUESTS)) == 1


def test_a_replay_of_a_closed_window_is_built_and_moves_no_watermark() -> None:
    """Another revision, another digest, the same range."""
    world = _world()
    world.hour()
    before = read_watermark(world.documents, ALPHA)
    world.workspaces["alpha"].put(incident("alpha0", at(6), at(6.9), summary="corrected"))
    world.extract_all("alpha", window="2026-11-20T06:00:00Z/2026-11-20T07:00:00Z", revision="1")
    world.load_all()
    world.job()
    assert len(world.dbt.built) == 2
    assert read_watermark(world.documents, ALPHA) == before
    assert world.table["alpha", "alpha0"]["summary"] == "corrected"


def test_one_window_that_cannot_be_settled_does_not_stop_the_others() -> None:
    """It is reported."""
    world = _world()
    world.tick("alpha")
    world.clock.move_to(at(8.01))
    world.tick("alpha")
    world.state.create("open/ops_incidents/20261120T0000Z.json", b"{}", owner="x")
    failures: list[str] = []
    outcomes = settle_open_windows(world.closing, lambda name, exc: failures.append(name))
    assert failures == ["open/ops_incidents/20261120T0000Z.json"]
    assert len(outcomes) == 2
