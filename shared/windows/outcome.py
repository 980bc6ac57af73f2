"""What a window's markers amount to. Decisions only, no I/O.

A source of a window is complete (its markers are), superseded (a later window of it is complete, and read everything
from the unmoved watermark on), or missing. What reads spooled events is not superseded by that: a later window leaves
out what an open one lists, and lists what is still there once that one is closed. A window is complete when no source
is missing, partial when its deadline passes while one is, and open until then.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.windows.markers import PartMarker, complete_markers
from shared.windows.opening import Expected


class SourceStatus(StrEnum):
    """Where a source stands in a window."""

    COMPLETE = "complete"
    SUPERSEDED = "superseded"
    MISSING = "missing"


class WindowStatus(StrEnum):
    """Where a window stands."""

    OPEN = "open"
    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """A source's part in a window; `markers` are those of its complete revisions."""

    source: str
    status: SourceStatus
    markers: tuple[PartMarker, ...] = ()

    @property
    def rows(self) -> int:
        """Rows landed."""
        return sum(marker.rows for marker in self.markers)

    @property
    def rejected(self) -> int:
        """Records in quarantine."""
        return sum(marker.rejected for marker in self.markers)

    @property
    def scheduled_watermark(self) -> datetime | None:
        """The highest version of the scheduled extraction; replays do not count."""
        versions = [m.watermark for m in self.markers if m.revision == 0 and m.watermark is not None]
        return max(versions, default=None)

    @property
    def scheduled_complete(self) -> bool:
        """Whether the scheduled extraction itself is complete."""
        return any(marker.revision == 0 for marker in self.markers)


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """What is known of a window now."""

    expected: Expected
    status: WindowStatus
    sources: tuple[SourceOutcome, ...]

    @property
    def missing(self) -> list[str]:
        """Sources that have not reported."""
        return [source.source for source in self.sources if source.status is SourceStatus.MISSING]

    @property
    def rows(self) -> int:
        """Rows landed by all sources."""
        return sum(source.rows for source in self.sources)

    @property
    def digest(self) -> str:
        """Names the parts that the window stands for: a part more, and the digest is another one."""
        lines = [
            f"{m.source} {m.window_id} r{m.revision} part-{m.part:05d} {m.generation}"
            for source in self.sources
            for m in source.markers
        ]
        return hashlib.sha256("\n".join([self.expected.window.id, *sorted(lines)]).encode()).hexdigest()[:32]


def window_outcome(
    expected: Expected,
    markers: Mapping[str, Sequence[PartMarker]],
    covered_to: Mapping[str, datetime | None],
    now: datetime,
) -> WindowOutcome:
    """The outcome from each expected source's markers and how far its later windows cover it."""
    sources = tuple(
        _source_outcome(
            source,
            markers.get(source, ()),
            None if expected.reads_spool(source) else covered_to.get(source),
            expected.window.end,
        )
        for source in expected.sources
    )
    if all(source.status is not SourceStatus.MISSING for source in sources):
        status = WindowStatus.COMPLETE
    elif now >= expected.deadline_at:
        status = WindowStatus.PARTIAL
    else:
        status = WindowStatus.OPEN
    return WindowOutcome(expected, status, sources)


def _source_outcome(
    source: str, markers: Sequence[PartMarker], covered_to: datetime | None, end: datetime
) -> SourceOutcome:
    done = tuple(complete_markers(markers))
    if done:
        return SourceOutcome(source, SourceStatus.COMPLETE, done)
    if covered_to is not None and covered_to >= end:
        return SourceOutcome(source, SourceStatus.SUPERSEDED)
    return SourceOutcome(source, SourceStatus.MISSING)
