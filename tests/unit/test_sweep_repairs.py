"""Each repair of the sweep: what it asks for again and how often, what it only names, and what it leaves alone."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import logs
from shared.contracts import CONTRACTS
from shared.errors import PublishFailed, PullFailed, RejectedObject, StorageUnavailable
from shared.redelivery import PUBLISHED_AT, REDRIVES
from shared.registry.load import Registry, parse_registry
from shared.state import layout
from shared.state.lease import acquire
from shared.sweep.dead_letters import LONG_REST, MOST_REDRIVES, REST, Facts, Verdict, verdict
from shared.sweep.run import SweepSummary
from tests.support.incident_io import response
from tests.support.incidents import incident
from tests.support.world import World, at, pipeline_block, source_block, source_name

ALPHA, BETA = source_name("alpha"), source_name("beta")
SEVEN, EIGHT = "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z", "2026-11-20T07:00:00Z/2026-11-20T08:00:00Z"
TOPIC, DEAD = "extract-inc-alpha", "extract-inc-alpha-dead"


@contextmanager
def told() -> Iterator[list[dict[str, Any]]]:
    """The log lines of the block, once it is over."""
    stream, lines = io.StringIO(), []  # type: io.StringIO, list[dict[str, Any]]
    with logs.captured(stream):
        yield lines
    lines += [json.loads(line) for line in stream.getvalue().splitlines()]


def of(lines: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == event]


def _deliver(world: World) -> None:
    messages, bodies = world.publisher.messages, world.publisher.bodies
    world.publisher.messages, world.publisher.bodies = [], []
    for (topic, attributes), body in zip(messages, bodies, strict=True):
        if topic == "landed":
            world.load_message(attributes, body)
        else:
            world.extract(attributes, world.clock.now())
    world.load_all()


# ticks that never came


def _ran_at_seven(*workspaces: str) -> World:
    world = World(*(workspaces or ("alpha",)), now=at(7.01))
    for workspace in world.workspaces.values():
        workspace.put(incident(f"{workspace.identity[0]}1", at(6)))
    world.hour()
    return world


def test_a_window_whose_tick_never_came_is_ticked_and_runs() -> None:
    world = _ran_at_seven()
    world.clock.move_to(at(8.26))
    with told() as lines:
        assert world.sweep().ticks_published == 1
    assert of(lines, "sweep.tick_published")[0]["source"] == ALPHA
    assert [a["window"] for _, a in world.publisher.messages] == [EIGHT]
    _deliver(world)
    assert world.value(f"watermarks/{ALPHA}.json")["covered_to"] == "2026-11-20T08:00:00Z"
    assert world.sweep().ticks_published == 0


def test_a_tick_of_one_source_may_be_the_one_that_was_lost() -> None:
    """The schedule has one job a source."""
    world = _ran_at_seven("alpha", "beta")
    world.clock.move_to(at(8.01))
    world.tick("alpha")
    world.load_all()
    world.clock.move_to(at(8.26))
    assert world.sweep().ticks_published == 1
    assert [a["source"] for _, a in world.publisher.messages] == [BETA]


def test_a_tick_may_still_come() -> None:
    """A schedule is late at times."""
    world = _ran_at_seven()
    world.clock.move_to(at(8.24))
    assert world.sweep().ticks_published == 0


def test_a_pipeline_that_never_ran_waits_for_its_first_tick() -> None:
    """Deploying does not start anything."""
    world = World("alpha", now=at(8.5))
    assert world.sweep().ticks_published == 0


def test_only_the_newest_window_is_ticked() -> None:
    """It covers those before it."""
    world = _ran_at_seven()
    world.clock.move_to(at(13.5))
    world.sweep()
    assert [a["window"] for _, a in world.publisher.messages] == ["2026-11-20T12:00:00Z/2026-11-20T13:00:00Z"]


def test_a_schedule_that_is_silent_for_weeks_is_named_and_left() -> None:
    """Somebody paused it."""
    world = _ran_at_seven()
    world.clock.sleep(15 * 86_400)
    with told() as lines:
        assert world.sweep().ticks_published == 0
    assert [line["pipeline"] for line in of(lines, "sweep.schedule_silent")] == ["ops_incidents"]


def test_ticks_that_lead_nowhere_are_given_up() -> None:
    """The window of a day: three times, an hour apart, then an error names the source."""
    world = World("alpha", now=at(14.51), registry=_daily("alpha"))
    world.hour()
    counts, errors = [], []
    for hour in range(8):
        world.clock.move_to(at(15 + hour, day=21))
        with told() as lines:
            counts.append(world.sweep().ticks_published)
        errors.append(len(of(lines, "sweep.tick_given_up")))
    assert counts == [1, 1, 1, 0, 0, 0, 0, 0]
    assert errors == [0, 0, 0, 1, 1, 1, 1, 1]


# daily sources that failed


def _daily(*workspaces: str) -> Registry:
    return parse_registry(
        {
            "pipelines.yaml": {
                "pipelines": {"ops_incidents": pipeline_block(cron="30 14 * * *", deadline_minutes=240)}
            },
            "incident_io.yaml": {
                "family": "incident_io",
                "sources": {source_name(w): source_block(w) for w in workspaces},
            },
        },
        CONTRACTS,
    )


def _closed_without_beta() -> World:
    world = World("alpha", "beta", now=at(14.51), registry=_daily("alpha", "beta"))
    for workspace in world.workspaces.values():
        workspace.put(incident(f"{workspace.identity[0]}1", at(6)))
    world.tick("alpha")
    # beta began and was refused: its message is acknowledged, and nobody asks until tomorrow
    world.vendor.answer_next(response(401), response(401))
    with pytest.raises(Exception, match="401"):
        world.tick("beta")
    world.load_all()
    world.clock.move_to(at(18.55))
    return world


def test_a_daily_source_that_failed_does_not_wait_for_a_day() -> None:
    """The window closes without it at its deadline; the same sweep asks it again, and its part arrives."""
    world = _closed_without_beta()
    with told() as lines:
        summary = world.sweep()
    assert (summary.sources_asked_again, summary.ticks_published) == (1, 0)
    assert [line["source"] for line in of(lines, "sweep.source_asked_again")] == [BETA]
    assert world.sweep().sources_asked_again == 0
    _deliver(world)
    assert world.ids() == {"a1", "b1"}
    assert world.value(layout.closed("ops_incidents", "20261120T1430Z"))["status"] == "complete"
    world.clock.sleep(7200)
    assert world.sweep().sources_asked_again == 0


def test_a_daily_source_is_asked_three_times_and_then_named() -> None:
    world = _closed_without_beta()
    counts, errors = [], []
    for _ in range(6):
        with told() as lines:
            counts.append(world.sweep().sources_asked_again)
        errors.append(len(of(lines, "sweep.source_given_up")))
        world.clock.sleep(3601)
    assert (counts, errors) == ([1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])


def test_a_daily_source_at_work_is_left_to_it() -> None:
    world = _closed_without_beta()
    acquire(
        world.documents,
        world.clock,
        layout.extract_lease(BETA, "20261120T1430Z", 0),
        holder="somebody",
        seconds=120,
    )
    assert world.sweep().sources_asked_again == 0


def test_a_daily_source_of_yesterday_is_today_s_window_s_business() -> None:
    world = _closed_without_beta()
    world.sweep()
    world.clock.move_to(at(14.6, day=21))
    world.publisher.messages, world.publisher.bodies = [], []
    assert world.sweep().sources_asked_again == 0


def test_an_hourly_source_waits_for_its_next_window() -> None:
    world = _ran_at_seven("alpha", "beta")
    world.clock.move_to(at(8.01))
    world.tick("alpha")
    world.clock.move_to(at(8.9))
    assert world.sweep().sources_asked_again == 0


def test_a_count_is_not_taken_for_a_message_that_was_not_sent() -> None:
    world = _closed_without_beta()
    world.faults.before.append(("publish", "extract-", PublishFailed("no")))
    assert (world.sweep().sources_asked_again, world.names("attempts/windows/")) == (0, [])
    assert world.sweep().sources_asked_again == 1


# dead letters


def _letter(world: World, hours: float, **attributes: str) -> None:
    """A letter of the window to seven that died so long ago."""
    told = {"source": ALPHA, PUBLISHED_AT: "2026-11-20T07:00:01Z", **attributes}
    world.subscriber.put(DEAD, told, b"{}", world.clock.now() - timedelta(hours=hours))


def test_a_letter_comes_again_once_its_source_answers_again() -> None:
    world = World("alpha", "beta", now=at(7.01))
    world.tick("beta")
    world.load_all()
    world.clock.move_to(at(10.26))
    _letter(world, 1.5)
    assert world.sweep().letters_redriven == 0  # what beta brought says nothing of alpha
    world.tick("alpha", window="2026-11-20T05:00:00Z/2026-11-20T06:00:00Z")
    world.load_all()
    world.publisher.messages, world.publisher.bodies = [], []
    with told() as lines:
        assert world.sweep().letters_redriven == 1
    assert of(lines, "sweep.dead_letter_redriven")[0]["letter"] == "message-0001"
    assert (TOPIC, SEVEN, "1") in [(t, a["window"], a.get(REDRIVES)) for t, a in world.publisher.messages]
    assert (world.subscriber.waiting[DEAD], world.subscriber.held[DEAD]) == ([], [])
    assert world.sweep().letters_redriven == 0


def test_a_letter_whose_window_is_covered_is_taken_away() -> None:
    world = _ran_at_seven()
    _letter(world, 0.1)
    with told() as lines:
        assert world.sweep().letters_redriven == 0
    assert len(of(lines, "sweep.dead_letter_done")) == 1
    assert world.subscriber.waiting[DEAD] == world.subscriber.held[DEAD] == []


def test_a_letter_of_a_revision_is_done_by_that_revision_only() -> None:
    """A replay's message is not covered by the scheduled window."""
    world = _ran_at_seven()
    _letter(world, 7, window=SEVEN, revision="1", part="0")
    assert world.sweep().letters_redriven == 1
    _deliver(world)
    _letter(world, 0.1, window=SEVEN, revision="1", part="0")
    world.sweep()
    assert world.subscriber.waiting[DEAD] == []


def test_a_letter_that_dies_again_and_again_is_left_to_a_person_and_named() -> None:
    world = World("alpha", now=at(7.01))
    _letter(world, 30, redrives=str(MOST_REDRIVES))
    with told() as lines:
        assert world.sweep().letters_redriven == 0
    (line,) = of(lines, "sweep.dead_letter_left")
    assert "dead-letters list --topic extract-inc-alpha" in line["message"]
    assert len(world.subscriber.waiting[DEAD]) == 1


def _dead_notification(world: World, hours: float) -> None:
    (stored,) = world.landed()
    message = {"bucket": "landing", "name": stored.name, "generation": str(stored.generation), "crc32c": stored.crc32c}
    body = json.dumps({**message, "metadata": dict(stored.metadata)}).encode()
    died = world.clock.now() - timedelta(hours=hours)
    world.subscriber.put("landed-dead", {"eventType": "OBJECT_FINALIZE"}, body, died)


def test_a_dead_notification_is_done_when_its_object_is_loaded_refused_or_gone() -> None:
    for end in ("loaded", "refused", "gone", "lost"):
        world = World("alpha", now=at(7.01))
        world.tick("alpha")
        (stored,) = world.landed()
        if end == "loaded":
            world.load_all()
        elif end == "refused":
            with pytest.raises(RejectedObject):
                world.load(world.notification(stored, crc32c="other"))
        _dead_notification(world, 0.2)
        if end == "gone":
            world.landing.delete(stored.name, generation=stored.generation)
        world.sweep()
        assert len(world.subscriber.waiting["landed-dead"]) == (end == "lost"), end


def test_a_letter_that_nobody_understands_goes_where_a_person_finds_it() -> None:
    """Published again it is refused for good, and stands in quarantine."""
    world = World("alpha", now=at(7.01))
    for topic in ("landed-dead", DEAD):
        world.subscriber.put(topic, {"source": "strange", "revision": "x"}, b"[", at(0))
    assert world.sweep().letters_redriven == 2


def test_a_dead_tick_of_the_sweep_is_not_missed() -> None:
    world = World("alpha", now=at(7.01))
    world.subscriber.put("sweep-dead", {}, b"tick", at(7))
    world.sweep()
    assert world.subscriber.waiting["sweep-dead"] == []


facts = st.builds(
    Facts,
    dead_for=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)),
    redrives=st.integers(0, 6),
    done=st.booleans(),
    recovered=st.booleans(),
)


@given(facts)
def test_a_letter_is_published_again_only_when_that_can_help(known: Facts) -> None:
    """Never when it is done, young, or was published often enough; always once it rested for long."""
    if verdict(known) is Verdict.REDRIVE:
        assert not known.done
        assert known.redrives < MOST_REDRIVES
        assert known.dead_for >= (REST if known.recovered else LONG_REST)
    elif verdict(known) is Verdict.WAIT:
        assert known.dead_for < LONG_REST


# leases


def test_an_expired_lease_is_named_and_a_long_dead_one_removed() -> None:
    world = World("alpha", now=at(7.01))
    name = layout.extract_lease(ALPHA, "20261120T0700Z", 0)
    acquire(world.documents, world.clock, name, holder="killed", seconds=120)
    world.clock.sleep(120 + 14 * 60)
    with told() as lines:
        world.sweep()
    assert of(lines, "sweep.lease_expired") == []
    world.clock.sleep(120)
    with told() as lines:
        assert world.sweep().leases_removed == 0
    assert [(line["lease"], line["holder"]) for line in of(lines, "sweep.lease_expired")] == [(name, "killed")]
    world.clock.sleep(86_400)
    assert world.sweep().leases_removed == 1
    assert world.names("leases/") == []


def test_a_lease_that_is_taken_over_meanwhile_stays() -> None:
    """Removed is only what was looked at."""
    world = World("alpha", now=at(7.01))
    acquire(world.documents, world.clock, layout.DBT_LEASE, holder="killed", seconds=90)
    world.clock.sleep(2 * 86_400)

    def take_over(moment: str, effect: str, subject: str) -> None:
        if (moment, effect, subject) == ("before", "delete", layout.DBT_LEASE):
            world.faults.hook = None
            acquire(world.documents, world.clock, layout.DBT_LEASE, holder="new", seconds=90)

    world.faults.hook = take_over
    assert world.sweep().leases_removed == 0
    assert world.value(layout.DBT_LEASE)["holder"] == "new"


# all together


def _everything_is_wrong() -> World:
    """A lost notification, a lost tick, a failed daily source's like, dead letters, dead leases, a pending request."""
    world = _closed_without_beta()
    world.tick("alpha", window="2026-11-18T14:30:00Z/2026-11-19T14:30:00Z", revision="7")
    acquire(world.documents, world.clock, layout.extract_lease(ALPHA, "20261101T0700Z", 0), holder="dead", seconds=1)
    world.clock.sleep(2 * 86_400)
    _letter(world, 30, window=SEVEN, revision="3")
    _letter(world, 30, window=SEVEN, revision="4", redrives="9")
    return world


EFFECTS = [
    ("publish", "landed", PublishFailed("no")),
    ("publish", "extract-", PublishFailed("no")),
    ("create", "closings/", StorageUnavailable("no")),
    ("create", "attempts/", StorageUnavailable("no")),
    ("delete", "leases/", StorageUnavailable("no")),
    ("pull", DEAD, PullFailed("no")),
    ("pull", "landed-dead", PullFailed("no")),
    ("acknowledge", DEAD, PullFailed("no")),
    ("start", "dbt", StorageUnavailable("no")),
]


def _sum(*summaries: SweepSummary) -> tuple[int, ...]:
    return (
        sum(s.republished for s in summaries),
        sum(s.ticks_published for s in summaries),
        sum(s.letters_redriven for s in summaries),
        sum(s.leases_removed for s in summaries),
    )


def test_a_second_sweep_right_after_does_nothing_more() -> None:
    """Everything that was asked for is on its way."""
    world = _everything_is_wrong()
    first = world.sweep()
    assert _sum(first) == (1, 2, 1, 1)
    assert first.failures == 0
    state = [(s.name, s.generation) for s in world.state.list("")]
    messages = list(world.publisher.messages)
    second = world.sweep()
    assert (_sum(second), second.failures) == ((0, 0, 0, 0), 0)
    assert world.publisher.messages == messages
    assert [(s.name, s.generation) for s in world.state.list("")] == state
    assert [m.attributes.get(REDRIVES) for m in world.subscriber.waiting[DEAD]] == ["9"]


@pytest.mark.parametrize("effect", range(len(EFFECTS)), ids=lambda n: "-".join(EFFECTS[n][:2]))
def test_a_failure_of_one_repair_leaves_the_others_alone_and_the_next_sweep_mends_it(effect: int) -> None:
    """What a sweep with one failure and the sweep after it do is at least what one without a failure does."""
    world = _everything_is_wrong()
    world.faults.before.append(EFFECTS[effect])
    with told() as lines:
        first = world.sweep()
    assert first.failures == 1 - len(world.faults.before)
    assert len([line for line in lines if line["severity"] == "ERROR" and "exception" in line]) == first.failures
    world.subscriber.expire()
    second = world.sweep()
    assert second.failures == 0
    assert all(a >= b for a, b in zip(_sum(first, second), _sum(_everything_is_wrong().sweep()), strict=True))


def test_a_service_that_is_down_is_not_asked_for_every_thing() -> None:
    """Five failures of a kind are enough for a round; each may take a minute."""
    world = World("alpha", now=at(7.01), soft_deadline_seconds=0)
    for number in range(24):
        world.workspaces["alpha"].put(incident(f"a{number}", at(number / 4)))
    world.extract_all("alpha")
    world.clock.sleep(3600)
    world.faults.before += [("publish", "landed", PublishFailed("no"))] * 20
    with told() as lines:
        summary = world.sweep()
    assert (summary.republished, summary.failures) == (0, 5)
    assert [line["kind"] for line in of(lines, "sweep.kind_given_up")] == ["announce_unmarked_objects"]
    assert len(world.faults.before) == 15


@pytest.mark.parametrize(("first", "second"), product(range(3), repeat=2))
def test_an_object_that_never_loads_is_announced_with_measure(first: int, second: int) -> None:
    """Not in every sweep anew while the last announcement is on its way, and not for ever."""
    world = World("alpha", now=at(7.01))
    world.tick("alpha")
    world.clock.sleep(3600)
    counts = []
    for _ in range(14):
        counts.append(world.sweep().republished)
        world.clock.sleep(60 * first)
        counts.append(world.sweep().republished)
        world.clock.sleep(900 + 60 * second)
    assert counts[:20:2] == [1] * 10
    assert sum(counts) == 10
