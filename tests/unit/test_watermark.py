"""Watermarks move forward only, never beyond the window's end, by compare-and-swap."""

import pytest

from shared.windows.watermark import Watermark, advanced, move_watermark, read_watermark
from tests.support.world import World, at


def test_the_watermark_is_the_highest_version_at_most_the_window_s_end() -> None:
    """One record dated in the future must not stop a source."""
    assert advanced(Watermark(), at(6.5), at(7)) == Watermark(at(6.5), at(7))
    assert advanced(Watermark(), at(900), at(7)) == Watermark(at(7), at(7))


def test_a_window_without_rows_moves_the_coverage_only() -> None:
    """The next window reads from the last version that was seen."""
    assert advanced(Watermark(at(5), at(6)), None, at(7)) == Watermark(at(5), at(7))
    assert advanced(Watermark(), None, at(7)) == Watermark(None, at(7))


def test_it_never_moves_back() -> None:
    """A late window of the past changes nothing."""
    now = Watermark(at(6.5), at(7))
    assert advanced(now, at(2.5), at(3)) == now
    assert advanced(now, at(6.9), at(6)) == Watermark(at(6.5), at(7))


def test_it_is_stored_and_read_back() -> None:
    """Before and after are told; nothing is written when nothing moves."""
    world = World(now=at(7))
    assert read_watermark(world.documents, "s") == Watermark()
    assert move_watermark(world.documents, "s", at(6.5), at(7)) == (Watermark(), Watermark(at(6.5), at(7)))
    generation = world.documents.get("watermarks/s.json")
    move_watermark(world.documents, "s", at(3), at(4))
    assert world.documents.get("watermarks/s.json") == generation
    assert read_watermark(world.documents, "s") == Watermark(at(6.5), at(7))


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("hour", [6, 8])
def test_a_lost_race_is_run_again_from_what_is_there_now(*, existing: bool, hour: int) -> None:
    """Moving forward commutes: both moves count, whoever comes first and whichever is further."""
    world = World(now=at(7))
    if existing:
        move_watermark(world.documents, "s", at(4), at(5))

    def other_moves(moment: str, effect: str, subject: str) -> None:
        if moment == "before" and effect in ("create", "replace"):
            world.faults.hook = None
            move_watermark(world.documents, "s", at(hour - 0.5), at(hour))

    world.faults.hook = other_moves
    move_watermark(world.documents, "s", at(6.5), at(7))
    furthest = max(hour, 7)
    assert read_watermark(world.documents, "s") == Watermark(at(furthest - 0.5), at(furthest))
