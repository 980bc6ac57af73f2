"""What runs did is told to the warehouse once, and telling it stops no run that did its work."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import LeaseHeld, SourceUnavailable, StorageUnavailable, WarehouseUnavailable
from shared.landing import PartMetadata
from shared.ports import PipelineRun
from shared.registry.model import Source
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.family import IncidentIo
from shared.state import layout
from shared.state.lease import acquire
from shared.state.runs import kept_runs, runs_of
from shared.transform import run as transform
from tests.support.incident_io import unavailable
from tests.support.incidents import incident, with_raw_field
from tests.support.world import World, at, source_name

ALPHA = source_name("alpha")


def _world(*incidents: dict[str, Any], hour: float = 7.01) -> World:
    world = World("alpha", now=at(hour))
    for record in incidents:
        world.workspaces["alpha"].put(record)
    return world


def _runs(world: World) -> list[PipelineRun]:
    """The runs that the state bucket tells of, the oldest first."""
    return [run for kept in kept_runs(world.documents, 100) for run in runs_of(kept, at(9))]


def test_a_run_tells_what_became_of_every_record() -> None:
    """Of the extraction and of the load of what it landed."""
    world = _world(incident("a", at(4)), incident("b", at(6)))
    world.hour()
    world.clock.move_to(at(8.01))
    world.workspaces["alpha"].put(incident("c", at(7.5)))
    bad = incident("bad", at(7.6))
    world.workspaces["alpha"].put(bad, raw=with_raw_field(bad, "severity", b'"none"'))
    assert _runs(world) == []
    world.extract_all("alpha")
    world.load_all()
    extracted, loaded = _runs(world)
    assert (extracted.step, extracted.status, extracted.error) == ("extract", "done", None)
    counts = (extracted.records_read, extracted.records_kept, extracted.records_rejected, extracted.records_skipped)
    # b lies within the lookback; a comes along because the vendor's filter knows whole days only
    assert counts == (4, 2, 1, 1)
    assert (extracted.first_part, extracted.last_part) == (0, 0)
    assert (extracted.rows_landed, extracted.rows_loaded) == (2, None)
    assert (extracted.is_full, extracted.window_id, extracted.window_end) == (False, "20261120T0800Z", at(8))
    assert (extracted.watermark_start, extracted.watermark_end) == (at(6), at(7.5))
    assert (loaded.step, loaded.rows_landed, loaded.rows_loaded) == ("load", 2, 2)
    told = (loaded.records_read, loaded.records_kept, loaded.records_rejected, loaded.records_skipped)
    assert told == counts
    assert extracted.run_id != loaded.run_id


def test_a_first_extraction_is_full() -> None:
    """And so are the loads of its parts."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.load_all()
    assert [run.is_full for run in _runs(world)] == [True, True]


def test_quiet_runs_leave_nothing_behind() -> None:
    """However many there are: the window's own row says it."""
    world = World("alpha", now=at(7.01))
    world.extract_all("alpha")
    world.load_all()
    world.load_all()
    assert world.names(layout.RUNS) == []


def test_a_failed_run_tells_its_error_and_what_it_had_landed() -> None:
    """Also one that fails before its first part."""
    world = _world(incident("a", at(5)))
    world.vendor.answer_next(*[unavailable()] * 20)
    with pytest.raises(SourceUnavailable):
        world.tick("alpha")
    (run,) = _runs(world)
    assert (run.status, run.error, run.first_part, run.rows_landed) == ("failed", "SourceUnavailable", None, 0)
    assert run.seconds == (run.finished_at - run.started_at).total_seconds() > 0
    assert world.names("leases/") == []


def test_a_delivery_that_another_keeps_out_is_no_run() -> None:
    """It did not work on the window."""
    world = _world(incident("a", at(5)))
    world.tick("alpha")
    (name,) = world.names("runs/")
    acquire(world.documents, world.clock, layout.extract_lease(ALPHA, "20261120T0700Z", 0), holder="x", seconds=60)
    with pytest.raises(LeaseHeld):
        world.tick("alpha")
    assert world.names(layout.RUNS) == [name]


def test_a_run_that_goes_on_later_says_so() -> None:
    """Each run tells its own parts."""
    world = World("alpha", now=at(7.01), soft_deadline_seconds=0)
    for number in range(7):
        world.workspaces["alpha"].put(incident(f"a{number}", at(number / 2)))
    world.extract_all("alpha")
    runs = _runs(world)
    assert [run.status for run in runs] == ["continued"] * (len(runs) - 1) + ["done"]
    assert len(runs) > 2
    assert [(run.first_part, run.last_part) for run in runs] == [(n, n) for n in range(len(runs))]
    assert sum(run.records_read or 0 for run in runs) == sum(run.rows_landed for run in runs) == 7


@pytest.mark.parametrize("step", ["extract", "load"])
def test_a_run_that_cannot_be_written_down_is_done_all_the_same(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With a warning."""
    world = _world(incident("a", at(5)))
    if step == "load":
        world.extract_all("alpha")
    world.faults.before.append(("create", "runs/", StorageUnavailable("the bucket is away")))
    if step == "extract":
        world.extract_all("alpha")
        assert world.names(layout.RUNS) == []
    world.load_all()
    assert world.faults.before == []
    assert world.ids() == {"a"}
    assert world.names("open/") == []
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (warning,) = [event for event in events if event["event"] == "run.not_recorded"]
    assert "the bucket is away" in warning["reason"]


def test_the_load_is_told_before_its_window_closes() -> None:
    """The build that the closed window starts compares what landed with what was loaded."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.load_all()
    created = [subject for effect, subject in world.faults.effects if effect == "create"]
    _, told = [n for n, name in enumerate(created) if name.startswith(layout.RUNS)]
    assert created[told + 1].startswith("markers/")
    assert any(name.startswith("closings/") for name in created[told:])


def test_a_load_that_is_delivered_again_tells_nothing_new() -> None:
    """Its part has a marker, which comes after the telling."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.load_all()
    told = world.names(layout.RUNS)
    world.load_all()
    assert world.names(layout.RUNS) == told


def test_a_load_whose_answer_was_lost_is_told_by_the_delivery_that_finishes_it() -> None:
    """With the rows that the ledger knows; the first one failed."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.faults.after.append(("load_part", "", WarehouseUnavailable("answer lost")))
    with pytest.raises(WarehouseUnavailable):
        world.load_all()
    world.load_all()
    failed, done = [run for run in _runs(world) if run.step == "load"]
    assert (failed.status, failed.error, failed.rows_loaded) == ("failed", "WarehouseUnavailable", 0)
    assert (done.status, done.rows_landed, done.rows_loaded) == ("done", 1, 1)


def test_a_load_that_fails_after_it_was_told_is_corrected() -> None:
    """The later end of a run wins: its rows are loaded, its window is not settled."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.faults.before.append(("create", "closings/", StorageUnavailable("away")))
    world.faults.hook = lambda *_: world.clock.sleep(0.001)
    with pytest.raises(StorageUnavailable):
        world.load_all()
    first, second = [run for run in _runs(world) if run.step == "load"]
    assert first.run_id == second.run_id
    world.load_all()
    world.job()
    (kept,) = [run for run in world.warehouse.runs.values() if run.step == "load"]
    assert (kept.status, kept.error, kept.rows_loaded) == ("failed", "StorageUnavailable", 1)


def test_runs_are_told_in_batches_before_the_build_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are; the lease is renewed in between."""
    monkeypatch.setattr(transform, "_RUNS_AT_ONCE", 3)
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.load_all()
    template = _runs(world)[0]
    for number in range(5):
        run = replace(template, run_id=f"run-{number}", finished_at=at(7.1 + number / 100))
        value = json.loads(json.dumps({**world.value(world.names(layout.RUNS)[0]), "run_id": run.run_id}))
        world.documents.create(layout.run(run.finished_at, run.run_id), value)
    seen: list[int] = []
    world.dbt.while_building = lambda: seen.append(len(world.warehouse.runs))
    assert world.job() == 0
    assert seen == [7]
    assert world.names(layout.RUNS) == []
    assert [effect for effect in world.faults.effects if effect == ("record", "PIPELINE_RUNS")] == [
        ("record", "PIPELINE_RUNS")
    ] * 3
    assert {run.recorded_at for run in world.warehouse.runs.values()} == {world.clock.now()}


def test_runs_stay_until_the_warehouse_has_heard_of_them() -> None:
    """A job that dies in between tells them again, to the same effect."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.load_all()
    world.faults.after.append(("record", "PIPELINE_RUNS", WarehouseUnavailable("answer lost")))
    with pytest.raises(WarehouseUnavailable):
        world.job()
    assert len(world.names(layout.RUNS)) == 2
    world.job()
    assert len(world.warehouse.runs) == 2


def test_a_document_that_tells_of_no_run_stops_no_build(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor any later one: it is reported and taken away."""
    world = _world(incident("a", at(5)))
    world.extract_all("alpha")
    world.load_all()
    world.documents.create(f"{layout.RUNS}0.json", {"run_id": "x"})
    world.documents.create(f"{layout.RUNS}1.json", {**world.value(world.names(layout.RUNS)[1]), "started_at": "noon"})
    assert world.job() == 0
    assert len(world.warehouse.runs) == 2
    assert world.names(layout.RUNS) == []
    assert capsys.readouterr().out.count('"run.unreadable"') == 2


class _Lossy(IncidentIo):
    """Forgets the last record of every page."""

    def rows(self, source: Source, pages: Sequence[RawPage], scope: Sequence[str], extraction: ExtractionRange) -> Rows:
        """See Family."""
        fewer = [replace(page, records=page.records[:-1]) for page in pages]
        return super().rows(source, fewer, scope, extraction)


def test_a_reader_that_loses_records_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    """What it did keep lands; the loss is told by the log, the part and the run."""
    world = _world(*(incident(f"a{n}", at(n)) for n in range(4)))
    world.families = {**FAMILIES, "incident_io": _Lossy()}
    world.extract_all("alpha")
    world.load_all()
    (stored,) = world.landed()
    records = PartMetadata.from_mapping(stored.name, stored.metadata).records
    assert records is not None
    assert (records.read, records.kept, records.unaccounted) == (4, 2, 2)
    for run in _runs(world):
        assert (run.records_read, run.records_kept, run.rows_landed) == (4, 2, 2)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = [event for event in events if event["event"] == "extract.records_unaccounted"]
    assert (told["severity"], told["unaccounted"], told["records_read"]) == ("ERROR", 2, 4)
