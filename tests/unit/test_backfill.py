"""Backfill: exactly the stretch that was asked for, chunk by chunk, and the live windows do not notice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import ConfigurationError, NotYet, PublishFailed
from shared.landing import PartMetadata
from shared.operate.backfill.estimate import estimated_requests, rows_per_day
from shared.operate.backfill.plan import SourcePlan, Stretch, parse_bound, plan_source, sources_of, split_capable
from shared.operate.backfill.run import Backfill, BackfillPorts, ChunkState, carry_out, look_up
from shared.operate.replay import ReplayPorts, replay
from shared.registry import registry
from shared.windows.watermark import read_watermark
from tests.support.incident_io import response
from tests.support.incidents import incident
from tests.support.world import World, at, source_name

ALPHA, BETA = source_name("alpha"), source_name("beta")
DAY = timedelta(days=1)


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


def _world(*workspaces: str) -> World:
    """Incidents of ten days, live since the eleventh day's first hours."""
    world = World(*(workspaces or ("alpha",)), now=at(1.01, day=11))
    for name, workspace in world.workspaces.items():
        for number in range(1, 11):
            workspace.put(incident(f"{name[0]}{number}", day(number) + timedelta(hours=5)))
    world.hour()
    return world


def _ports(world: World, **changes: Any) -> BackfillPorts:
    return BackfillPorts(world.registry, world.documents, world.landing, world.publisher, world.clock, **changes)


def _plan(world: World, source: str = ALPHA, days: int = 3, first: int = 2, last: int = 9) -> SourcePlan:
    stretch = Stretch(day(first), day(last), days)
    return plan_source(world.registry, world.registry.source(source), stretch, world.clock.now())


class Platform:
    """Delivers what is published whenever the backfill sleeps, as Pub/Sub would meanwhile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at_once: list[int] = []
        self.deaf = False
        sleep = world.clock.sleep

        def delivering(seconds: float) -> None:
            sleep(seconds)
            if not self.deaf:
                self.deliver()

        world.clock.sleep = delivering  # type: ignore[method-assign]  # the fake's own way of hearing of time

    def deliver(self) -> None:
        """Everything that waits."""
        asked = self.world.continuations()
        self.at_once.append(len(asked))
        for message in asked:
            self.world.extract(message, self.world.clock.now())
        self.world.publisher.messages, self.world.publisher.bodies = [], []
        self.world.load_all()


def _carry_out(world: World, *backfills: Backfill, parallel: int = 1, **changes: Any) -> list[ChunkState]:
    told: list[ChunkState] = []
    carry_out(_ports(world, **changes), backfills, parallel=parallel, told=told.append)
    return told


def _revisions(world: World, source: str = ALPHA) -> list[PartMetadata]:
    return [
        PartMetadata.from_mapping(stored.name, stored.metadata)
        for stored in world.landing.list(f"landing/{source}/")
        if "/r0/" not in stored.name
    ]


def test_chunks_are_a_partition_of_the_stretch() -> None:
    """In windows of the schedule that lie in the past."""
    world = _world()
    chunks = _plan(world, days=3).chunks
    assert [(c.extraction.start, c.extraction.end) for c in chunks] == [
        (day(2), day(5)), (day(5), day(8)), (day(8), day(9)),
    ]  # fmt: skip
    assert [c.window.id for c in chunks] == ["20261105T0000Z", "20261108T0000Z", "20261109T0000Z"]
    assert all(not c.extraction.full for c in chunks)


def test_a_chunk_reads_its_own_range_whatever_the_watermark_says() -> None:
    """Not what the scheduled extraction read, not what a lookback would add."""
    world = _world()
    Platform(world)
    _carry_out(world, look_up(_ports(world), _plan(world, days=30)))
    (part,) = _revisions(world)
    assert (part.range_start, part.range_end) == (day(2), day(9))
    # the vendor filters by whole days and a day wider: what is older is cut, what is newer is newer truth
    assert part.rows == 9


def test_the_live_watermark_does_not_move_and_the_live_window_goes_on() -> None:
    world = _world()
    Platform(world)
    before = read_watermark(world.documents, ALPHA)
    _carry_out(world, look_up(_ports(world), _plan(world)))
    assert read_watermark(world.documents, ALPHA) == before
    world.clock.move_to(at(2.01, day=11))
    world.workspaces["alpha"].put(incident("new", at(1.5, day=11)))
    world.hour()
    assert "new" in world.ids()
    assert read_watermark(world.documents, ALPHA).covered_to == at(2, day=11)


def test_a_backfill_in_a_window_that_ran_leaves_what_a_replay_of_it_reads() -> None:
    """A replay reads what the scheduled extraction read, a backfill its chunk: both beside each other."""
    world = _world()
    Platform(world)
    scheduled = world.value(f"ranges/{ALPHA}/20261111T0100Z/r0.json")
    plan = plan_source(
        world.registry, world.registry.source(ALPHA), Stretch(day(10), at(1, day=11), 30), world.clock.now()
    )
    _carry_out(world, look_up(_ports(world), plan))
    message = replay(
        ReplayPorts(world.registry, world.documents, world.landing, world.publisher), ALPHA, "20261111T0100Z"
    )
    assert message.revision == 2
    world.extract(message.attributes(), world.clock.now())
    ranges = [world.value(f"ranges/{ALPHA}/20261111T0100Z/r{n}.json") for n in (1, 2)]
    assert (ranges[0]["start"], ranges[0]["end"]) == ("2026-11-10T00:00:00Z", "2026-11-11T01:00:00Z")
    assert (ranges[1]["start"], ranges[1]["full"]) == (scheduled["start"], scheduled["full"])


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (2, 2), (9, 3)])
def test_so_many_chunks_are_under_way_at_a_time(parallel: int, most: int) -> None:
    world = _world()
    platform = Platform(world)
    told = _carry_out(world, look_up(_ports(world), _plan(world)), parallel=parallel)
    assert max(platform.at_once) == most
    assert [state.chunk.number for state in told if state.done] == [0, 1, 2]


def test_a_pipeline_s_sources_take_turns() -> None:
    """The oldest chunk of each before the next chunk of any."""
    world = _world("alpha", "beta")
    Platform(world)
    ports = _ports(world)
    told = _carry_out(world, *(look_up(ports, _plan(world, name)) for name in (BETA, ALPHA)))
    assert [(s.chunk.number, s.chunk.source) for s in told if s.done] == [
        (number, name) for number in range(3) for name in (ALPHA, BETA)
    ]


def test_running_it_again_goes_on_and_once_more_does_nothing() -> None:
    world = _world()
    platform = Platform(world)
    plan = _plan(world)
    world.faults.after.append(("create", "markers/incident_io_alpha_incidents/20261108T0000Z", KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        _carry_out(world, look_up(_ports(world), plan))
    begun = look_up(_ports(world), plan)
    assert [state.done for state in begun.chunks] == [True, True, False]
    _carry_out(world, begun)
    assert look_up(_ports(world), plan).done
    landed, platform.at_once = len(world.landed()), []
    assert _carry_out(world, look_up(_ports(world), plan)) == []
    assert (len(world.landed()), world.publisher.messages) == (landed, [])


def test_a_later_run_goes_on_with_the_chunks_of_the_first() -> None:
    """Also when the stretch reaches to a day that was not over then."""
    world = _world()
    plan = _plan(world, first=8, last=20)
    assert plan.notes == ("ends at 2026-11-11T01:00:00Z: the live windows bring what comes after",)
    with pytest.raises(NotYet):
        _carry_out(world, look_up(_ports(world), plan), poll_seconds=60)
    world.clock.move_to(at(3, day=13))
    later = look_up(_ports(world), _plan(world, first=8, last=20))
    assert [s.chunk.extraction.end for s in later.chunks] == [day(11), at(1, day=11)]


def test_a_chunk_whose_message_was_published_twice_is_one_revision() -> None:
    """Publishing again is how a lost message is repaired."""
    world = _world()
    plan = _plan(world, days=30)
    world.faults.after.append(("publish", "extract-", PublishFailed("the answer is lost")))
    with pytest.raises(PublishFailed):
        _carry_out(world, look_up(_ports(world), plan))
    Platform(world)
    _carry_out(world, look_up(_ports(world), plan))
    assert {stored.name.split("/")[3] for stored in world.landing.list(f"landing/{ALPHA}/20261109T0000Z/")} == {"r1"}


def test_again_is_a_new_revision_of_what_was_done() -> None:
    world = _world()
    Platform(world)
    plan = _plan(world, days=30)
    _carry_out(world, look_up(_ports(world), plan))
    once_more = look_up(_ports(world), plan, again=True)
    assert (once_more.done, once_more.name) == (False, f"{plan.name}-2")
    _carry_out(world, once_more)
    assert look_up(_ports(world), plan).chunks[0].revision == 2


def test_nothing_for_long_ends_with_what_to_do() -> None:
    """Whoever waits is told what it waits for."""
    world = _world()
    platform = Platform(world)
    platform.deaf = True
    with pytest.raises(NotYet, match=rf"{ALPHA} 20261105T0000Z revision 1.*run the same backfill again"):
        _carry_out(world, look_up(_ports(world), _plan(world)))


def test_a_source_that_fails_meanwhile_does_not_lose_its_place() -> None:
    world = _world()
    Platform(world)
    world.vendor.answer_next(*[response(503)] * 3)
    _carry_out(world, look_up(_ports(world), _plan(world, days=30)))
    assert len(_revisions(world)) == 1


def _source(cursor: str) -> str:
    return next(s.name for s in registry().sources.values() if s.cursor == cursor)


DAILY = "ai_telemetry_g2_daily_metrics"


def _daily(start: str, end: str, now: datetime) -> SourcePlan:
    stretch = Stretch(parse_bound(start), parse_bound(end), 100)
    return plan_source(registry(), registry().source(DAILY), stretch, now)


def test_days_are_complete_at_the_source_and_no_older_than_it_keeps() -> None:
    """A day that the source still changes is the live windows' business, one that it forgot nobody's."""
    source = registry().source(DAILY)
    assert (source.availability_lag_hours, source.history_days, source.history_from[:10]) == (6, 360, "2026-01-01")
    plan = _daily("2026-01-01", "2027-03-02", datetime(2027, 3, 1, 15, tzinfo=UTC))
    kept = datetime(2027, 3, 1, tzinfo=UTC) - 360 * DAY
    assert plan.chunks[0].extraction.start == kept
    assert plan.chunks[-1].extraction.end == datetime(2027, 3, 1, tzinfo=UTC)
    assert len(plan.notes) == 2
    assert all(chunk.window.end <= chunk.extraction.end for chunk in plan.chunks)
    # at 3 o'clock the newest window is yesterday's of 14:30, by which the day before it was over for six hours
    assert _daily("2026-02-01", "2027-03-01", datetime(2027, 3, 1, 3, tzinfo=UTC)).chunks[
        -1
    ].extraction.end == datetime(2027, 2, 28, tzinfo=UTC)


def test_a_source_read_by_days_takes_no_hours() -> None:
    with pytest.raises(ConfigurationError, match="whole days"):
        _daily("2026-02-01T01:00:00Z", "2026-03-01", datetime(2026, 3, 1, 15, tzinfo=UTC))


def test_a_stretch_that_cannot_be_read_any_more_has_no_chunks() -> None:
    """And says why."""
    plan = _daily("2026-01-01", "2026-01-10", datetime(2027, 3, 1, 15, tzinfo=UTC))
    assert (plan.chunks, len(plan.notes)) == ((), 1)


@pytest.mark.parametrize(
    "bounds", [("2026-01-01", "2026-01-01"), ("2026-01-02", "2026-01-01"), ("2026-01-01T00:00:30Z", "2026-01-02")]
)
def test_a_stretch_must_be_one(bounds: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Stretch(parse_bound(bounds[0]), parse_bound(bounds[1]), 1)


@pytest.mark.parametrize("cursor", ["snapshot"])
def test_what_cannot_be_asked_for_the_past_says_why(cursor: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be backfilled: it shows the present only"):
        split_capable([registry().source(_source(cursor))])


def test_a_pipeline_leaves_out_the_sources_that_cannot() -> None:
    capable, refused = split_capable(sources_of(registry(), "engineering"))
    assert "github_pull_requests" in {source.name for source in capable}
    assert set(refused) == {"github_users"}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"neither a pipeline nor a source.*ops_incidents"):
        sources_of(registry(), "ops")


def test_requests_are_estimated_from_what_was_read() -> None:
    """Ten rows over the history's days: one request a chunk; nothing read yet: no estimate."""
    world = _world()
    source = world.registry.source(ALPHA)
    daily = rows_per_day(world.documents, ALPHA)
    assert daily is not None
    assert daily * (at(1, day=11) - source.history_start).total_seconds() / 86_400 == pytest.approx(10)
    chunks = _plan(world).chunks
    assert estimated_requests(source, chunks, daily) == 3
    assert estimated_requests(source, chunks, 10.0) == 10 + 10 + 4
    assert estimated_requests(source, chunks, rows_per_day(world.documents, BETA)) is None


def test_callers_hear_of_every_step() -> None:
    world = _world()
    Platform(world)
    told = _carry_out(world, look_up(_ports(world), _plan(world, days=30)))
    assert [(state.revision, state.parts, state.done) for state in told] == [(1, 0, False), (1, 1, True)]
