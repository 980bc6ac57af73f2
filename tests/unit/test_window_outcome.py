"""What a window's markers amount to: complete revisions, superseded sources, and a digest that names the parts."""

from dataclasses import replace
from datetime import datetime

from shared.landing import PartName
from shared.windows.markers import PartMarker, complete_markers, has_marker, read_markers, write_marker
from shared.windows.opening import Expected
from shared.windows.outcome import SourceStatus, WindowOutcome, WindowStatus, window_outcome
from shared.windows.window import Window
from tests.support.world import World, at

WINDOW = Window("p", at(6), at(7))
EXPECTED = Expected(WINDOW, ("a", "b"), at(7), at(7.75))


def _marker(source: str, part: int = 0, *, last: bool = True, revision: int = 0, rows: int = 1) -> PartMarker:
    return PartMarker(source, WINDOW.id, revision, part, 100 + part, rows, 0, last, at(6.5) if rows else None)


def _outcome(
    *markers: PartMarker, covered: dict[str, datetime | None] | None = None, now: float = 7.5
) -> WindowOutcome:
    by_source = {name: [m for m in markers if m.source == name] for name in EXPECTED.sources}
    return window_outcome(EXPECTED, by_source, covered or {}, at(now))


def test_a_revision_is_complete_from_part_0_to_its_last() -> None:
    """In whatever order the markers came."""
    parts = [_marker("a", 2), _marker("a", 0, last=False), _marker("a", 1, last=False)]
    assert [m.part for m in complete_markers(parts)] == [0, 1, 2]
    assert complete_markers(parts[1:]) == []
    assert complete_markers([_marker("a", 1)]) == []
    assert complete_markers([]) == []


def test_a_complete_replay_counts_and_an_unfinished_one_does_not() -> None:
    """Revision by revision."""
    markers = [_marker("a"), _marker("a", revision=1, last=False), _marker("a", revision=2)]
    assert [m.revision for m in complete_markers(markers)] == [0, 2]


def test_parts_beyond_the_last_are_not_counted() -> None:
    """Somebody asked for a continuation of what was complete."""
    assert [m.part for m in complete_markers([_marker("a", 0), _marker("a", 1)])] == [0]


def test_a_window_is_complete_when_every_source_has_reported() -> None:
    """Open before, partial once the deadline has passed."""
    assert _outcome(_marker("a"), _marker("b")).status is WindowStatus.COMPLETE
    assert _outcome(_marker("a")).status is WindowStatus.OPEN
    late = _outcome(_marker("a"), now=7.75)
    assert (late.status, late.missing) == (WindowStatus.PARTIAL, ["b"])
    assert _outcome(_marker("a"), _marker("b"), now=99).status is WindowStatus.COMPLETE


def test_a_source_that_a_later_window_covers_is_superseded() -> None:
    """It read everything from the unmoved watermark on. Coverage short of the window's end does not count."""
    outcome = _outcome(_marker("a"), covered={"b": at(7)})
    assert outcome.status is WindowStatus.COMPLETE
    assert [s.status for s in outcome.sources] == [SourceStatus.COMPLETE, SourceStatus.SUPERSEDED]
    assert _outcome(_marker("a"), covered={"b": at(6)}).status is WindowStatus.OPEN


def test_own_markers_count_more_than_coverage() -> None:
    """A source that reported in this window is complete in it."""
    assert _outcome(_marker("a"), _marker("b"), covered={"a": at(9), "b": at(9)}).rows == 2


def test_the_digest_names_the_parts() -> None:
    """Another part, generation or revision is another digest; the order of arrival, and being late, is not."""
    whole = _outcome(_marker("a"), _marker("b"))
    assert _outcome(_marker("b"), _marker("a"), now=9).digest == whole.digest
    assert (
        len(
            {
                whole.digest,
                _outcome(_marker("a")).digest,
                _outcome(_marker("a"), _marker("b"), _marker("b", revision=1)).digest,
                _outcome(_marker("a"), replace(_marker("b"), generation=7)).digest,
                _outcome(_marker("a", 0, last=False), _marker("a", 1), _marker("b")).digest,
            }
        )
        == 5
    )


def test_only_the_scheduled_extraction_moves_the_watermark() -> None:
    """Replays and backfills move nothing."""
    (replayed, _) = _outcome(_marker("a", revision=1)).sources
    assert (replayed.status, replayed.scheduled_complete, replayed.scheduled_watermark) == ("complete", False, None)
    (both, _) = _outcome(_marker("a"), replace(_marker("a", revision=1), watermark=at(6.9))).sources
    assert both.scheduled_watermark == at(6.5)


def test_markers_are_written_once_and_read_back() -> None:
    """Two deliveries of one object leave one marker."""
    world = World(now=at(7))
    marker = PartMarker("a", WINDOW.id, 0, 0, 5, 3, 1, False, at(6.123456))
    other = replace(marker, part=1, watermark=None, last=True)
    assert [write_marker(world.documents, m) for m in (marker, other, replace(marker, rows=99))] == [True, True, False]
    assert read_markers(world.documents, "a", WINDOW.id) == [marker, other]
    assert has_marker(world.documents, PartName("a", WINDOW.id, 0, 0))
    assert not has_marker(world.documents, PartName("a", WINDOW.id, 1, 0))
