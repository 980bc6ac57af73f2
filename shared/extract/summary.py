"""What one invocation of the extraction did."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.counts import RecordCounts
from shared.landing import PartMetadata
from shared.ports import PipelineRun
from shared.state.runs import RunUnderWay


@dataclass(slots=True)
class ExtractSummary:
    """The parts that this invocation landed; those that it found are another's."""

    parts: int = 0
    first_part: int | None = None
    last_part: int | None = None
    rows: int = 0
    records: RecordCounts = field(default_factory=RecordCounts)
    rejected: int = 0
    """Entries that went into quarantine: records, or parts of them."""
    requests: int = 0
    full: bool | None = None
    """Whether the source's whole history is read; None before that was known."""
    continued: bool = False
    watermark_start: datetime | None = None
    """The source's watermark when the run began."""
    watermark_end: datetime | None = None
    """The highest version among the rows of this run."""

    def add(self, part: int, metadata: PartMetadata, records: RecordCounts) -> None:
        """Count a part that has landed."""
        self.parts += 1
        self.first_part = part if self.first_part is None else self.first_part
        self.last_part = part
        self.records += records
        self.rows += metadata.rows
        self.rejected += metadata.rejected
        self.watermark_end = max((w for w in (self.watermark_end, metadata.watermark) if w), default=None)

    def of(self, under_way: RunUnderWay, now: datetime, error: Exception | None) -> PipelineRun:
        """The summary of this run, ended now, by this error if by any."""
        return under_way.ended(
            now,
            error,
            continued=self.continued,
            parts=(self.first_part, self.last_part),
            full=self.full,
            records=self.records,
            rows_landed=self.rows,
            rows_loaded=None,
            watermarks=(self.watermark_start, self.watermark_end),
        )
