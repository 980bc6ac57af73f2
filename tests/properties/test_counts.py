"""Records are counted once, whatever they are made of."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.contract import Column, Contract, Kind
from shared.counts import RecordCounts
from shared.sources.family import ExtractionRange
from shared.sources.record import Refused
from shared.sources.table import Row, Table

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
THINGS = Contract(
    name="things",
    table="THINGS",
    grain="One row a thing.",
    keys=("id",),
    version="updated_at",
    anchor="updated_at",
    cluster_by="updated_at",
    columns=(
        Column("id", Kind.TEXT, "", True),
        Column("updated_at", Kind.INSTANT, "", True),
        Column("payload", Kind.JSON, "", True),
    ),
)
PARTS = st.lists(st.sampled_from(["good", "old", "bad"]), max_size=4)


def _convert(part: bytes, payload: str) -> Iterable[Row]:
    fate = part.decode()
    if fate == "bad":
        raise Refused("bad", "it is")
    yield Row({"id": "a", "updated_at": NOON - timedelta(days=1) if fate == "old" else NOON}, payload)


@given(st.lists(PARTS, max_size=12))
def test_every_record_has_exactly_one_fate(records: Sequence[Sequence[str]]) -> None:
    """And every part its own: a row, an entry in quarantine, or neither."""
    table = Table(THINGS, ExtractionRange(NOON, NOON + timedelta(hours=1)))
    for parts in records:
        table.add_parts((part.encode() for part in parts), _convert)
    rows = table.rows()
    rejected = sum("bad" in parts for parts in records)
    kept = sum("good" in parts and "bad" not in parts for parts in records)
    assert rows.records(len(records)) == RecordCounts(len(records), kept, rejected, len(records) - kept - rejected)
    every = [part for parts in records for part in parts]
    assert (rows.count, len(rows.rejections)) == (every.count("good"), every.count("bad"))


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=5))
def test_counts_add_up(numbers: Sequence[tuple[int, int, int, int]]) -> None:
    """What is lost in one part is not hidden by what is right in another."""
    counts = [RecordCounts(*four) for four in numbers]
    assert sum(counts, RecordCounts()).unaccounted == sum(count.unaccounted for count in counts)
