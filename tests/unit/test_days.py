"""Sources that are read by whole days: which days a window reads, frozen once, and how they are cut into runs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.extract.frozen_range import choose_range, freeze_range
from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages
from shared.registry.model import Source
from shared.sources.days import by_days, days_of
from shared.sources.family import ExtractionRange
from shared.windows.watermark import move_watermark, read_watermark
from shared.windows.window import Window
from tests.support.ai_tools import source_of, tools_registry, window_of
from tests.support.world import World

WINDOW = window_of(date(2026, 6, 10))
"""9 June 14:30 to 10 June 14:30 UTC."""


def _source(
    lag: float = 6, repull: int = 2, history_from: str = "2026-01-01T00:00:00Z", history_days: int = 360
) -> Source:
    return tools_registry(
        "g2",
        availability_lag_hours=lag,
        repull_days=repull,
        history_from=history_from,
        history_days=history_days,
    ).source(source_of("g2"))


def _at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def _range(extraction: ExtractionRange) -> tuple[datetime, datetime]:
    return extraction.start, extraction.end


@pytest.mark.parametrize(
    ("lag", "last"),
    [(0, 9), (6, 9), (14.5, 9), (14.51, 8), (24, 8), (38.5, 8), (38.6, 7), (48, 7), (24 * 7, 2)],
)
def test_the_last_day_is_the_newest_that_is_complete_at_the_tool(lag: float, last: int) -> None:
    """Counted from the day's end to the window's end; never the day that is still going on."""
    end = choose_range(_source(lag=lag), WINDOW, None).end
    assert end == _at(6, last) + timedelta(days=1)
    assert end + timedelta(hours=lag) <= WINDOW.end
    assert end + timedelta(days=1, hours=lag) > WINDOW.end


def test_the_first_extraction_reads_the_history_as_far_as_the_tool_keeps_it() -> None:
    """From where it began, or the days that the vendor can be asked for."""
    assert _range(choose_range(_source(), WINDOW, None)) == (_at(1, 1), _at(6, 10))
    assert _range(choose_range(_source(history_days=30), WINDOW, None)) == (_at(5, 11), _at(6, 10))


@pytest.mark.parametrize(("repull", "first"), [(0, 9), (1, 8), (2, 7), (5, 4)])
def test_a_daily_window_reads_the_new_day_and_the_days_before_it_again(repull: int, first: int) -> None:
    """As many as the vendor re-states."""
    assert _range(choose_range(_source(repull=repull), WINDOW, _at(6, 9))) == (_at(6, first), _at(6, 10))


def test_days_that_were_missed_are_read_by_the_next_good_window() -> None:
    """The watermark did not move meanwhile."""
    assert _range(choose_range(_source(), WINDOW, _at(6, 5))) == (_at(6, 3), _at(6, 10))


def test_what_the_tool_no_longer_keeps_is_not_asked_for() -> None:
    """However long it was broken."""
    assert choose_range(_source(history_days=30), WINDOW, _at(1, 5)).start == _at(5, 11)
    assert choose_range(_source(history_from="2026-06-08T00:00:00Z"), WINDOW, _at(6, 9)).start == _at(6, 8)


def test_a_window_without_a_new_day_reads_the_trailing_days_again() -> None:
    """A late delivery of an old tick, too: it reads its own days, not those after its end."""
    assert _range(choose_range(_source(), WINDOW, _at(6, 10))) == (_at(6, 8), _at(6, 10))
    assert _range(choose_range(_source(), WINDOW, _at(6, 20))) == (_at(6, 8), _at(6, 10))


def test_before_the_first_complete_day_there_is_nothing_to_read() -> None:
    """An empty range, not one that goes backwards."""
    extraction = choose_range(_source(history_from="2026-06-20T00:00:00Z"), WINDOW, None)
    assert extraction.start == extraction.end
    assert days_of(extraction) == []


def test_the_range_is_frozen_by_whoever_comes_first() -> None:
    """A continuation after the watermark moved still reads the same days."""
    world = World(now=WINDOW.end)
    first = freeze_range(world.documents, _source(), WINDOW, 0, _at(6, 9))
    assert freeze_range(world.documents, _source(repull=5), WINDOW, 0, _at(6, 10)) == first


def test_a_replay_reads_the_days_of_its_window_whenever_it_comes() -> None:
    """Those that the scheduled extraction read; its own new day and the trailing ones when that never began."""
    world = World(now=WINDOW.end)
    scheduled = freeze_range(world.documents, _source(), WINDOW, 0, _at(6, 5))
    assert freeze_range(world.documents, _source(), WINDOW, 1, _at(8, 1)) == scheduled
    other = World(now=WINDOW.end)
    replay = freeze_range(other.documents, _source(), WINDOW, 3, _at(8, 1))
    assert _range(replay) == (_at(6, 7), _at(6, 10))


def test_the_watermark_moves_over_days_without_rows_and_never_back() -> None:
    """What was read is read, whatever was in it."""
    world = World(now=WINDOW.end)
    for number, day in enumerate((9, 10, 9)):
        window = Window(WINDOW.pipeline, WINDOW.start + timedelta(days=number), WINDOW.end + timedelta(days=number))
        move_watermark(world.documents, "s", _at(6, day), window.end)
    assert read_watermark(world.documents, "s").value == _at(6, 10)


# runs of days


def _requests(flow: PageFlow) -> Iterator[PageRequest]:
    request = next(flow, None)
    while request is not None:
        yield request
        try:
            request = flow.send(PageSeen(1))
        except StopIteration:
            return


JUNE = ExtractionRange(_at(6, 1), _at(6, 21))


def _runs(most: int, resume: str = "", extraction: ExtractionRange = JUNE) -> list[tuple[str, int, str]]:
    flow = by_days(extraction, resume, most, lambda first, last: cursor_pages(f"/{first}/{last}", (), parameter="c"))
    return [(request.path, len(request.scope), request.resume) for request in _requests(flow)]


def test_days_are_asked_for_in_runs_as_long_as_the_vendor_allows() -> None:
    """Each is a scope that is read as a whole, and can be begun again."""
    assert _runs(8) == [
        ("/2026-06-01/2026-06-08", 8, "2026-06-01"),
        ("/2026-06-09/2026-06-16", 8, "2026-06-09"),
        ("/2026-06-17/2026-06-20", 4, "2026-06-17"),
    ]
    assert len(_runs(1)) == 20
    assert _runs(31) == [("/2026-06-01/2026-06-20", 20, "2026-06-01")]


def test_a_continuation_begins_with_one_day_and_grows_again() -> None:
    """What was too long for one invocation would be too long for the next one as well."""
    assert [(path, count) for path, count, _ in _runs(8, resume="2026-06-03")] == [
        ("/2026-06-03/2026-06-03", 1),
        ("/2026-06-04/2026-06-05", 2),
        ("/2026-06-06/2026-06-09", 4),
        ("/2026-06-10/2026-06-17", 8),
        ("/2026-06-18/2026-06-20", 3),
    ]
    assert _runs(1, resume="2026-06-19") == [
        ("/2026-06-19/2026-06-19", 1, "2026-06-19"),
        ("/2026-06-20/2026-06-20", 1, "2026-06-20"),
    ]


def test_a_range_without_days_has_no_requests() -> None:
    """Nor has one that is read to its end."""
    assert _runs(8, extraction=ExtractionRange(_at(6, 1), _at(6, 1))) == []
    assert _runs(8, resume="2026-06-21") == []


def test_days_are_those_of_utc() -> None:
    """From the first whole one to the one before the end."""
    assert days_of(ExtractionRange(_at(6, 1), _at(6, 3))) == [date(2026, 6, 1), date(2026, 6, 2)]
