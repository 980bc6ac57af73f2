"""Windows of any schedule neither gap nor overlap."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.windows.schedule import window_at, windows_between
from shared.windows.watermark import Watermark, advanced
from shared.windows.window import Window, end_of_id

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    lists = st.lists(numbers, min_size=1, max_size=4, unique=True).map(lambda ns: ",".join(map(str, sorted(ns))))
    steps = st.integers(2, high).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), lists, steps)


CRONS = st.tuples(_field(0, 59), _field(0, 23), st.one_of(st.just("*"), _field(1, 28)), st.just("*"), _field(0, 6)).map(
    " ".join
)


@given(CRONS, INSTANTS)
def test_the_window_of_a_moment_ends_at_or_before_it_and_the_next_one_begins_there(cron: str, moment: datetime) -> None:
    """The windows of consecutive instants touch."""
    window = window_at("p", cron, moment)
    assert window.start < window.end <= moment
    assert window_at("p", cron, window.end) == window
    before = window_at("p", cron, window.end - timedelta(microseconds=1))
    assert before.end == window.start


@given(CRONS, INSTANTS, st.integers(1, 60 * 24 * 3))
def test_windows_between_cover_their_span_without_gap_or_overlap(cron: str, start: datetime, span: int) -> None:
    """Each begins where the one before ended; the last one is the last tick's."""
    end = start + timedelta(minutes=span)
    windows = windows_between("p", cron, start, end)
    for one, next_one in pairwise(windows):
        assert one.end == next_one.start
    for window in windows:
        assert start < window.end <= end
        assert window_at("p", cron, window.end) == window
    assert (windows[-1] if windows else None) == (last if (last := window_at("p", cron, end)).end > start else None)


@given(INSTANTS, st.integers(1, 10**6))
def test_a_window_is_read_back_from_its_interval_and_its_end_from_its_id(start: datetime, minutes: int) -> None:
    """Nothing is lost in names."""
    start = start.replace(second=0, microsecond=0)
    window = Window("p", start, start + timedelta(minutes=minutes))
    assert Window.from_interval("p", window.interval) == window
    assert end_of_id(window.id) == window.end


@given(st.lists(st.tuples(st.one_of(st.none(), INSTANTS), INSTANTS), max_size=12), st.randoms())
def test_a_watermark_never_moves_back_and_any_order_leads_to_the_same(
    windows: list[tuple[datetime | None, datetime]], random: object
) -> None:
    """Windows may complete in any order, and twice."""
    reached = Watermark()
    for highest, end in windows:
        after = advanced(reached, highest, end)
        assert (reached.value is None) or (after.value is not None and after.value >= reached.value)
        assert (reached.covered_to is None) or (after.covered_to is not None and after.covered_to >= reached.covered_to)
        assert after.value is None or after.covered_to is None or after.value <= after.covered_to
        reached = after
    again = Watermark()
    for highest, end in sorted(windows * 2, key=lambda w: (w[1], w[0] is None), reverse=True):
        again = advanced(again, highest, end)
    assert again == reached
