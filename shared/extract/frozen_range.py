"""Which versions an extraction reads: chosen once by part 0 and frozen, so that every continuation reads the same."""

from datetime import datetime, timedelta

from shared.instants import from_text, to_text
from shared.registry.model import Source
from shared.sources.family import ExtractionRange
from shared.state import layout
from shared.state.documents import Documents
from shared.windows.schedule import last_instant
from shared.windows.window import Window


def choose_range(source: Source, window: Window, watermark: datetime | None) -> ExtractionRange:
    """The range of a scheduled extraction: from the watermark less the lookback to the window's end.

    Without a watermark, and once in every full-resync interval, everything since the source's history began is read. A
    watermark beyond the window's start (a late delivery of an old tick) does not cut the window short.
    """
    if watermark is None or _resyncs(source, window):
        return ExtractionRange(source.history_start, window.end, full=True)
    start = min(watermark, window.start) - timedelta(minutes=source.lookback_minutes)
    return ExtractionRange(max(start, source.history_start), window.end)


def freeze_range(
    documents: Documents, source: Source, window: Window, revision: int, watermark: datetime | None
) -> ExtractionRange:
    """The extraction's frozen range, choosing it when nobody has.

    A later revision reads what the scheduled one read, or the window itself when that never started.
    """
    name = layout.extraction_range(source.name, window.id, revision)
    found = documents.get(name)
    if found is None:
        found, _ = documents.create(name, _to_json(_choose(documents, source, window, revision, watermark)))
    return _from_json(found.value)


def _choose(
    documents: Documents, source: Source, window: Window, revision: int, watermark: datetime | None
) -> ExtractionRange:
    if revision == 0:
        return choose_range(source, window, watermark)
    scheduled = documents.get(layout.extraction_range(source.name, window.id, 0))
    if scheduled is not None:
        return _from_json(scheduled.value)
    return ExtractionRange(window.start - timedelta(minutes=source.lookback_minutes), window.end)


def _resyncs(source: Source, window: Window) -> bool:
    return source.full_resync_cron is not None and last_instant(source.full_resync_cron, window.end) > window.start


def _to_json(extraction: ExtractionRange) -> dict[str, str | bool]:
    return {"start": to_text(extraction.start), "end": to_text(extraction.end), "full": extraction.full}


def _from_json(value: object) -> ExtractionRange:
    assert isinstance(value, dict)  # noqa: S101 - written by _to_json alone
    return ExtractionRange(from_text(value["start"]), from_text(value["end"]), value["full"])
