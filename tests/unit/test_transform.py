"""The dbt job: one builder, no request lost, no digest built twice, a failed build changes nothing."""

import pytest

from shared.errors import LeaseHeld
from shared.state import layout
from shared.state.builds_hold import hold_builds, release_builds
from shared.state.lease import acquire
from shared.transform.gate import Freshness, freshness
from shared.windows.closing import settle_open_windows
from tests.support.incidents import incident
from tests.support.world import World, at, source_name

ALPHA = source_name("alpha")


def _world() -> World:
    world = World("alpha", now=at(7.01))
    _window(world, "a", 7)
    return world


def _window(world: World, name: str, hour: int) -> None:
    world.clock.move_to(max(world.clock.now(), at(hour + 0.01)))
    world.workspaces["alpha"].put(incident(name, at(hour - 0.5)))
    world.extract_all("alpha")
    world.load_all()


def test_a_build_remembers_its_digests_and_takes_the_requests_away() -> None:
    """As of the newest window's end, with the pipelines' selections."""
    world = _world()
    _window(world, "b", 8)
    assert world.job() == 0
    (plan,) = world.dbt.plans
    assert (plan.pipelines, plan.select, plan.as_of) == (
        ("ops_incidents",),
        ("tag:ops_incidents", "tag:every_build"),
        at(8),
    )
    assert world.names(layout.REQUESTS) == []
    assert len(world.names("dbt/built/")) == 2
    assert world.names("leases/") == []


def test_a_failed_build_keeps_its_requests() -> None:
    """The marts stay at their last good state; the next job builds what is pending."""
    world = _world()
    world.dbt.fail_next = 1
    assert world.job() == 1
    assert len(world.names(layout.REQUESTS)) == 1
    assert world.names("dbt/built/") == []
    assert world.names("leases/") == []
    assert world.dbt.marts == {}
    assert world.job() == 0
    assert world.dbt.marts == world.table


def test_a_job_that_finds_the_lease_held_ends_well() -> None:
    """The holder builds what is pending."""
    world = _world()
    acquire(world.documents, world.clock, layout.DBT_LEASE, holder="other", seconds=90)
    assert world.job() == 0
    assert world.dbt.plans == []
    assert len(world.names(layout.REQUESTS)) == 1


def test_a_job_that_finds_builds_held_ends_well_and_leaves_the_requests() -> None:
    """Until they are released."""
    world = _world()
    hold_builds(world.documents, "the warehouse moves", world.clock.now())
    assert world.job() == 0
    assert world.dbt.plans == []
    assert len(world.names(layout.REQUESTS)) == 1
    release_builds(world.documents)
    assert world.job() == 0
    assert len(world.dbt.plans) == 1


def test_a_full_refresh_is_built_though_builds_are_held() -> None:
    """A person asked for it, and what came meanwhile waits again."""
    world = _world()
    hold_builds(world.documents, "a full refresh", world.clock.now())
    world.dbt.while_building = lambda: _window(world, "b", 8)
    assert world.job(full_refresh=True) == 0
    assert [plan.full_refresh for plan in world.dbt.plans] == [True]
    assert len(world.names(layout.REQUESTS)) == 1


def test_a_build_under_way_ends_though_builds_are_held_meanwhile() -> None:
    """And is the last."""
    world = _world()

    def hold() -> None:
        hold_builds(world.documents, "enough", world.clock.now())
        _window(world, "b", 8)

    world.dbt.while_building = hold
    assert world.job() == 0
    assert len(world.dbt.plans) == 1
    assert len(world.names(layout.REQUESTS)) == 1


def test_a_second_hold_leaves_the_first_ones_reason() -> None:
    """Whoever releases must know what for."""
    world = _world()
    hold_builds(world.documents, "the warehouse moves", at(7.5))
    assert hold_builds(world.documents, "another", at(8)).value == {
        "since": "2026-11-20T07:30:00Z",
        "reason": "the warehouse moves",
    }


def test_a_request_that_arrives_while_building_is_built_in_the_next_round() -> None:
    """It found the lease live and started no job of its own."""
    world = _world()
    world.clock.move_to(at(8.01))
    started = len(world.jobs.started)
    world.dbt.while_building = lambda: _window(world, "b", 8)
    assert world.job() == 0
    assert len(world.jobs.started) == started
    assert len(world.dbt.plans) == 2
    assert len(set(world.dbt.built)) == 2
    assert world.dbt.marts == world.table


def test_a_request_of_the_build_s_own_window_that_arrives_meanwhile_is_not_taken_away_with_it() -> None:
    """Only what the build stands for is deleted, by generation."""
    world = _world()
    interval = "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z"

    def replay() -> None:
        world.workspaces["alpha"].put(incident("a", at(6.5), at(6.9), summary="corrected"))
        world.extract_all("alpha", window=interval, revision="1")
        world.load_all()

    world.dbt.while_building = replay
    world.job()
    assert len(world.dbt.plans) == 2
    assert [row["summary"] for row in world.dbt.marts.values()] == ["corrected"]


def test_a_builder_that_loses_its_lease_stops_and_marks_nothing() -> None:
    """Another job builds the same requests."""
    world = _world()

    def overtaken() -> None:
        world.clock.sleep(100)
        acquire(world.documents, world.clock, layout.DBT_LEASE, holder="other", seconds=90)

    world.dbt.while_building = overtaken
    with pytest.raises(LeaseHeld):
        world.job()
    assert world.names("dbt/built/") == []
    assert len(world.names(layout.REQUESTS)) == 1
    assert world.value(layout.DBT_LEASE)["holder"] == "other"


def test_the_warehouse_hears_of_every_closed_window_before_the_build() -> None:
    """Windows without rows too; freshness reads them."""
    world = World("alpha", "beta", now=at(7.01))
    for workspace in world.workspaces:
        world.tick(workspace)
    world.load_all()
    assert world.warehouse.windows == {}
    world.clock.move_to(at(8.01))
    world.workspaces["beta"].put(incident("b", at(7.5)))
    world.hour()
    assert {(key[1], key[2], s.status, s.rows_landed) for key, s in world.warehouse.windows.items()} == {
        ("20261120T0700Z", ALPHA, "complete", 0),
        ("20261120T0700Z", source_name("beta"), "complete", 0),
        ("20261120T0800Z", ALPHA, "complete", 0),
        ("20261120T0800Z", source_name("beta"), "complete", 1),
    }
    assert world.names(layout.CLOSINGS) == []


def test_every_source_s_table_is_there_before_the_build() -> None:
    """Also of one that has brought nothing: its models read it."""
    world = World("alpha", now=at(7.01))
    world.workspaces["alpha"].put(incident("a", at(6.5)))
    tables: list[str] = []
    world.dbt.while_building = lambda: tables.extend(world.warehouse.tables)
    world.warehouse.tables.clear()
    world.hour()
    assert "FACT_INCIDENTS" in tables
    prepared = [effect for effect, _ in world.faults.effects].index("prepare")
    assert prepared < [effect for effect, _ in world.faults.effects].index("build")


def test_of_two_outcomes_of_a_window_the_warehouse_keeps_the_later() -> None:
    """Partial first, complete when the late source came; both told in one round."""
    world = World("alpha", "beta", now=at(7.01))
    world.workspaces["beta"].put(incident("b", at(6.5)))
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(7.8))
    settle_open_windows(world.closing, lambda name, exc: None)
    world.tick("beta", window="2026-11-20T06:00:00Z/2026-11-20T07:00:00Z")
    world.load_all()
    world.job()
    assert world.warehouse.windows["ops_incidents", "20261120T0700Z", source_name("beta")].status == "complete"


def test_nothing_pending_is_nothing_built() -> None:
    """Unless everything is to be built anew."""
    world = World("alpha", now=at(7.01))
    assert world.job() == 0
    assert world.dbt.plans == []
    assert world.job(full_refresh=True) == 0
    (plan,) = world.dbt.plans
    assert (plan.full_refresh, plan.pipelines, plan.as_of) == (True, ("ops_incidents",), world.clock.now())


def _result(name: str, status: str) -> dict[str, str]:
    return {"unique_id": f"source.operational_performance.incident_io.{name}", "status": status}


def test_a_stale_source_is_named_and_only_all_stale_block() -> None:
    """What could not be asked counts as stale."""
    some = freshness([_result("b", "pass"), _result("a", "warn"), _result("d", "error"), _result("c", "runtime error")])
    assert some == Freshness(fresh=("b",), late=("a",), stale=("c", "d"))
    assert not some.blocks
    assert freshness([_result("a", "error"), _result("b", "runtime error")]).blocks
    assert not freshness([_result("a", "warn")]).blocks
    assert not freshness([]).blocks
