"""Extraction: what is frozen, who goes on from whose part, and what continues later."""

from datetime import timedelta

import pytest

from shared.errors import AuthenticationFailed, LeaseHeld, NotYet, PaginationLoop, SourceUnavailable, UnknownSource
from shared.extract.frozen_range import choose_range, freeze_range
from shared.landing import PartMetadata
from shared.sources.family import ExtractionRange
from shared.state import layout
from shared.windows.window import Window
from tests.support.incident_io import response, unavailable
from tests.support.incidents import encoded, incident, with_raw_field
from tests.support.world import World, at, registry_of, source_name

ALPHA = source_name("alpha")
SEVEN = "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z"


def _world(incidents: int = 7, *, soft_deadline_seconds: float = 420) -> World:
    world = World("alpha", now=at(7.01), soft_deadline_seconds=soft_deadline_seconds)
    for number in range(incidents):
        world.workspaces["alpha"].put(incident(f"a{number}", at(number / 2)))
    return world


def _metadata(world: World) -> list[PartMetadata]:
    return [PartMetadata.from_mapping(s.name, s.metadata) for s in world.landed()]


def test_one_invocation_reads_all_pages_into_one_part() -> None:
    """Complete metadata in the one upload."""
    world = _world()
    summary = world.tick("alpha")
    (metadata,) = _metadata(world)
    assert (summary.rows, summary.parts, summary.requests) == (7, 1, 4)
    assert (metadata.rows, metadata.last, metadata.next_cursor) == (7, True, "")
    assert metadata.window.interval == SEVEN
    assert metadata.watermark == at(3)
    assert metadata.range_end == at(7)
    assert world.names("leases/") == []


def test_a_message_s_own_window_wins_over_the_clock() -> None:
    """A re-delivery hours later is still about its own window."""
    world = _world()
    world.clock.move_to(at(12.2))
    world.tick("alpha", window=SEVEN)
    assert [m.window.interval for m in _metadata(world)] == [SEVEN]


def test_a_bare_tick_is_about_when_it_was_published() -> None:
    """However late it is delivered."""
    world = _world()
    world.clock.move_to(at(12.2))
    world.extract({"source": ALPHA}, at(7.02))
    assert [m.window.interval for m in _metadata(world)] == [SEVEN]


def test_the_soft_deadline_closes_the_part_and_continues_by_message() -> None:
    """Each invocation reads on exactly where the one before stopped; the last page is not lost."""
    world = _world(soft_deadline_seconds=0)
    assert world.extract_all("alpha") == 3
    assert [(m.rows, m.last) for m in _metadata(world)] == [(3, False), (3, False), (1, True)]
    world.load_all()
    assert world.ids() == {f"a{n}" for n in range(7)}


def test_a_continuation_says_its_window_revision_and_part() -> None:
    """So that it can't be about anything else."""
    world = _world(soft_deadline_seconds=0)
    world.tick("alpha", revision="2")
    (message,) = world.continuations()
    assert message == {"v": "1", "source": ALPHA, "window": SEVEN, "revision": "2", "part": "1"}


def test_a_wait_beyond_the_deadline_closes_the_part_and_continues_not_before_it_is_over() -> None:
    """The message that comes too early is sent back."""
    world = _world()
    calls = iter([None, None, response(429, retry_after="900")])

    def answer(request: object) -> None:
        if (next_answer := next(calls, None)) is not None:
            world.vendor.answer_next(next_answer)

    world.vendor.before_answer = answer
    world.tick("alpha")
    world.vendor.before_answer = None
    (first,) = _metadata(world)
    assert (first.rows, first.last) == (3, False)
    assert first.not_before == world.clock.now() + timedelta(seconds=900)
    (message,) = world.continuations()
    with pytest.raises(NotYet):
        world.extract(message, world.clock.now())
    world.clock.sleep(900)
    world.extract(message, world.clock.now())
    world.load_all()
    assert len(world.ids()) == 7


def test_a_wait_before_the_first_page_is_continued_too() -> None:
    """The rate limit may begin at the question whose key it is."""
    world = _world()
    world.vendor.answer_next(response(429, retry_after="900"))
    assert world.extract_all("alpha") == 2
    assert [(m.rows, m.last) for m in _metadata(world)] == [(0, False), (7, True)]


def test_a_second_delivery_waits_for_the_first() -> None:
    """Both share one acknowledgement: neither is acknowledged while the other works."""
    world = _world()
    refused: list[LeaseHeld] = []

    def deliver_again(request: object) -> None:
        world.vendor.before_answer = None
        with pytest.raises(LeaseHeld) as caught:
            world.tick("alpha")
        refused.append(caught.value)

    world.vendor.before_answer = deliver_again
    world.tick("alpha")
    assert refused
    assert len(world.landed()) == 1


def test_whoever_finds_a_part_goes_on_from_that_part_s_cursor() -> None:
    """Two attempts cut parts differently: following one's own cursor would skip or repeat rows."""
    world = _world()
    overtaken = False

    def other_lands_first(moment: str, effect: str, subject: str) -> None:
        nonlocal overtaken
        if (moment, effect) == ("before", "create") and subject.endswith("r0/part-00000.parquet"):
            overtaken, world.faults.hook = True, None
            world.clock.sleep(500)  # the slow one's lease runs out; it has read all seven into its part 0
            world.soft_deadline_seconds = 0
            world.faults.before.append(("publish", "", KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                world.tick("alpha")  # stops after one page of three, and dies before it has said so

    world.faults.hook = other_lands_first
    world.tick("alpha")
    while messages := world.continuations():
        for message in messages:
            world.extract(message, world.clock.now())
    assert overtaken
    assert next(m.rows for m in _metadata(world)) == 3
    world.load_all()
    assert world.ids() == {f"a{n}" for n in range(7)}
    assert sum(m.rows for m in _metadata(world)) == 7


def test_the_range_is_frozen_by_part_0() -> None:
    """A watermark that moves between parts does not move the range of the later ones."""
    world = _world(soft_deadline_seconds=0)
    world.tick("alpha")
    (message,) = world.continuations()
    world.documents.create(
        layout.watermark(ALPHA), {"value": "2026-11-20T06:59:00Z", "covered_to": "2026-11-20T07:00:00Z"}
    )
    world.extract(message, world.clock.now())
    first, second = _metadata(world)
    assert (first.range_start, first.range_end) == (second.range_start, second.range_end)
    assert second.rows == 3


def test_an_extraction_begins_again_when_the_part_before_is_gone() -> None:
    """The landing bucket forgets after a while; reading too much is harmless, skipping is not."""
    world = _world()
    world.tick("alpha", part="3", window=SEVEN)
    (metadata,) = _metadata(world)
    assert metadata.rows == 7


def test_nothing_follows_the_last_part() -> None:
    """A continuation that somebody made by hand reads nothing again."""
    world = _world()
    world.tick("alpha")
    summary = world.tick("alpha", part="1", window=SEVEN)
    assert (summary.requests, len(world.landed())) == (0, 1)


def test_an_extraction_that_is_complete_asks_the_source_for_nothing() -> None:
    """A tick that is delivered five times costs one extraction."""
    world = _world()
    world.tick("alpha")
    requests = len(world.http.requests)
    for _ in range(4):
        world.tick("alpha")
    assert len(world.http.requests) == requests
    assert len(world.landed()) == 1


def test_rejected_records_are_kept_before_the_part_is() -> None:
    """Whole, with their reasons; and only those of the part that landed."""
    world = _world(2)
    bad = incident("bad", at(6))
    world.workspaces["alpha"].put(bad, raw=with_raw_field(bad, "severity", b'"x"'))
    summary = world.tick("alpha")
    (kept,) = world.quarantined()
    assert (summary.rejected, _metadata(world)[0].rejected) == (1, 1)
    assert (kept["reason"], kept["source"], kept["part"]) == ("wrong_type", ALPHA, 0)
    assert '"severity": "x"' in kept["record"]
    order = [subject for effect, subject in world.faults.effects if effect == "create" and "part-" in subject]
    assert [name.partition("/")[0] for name in order] == ["records", "landing"]


def test_the_loser_of_a_race_takes_its_rejected_records_back() -> None:
    """Otherwise quarantine would hold them twice."""
    world = _world(1)
    bad = incident("bad", at(6))
    world.workspaces["alpha"].put(bad, raw=with_raw_field(bad, "severity", b'"x"'))

    def other_lands_first(moment: str, effect: str, subject: str) -> None:
        if (moment, effect) == ("before", "create") and subject.startswith("landing/"):
            world.faults.hook = None
            world.clock.sleep(500)
            world.tick("alpha")

    world.faults.hook = other_lands_first
    world.tick("alpha")
    assert len(world.landed()) == 1
    assert len(world.quarantined()) == 1


def test_a_key_of_another_workspace_lands_nothing() -> None:
    """Its incidents would be stored under the wrong name."""
    world = _world()
    world.vendor.workspaces["alpha"].identity = "beta"
    with pytest.raises(AuthenticationFailed):
        world.tick("alpha")
    assert world.landed() == []


@pytest.mark.parametrize("error", [SourceUnavailable, PaginationLoop])
def test_an_extraction_that_fails_lands_nothing_and_frees_its_lease(error: type[Exception]) -> None:
    """No half part; the next delivery may begin at once."""
    world = _world()
    identity = response(200, {"identity": {"name": "a", "dashboard_url": "https://x/alpha"}})
    if error is SourceUnavailable:
        world.vendor.answer_next(identity, *[unavailable()] * 5)
    else:
        page = b'{"incidents": [' + encoded(incident("a", at(1))) + b'], "pagination_meta": {"after": "same"}}'
        world.vendor.answer_next(identity, response(200, page), response(200, page))
    with pytest.raises(error):
        world.tick("alpha")
    assert world.landed() == []
    assert world.names("leases/") == []
    world.tick("alpha")
    assert len(world.landed()) == 1


def test_an_unknown_source_is_named() -> None:
    """A message for a source that was taken out of the registry."""
    with pytest.raises(UnknownSource):
        _world().extract({"source": "incident_io_gone_incidents"}, at(7))


WINDOW = Window("ops_incidents", at(6), at(7))


def test_a_range_reaches_from_the_watermark_less_the_lookback_to_the_window_s_end() -> None:
    """Never from later than the window's start: a late old tick is not cut short."""
    source = registry_of("alpha").source(ALPHA)
    assert choose_range(source, WINDOW, at(4)) == ExtractionRange(at(3), at(7))
    assert choose_range(source, WINDOW, at(6.9)) == ExtractionRange(at(5), at(7))
    assert choose_range(source, WINDOW, at(20)) == ExtractionRange(at(5), at(7))


def test_everything_is_read_without_a_watermark_and_once_in_a_resync_interval() -> None:
    """Edits that move no updated_at are seen within a week."""
    source = registry_of("alpha", full_resync_cron="30 6 * * 5").source(ALPHA)
    assert choose_range(source, WINDOW, None) == ExtractionRange(source.history_start, at(7), full=True)
    assert choose_range(source, WINDOW, at(6)).full
    assert not choose_range(source, Window("ops_incidents", at(7), at(8)), at(6)).full


def test_history_begins_where_the_registry_says() -> None:
    """The lookback does not reach behind it."""
    source = registry_of("alpha", history_from="2026-11-20T05:30:00Z").source(ALPHA)
    assert choose_range(source, WINDOW, at(6)).start == at(5.5)


def test_a_replay_reads_what_the_scheduled_extraction_read() -> None:
    """Or the window itself, when that never began."""
    world = _world()
    source = world.registry.source(ALPHA)
    first = freeze_range(world.documents, source, WINDOW, 0, at(2))
    assert freeze_range(world.documents, source, WINDOW, 1, at(6.5)) == first
    other = Window("ops_incidents", at(2), at(3))
    assert freeze_range(world.documents, source, other, 1, at(6.5)) == ExtractionRange(at(1), at(3))
