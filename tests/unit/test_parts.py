"""Parts: Parquet by the contract's own schema, closed at a page's end once they are big enough."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from shared.contracts.arrow import arrow_schema
from shared.contracts.incidents import INCIDENTS
from shared.extract import part as part_module
from shared.extract.part import PartBuffer
from shared.sources.family import ExtractionRange, Rows
from shared.sources.incident_io.family import settings_of
from shared.sources.incident_io.rows import incident_rows
from tests.support.incidents import encoded, incident
from tests.support.world import World, at, registry_of, source_name

SETTINGS = settings_of(registry_of("alpha").source("incident_io_alpha_incidents"))
CONSTANTS = {
    "_is_deleted": False,
    "_source": "s",
    "_window_id": "w",
    "_source_file": "f",
    "_run_id": "r",
    "_observed_at": at(7),
}


def _rows(*records: dict[str, Any]) -> Rows:
    return incident_rows(SETTINGS, [encoded(r) for r in records], ExtractionRange(at(0), at(8), full=True))


def _add(buffer: PartBuffer, rows: Rows) -> None:
    buffer.add(rows.columns, CONSTANTS, rows.count)


def test_a_null_in_the_first_row_says_nothing_about_the_second() -> None:
    """The schema is the contract's, not guessed."""
    buffer = PartBuffer(INCIDENTS)
    _add(buffer, _rows(incident("1", at(6))))
    _add(buffer, _rows(incident("2", at(6), summary="text", stamps={"Detected at": at(6.5)})))
    table = pq.read_table(io.BytesIO(buffer.close()))
    assert table.schema.equals(arrow_schema(INCIDENTS))
    assert table["SUMMARY"].to_pylist() == [None, "text"]
    assert table["DETECTED_AT"].to_pylist() == [None, at(6.5)]
    assert table["_OBSERVED_AT"].to_pylist() == [at(7)] * 2


def test_an_empty_part_is_a_file_with_the_schema() -> None:
    """A window without rows leaves a part too, so that it can be marked as done."""
    buffer = PartBuffer(INCIDENTS)
    _add(buffer, _rows())
    table = pq.read_table(io.BytesIO(buffer.close()))
    assert table.num_rows == 0
    assert table.schema.equals(arrow_schema(INCIDENTS))


def test_a_part_is_full_by_its_compressed_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a row group does not count yet."""
    monkeypatch.setattr(part_module, "PART_BYTES", 2000)
    buffer = PartBuffer(INCIDENTS)
    _add(buffer, _rows(incident("1", at(6))))
    before = buffer.full
    monkeypatch.setattr(part_module, "_ROW_GROUP_BYTES", 1)
    _add(buffer, _rows(incident("2", at(6))))
    assert (before, buffer.full, buffer.rows) == (False, True, 2)


def test_extraction_closes_a_full_part_at_a_page_s_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next part begins with the next page: nothing twice, nothing left out."""
    monkeypatch.setattr(part_module, "PART_BYTES", 1)
    monkeypatch.setattr(part_module, "_ROW_GROUP_BYTES", 1)
    world = World("alpha", now=at(7.01))
    for number in range(7):
        world.workspaces["alpha"].put(incident(f"a{number}", at(number / 2)))
    world.tick("alpha")
    assert [(s.metadata["rows"], s.metadata["last"]) for s in world.landed()] == [
        ("3", "false"),
        ("3", "false"),
        ("1", "true"),
    ]
    world.load_all()
    assert world.ids() == {f"a{n}" for n in range(7)}


def test_a_window_without_rows_leaves_one_empty_part() -> None:
    """Last, without a watermark."""
    world = World("alpha", now=at(7.01))
    world.tick("alpha")
    (stored,) = world.landed()
    assert (stored.metadata["rows"], stored.metadata["last"], stored.metadata["watermark"]) == ("0", "true", "")
    assert stored.name == f"landing/{source_name('alpha')}/20261120T0700Z/r0/part-00000.parquet"
