"""Whatever stretch is asked for: its chunks are whole, in order, readable, and run under windows of the past."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.operate.backfill.plan import Chunk, Stretch, plan_source
from shared.registry import Source, registry
from shared.windows.schedule import last_instant

DAY = timedelta(days=1)
SOURCES = [source for source in registry().sources.values() if source.cursor in ("updated_at", "day")]

days = st.integers(0, 1500).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + n * DAY)


@given(
    source=st.sampled_from(SOURCES),
    start=days,
    length=st.integers(1, 900),
    chunk_days=st.integers(1, 400),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds UTC
)
def test_chunks_cover_what_can_be_read_of_the_stretch_once(
    source: Source, start: datetime, length: int, chunk_days: int, now: datetime
) -> None:
    """Neither gap nor overlap; what is cut off is told."""
    pipeline = registry().pipeline_of(source)
    stretch = Stretch(start, start + length * DAY, chunk_days)
    plan = plan_source(registry(), source, stretch, now)
    ranges = [chunk.extraction for chunk in plan.chunks]
    assert all(a.end == b.start for a, b in pairwise(ranges))
    assert all(timedelta(0) < r.end - r.start <= chunk_days * DAY for r in ranges)
    for chunk in plan.chunks:
        assert stretch.start <= chunk.extraction.start < chunk.extraction.end <= min(stretch.end, now)
        assert chunk.extraction.start >= source.history_start
        assert chunk.window.end == last_instant(pipeline.cron, chunk.extraction.end) <= now
        assert Chunk.from_json(source.name, pipeline.name, chunk.to_json()) == chunk
        if source.cursor == "day":
            assert chunk.extraction.start.time() == chunk.extraction.end.time() == datetime.min.time()
            assert chunk.extraction.end + timedelta(hours=source.availability_lag_hours) <= now
    whole = bool(ranges) and (ranges[0].start, ranges[-1].end) == (stretch.start, stretch.end)
    assert whole != bool(plan.notes)
