"""What runs did, in the state bucket until the dbt job has told the warehouse: one small document a run."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

from shared import logs
from shared.contracts.contract import Kind
from shared.contracts.pipeline_runs import PIPELINE_RUNS
from shared.counts import RecordCounts
from shared.instants import from_text, to_text
from shared.ports import PipelineRun
from shared.state import layout
from shared.state.documents import Document, Documents
from shared.windows.window import Window

_INSTANTS = {column.name for column in PIPELINE_RUNS.columns if column.kind is Kind.INSTANT}
_REQUIRED = {column.name for column in PIPELINE_RUNS.columns if column.required} - {"recorded_at"}


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """A run that has begun to work on a source and window."""

    step: Literal["extract", "load"]
    run_id: str
    source: str
    window: Window
    revision: int
    started_at: datetime

    def ended(
        self,
        now: datetime,
        error: Exception | None,
        *,
        parts: tuple[int | None, int | None],
        full: bool | None,
        records: RecordCounts | None,
        rows_landed: int,
        rows_loaded: int | None,
        watermarks: tuple[datetime | None, datetime | None],
        continued: bool = False,
    ) -> PipelineRun:
        """What became of it by `now`; `parts` are the first and the last one, `watermarks` those at start and end."""
        counted: dict[str, int | None] = dict.fromkeys(("read", "kept", "rejected", "skipped"))
        if records is not None:
            counted.update(asdict(records))
        return PipelineRun(
            run_id=self.run_id,
            step=self.step,
            pipeline=self.window.pipeline,
            source=self.source,
            window_id=self.window.id,
            window_end=self.window.end,
            revision=self.revision,
            first_part=parts[0],
            last_part=parts[1],
            is_full=full,
            started_at=self.started_at,
            finished_at=now,
            seconds=(now - self.started_at).total_seconds(),
            status="failed" if error is not None else "continued" if continued else "done",
            error=type(error).__name__ if error is not None else None,
            records_read=counted["read"],
            records_kept=counted["kept"],
            records_rejected=counted["rejected"],
            records_skipped=counted["skipped"],
            rows_landed=rows_landed,
            rows_loaded=rows_loaded,
            watermark_start=watermarks[0],
            watermark_end=watermarks[1],
        )


def is_quiet(run: PipelineRun) -> bool:
    """Whether nothing came of it: nothing was read, there are no rows and no error.

    A quiet stream has two of them every few minutes, which say no more than the window's own row.
    """
    return run.error is None and not any((run.records_read, run.records_rejected, run.rows_landed, run.rows_loaded))


def keep_run(documents: Documents, run: PipelineRun) -> None:
    """Write what a run did, unless nothing came of it; a run that did its work never fails for this."""
    if is_quiet(run):
        return
    value = {name: to_text(v) if isinstance(v, datetime) else v for name, v in asdict(run).items()}
    try:
        documents.create(layout.run(run.finished_at, run.run_id), value)
    except Exception as exc:  # noqa: BLE001 - the run's outcome is its work's, whatever keeps us from writing it down
        logs.warning(
            "run.not_recorded", reason=f"{type(exc).__name__}: {exc}", message="PIPELINE_RUNS will lack this run"
        )


def kept_runs(documents: Documents, most: int) -> Iterator[list[Document]]:
    """All documents of runs, the oldest first, at most so many at once."""
    names = list(documents.names(layout.RUNS))
    for start in range(0, len(names), most):
        found = (documents.get(name) for name in names[start : start + most])
        yield [document for document in found if document is not None]


def runs_of(kept: Iterable[Document], recorded_at: datetime) -> list[PipelineRun]:
    """The runs that the documents tell of; one that cannot be read is logged and left out."""
    runs = []
    for document in kept:
        try:
            runs.append(replace(_run_of(document), recorded_at=recorded_at))
        except (KeyError, ValueError, TypeError) as exc:
            logs.error("run.unreadable", document=document.name, message=f"{document.name} tells of no run: {exc!r}")
    return runs


def _run_of(document: Document) -> PipelineRun:
    values: dict[str, Any] = {}
    for field in fields(PipelineRun):
        value = document.value[field.name] if field.name in _REQUIRED else document.value.get(field.name)
        values[field.name] = from_text(value) if field.name in _INSTANTS and value is not None else value
    return PipelineRun(**values)
