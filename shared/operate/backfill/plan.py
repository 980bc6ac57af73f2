"""What a backfill reads: a stretch of the past, cut into chunks. Decisions only, no I/O.

A chunk reads exactly its own range [start, end), whatever the watermark says:

updated_at   the versions from start to end (a source that filters by whole days may bring some of the days beside them)
day          the whole days from start to end that are complete at the source and that it can still be asked for
snapshot     cannot: the source shows the present only
existence    cannot: what is spooled is gone once it was drained

It runs as a revision above 0 of the scheduled window that ended last by the chunk's end. So it is loaded, settled and
built as every revision is, and moves no watermark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import ConfigurationError
from shared.instants import from_text, to_text
from shared.registry.load import Registry
from shared.registry.model import Source
from shared.sources.family import ExtractionRange
from shared.windows.schedule import last_instant, window_at
from shared.windows.window import Window

_CANNOT = {
    "snapshot": "it shows the present only; a backfill would bring today's state under a past date",
    "existence": "what it reads is gone once it was drained; read the objects themselves again instead (backfill the "
    "source that polls them)",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One extraction of a backfill: what it reads, and the window that it runs under."""

    source: str
    number: int
    window: Window
    extraction: ExtractionRange

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        start, end = self.extraction.start, self.extraction.end
        return {"number": self.number, "window": self.window.interval, "start": to_text(start), "end": to_text(end)}

    @classmethod
    def from_json(cls, source: str, pipeline: str, value: Mapping[str, Any]) -> "Chunk":
        """The chunk that to_json wrote."""
        extraction = ExtractionRange(from_text(value["start"]), from_text(value["end"]))
        return cls(source, value["number"], Window.from_interval(pipeline, value["window"]), extraction)


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """A source's part in a backfill. `name` is the same for the same request, so that running it again goes on."""

    source: str
    name: str
    chunks: tuple[Chunk, ...]
    notes: tuple[str, ...] = ()
    """What of the request is left out, and why."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a person asked for: from start to end, in chunks of at most so many days."""

    start: datetime
    end: datetime
    chunk_days: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ConfigurationError([f"backfill: {to_text(self.start)} is not before {to_text(self.end)}"])
        if self.chunk_days < 1:
            raise ConfigurationError([f"backfill: chunks of {self.chunk_days} days; give at least 1"])

    @property
    def name(self) -> str:
        """Names the request in the state bucket."""
        return f"{self.start:%Y%m%dT%H%MZ}-{self.end:%Y%m%dT%H%MZ}-{self.chunk_days}d"


def parse_bound(text: str) -> datetime:
    """A day (its beginning in UTC) or an instant on a whole minute. Raises ConfigurationError."""
    try:
        instant = (
            datetime.fromisoformat(text).replace(tzinfo=UTC) if len(text) == len("2026-01-01") else from_text(text)
        )
    except ValueError as exc:
        raise ConfigurationError([f"{text!r} is neither a day (2026-01-01) nor an instant: {exc}"]) from exc
    if instant.second or instant.microsecond:
        raise ConfigurationError([f"{text!r} is not on a whole minute"])
    return instant


def sources_of(registry: Registry, name: str) -> list[Source]:
    """The source of that name, or the enabled sources of the pipeline of that name. Raises ConfigurationError."""
    if name in registry.pipelines:
        return registry.enabled(name)
    if name in registry.sources:
        return [registry.sources[name]]
    known = ", ".join([*sorted(registry.pipelines), *sorted(registry.sources)])
    raise ConfigurationError([f"{name!r} is neither a pipeline nor a source; the registry knows: {known}"])


def split_capable(sources: Sequence[Source]) -> tuple[list[Source], dict[str, str]]:
    """The sources that can be asked for the past, and why the others cannot.

    Raises ConfigurationError when none can.
    """
    refused = {source.name: _CANNOT[source.cursor] for source in sources if source.cursor in _CANNOT}
    capable = [source for source in sources if source.name not in refused]
    if not capable:
        raise ConfigurationError(
            [f"{name} cannot be backfilled: {why}" for name, why in refused.items()]
            or ["no enabled source to backfill"]
        )
    return capable, refused


def plan_source(registry: Registry, source: Source, stretch: Stretch, now: datetime) -> SourcePlan:
    """The chunks of one source, oldest first; none when nothing of the stretch can be read.

    Raises ConfigurationError for a source that is read by days when the stretch begins or ends within one.
    """
    pipeline = registry.pipeline_of(source)
    first, last, notes = _readable(source, stretch, now, pipeline.cron)
    chunks: list[Chunk] = []
    start = first
    while start < last:
        end = min(start + timedelta(days=stretch.chunk_days), last)
        window = window_at(pipeline.name, pipeline.cron, end)
        chunks.append(Chunk(source.name, len(chunks), window, ExtractionRange(start, end)))
        start = end
    return SourcePlan(source.name, stretch.name, tuple(chunks), tuple(notes))


def _readable(source: Source, stretch: Stretch, now: datetime, cron: str) -> tuple[datetime, datetime, list[str]]:
    notes = []
    oldest, newest = source.history_start, last_instant(cron, now)
    why_oldest, why_newest = "the registry's history_from", "the live windows bring what comes after"
    if source.cursor == "day":
        if any(_midnight(instant) != instant for instant in (stretch.start, stretch.end)):
            raise ConfigurationError([f"{source.name} is read by whole days (UTC); give days, as 2026-01-01"])
        newest = _midnight(newest - timedelta(hours=source.availability_lag_hours))
        why_newest = f"a later day is not complete at the source ({source.availability_lag_hours:g} h after its end)"
        if source.history_days is not None and newest - timedelta(days=source.history_days) > oldest:
            oldest, why_oldest = newest - timedelta(days=source.history_days), "the source keeps no more"
    start, end = max(stretch.start, oldest), min(stretch.end, newest)
    if start > stretch.start:
        notes.append(f"begins at {to_text(start)}: {why_oldest}")
    if end < stretch.end:
        notes.append(f"ends at {to_text(end)}: {why_newest}")
    return start, end, notes


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
