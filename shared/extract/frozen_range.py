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
    """The range of a scheduled extraction.

    By `updated_at`: from the watermark less the lookback to the window's end. By day: from the first day not read yet,
    less the days that the vendor re-states, to the last day that is complete at the source by the window's end. A
    snapshot has no range but the window itself, and existence reads what is there, of whatever age.

    Without a watermark, and once in every full-resync interval, everything since the source's history began is read. A
    watermark beyond the window's start (a late delivery of an old tick) does not cut the window short.
    """
    match source.cursor:
        case "day":
            return _days(source, window, watermark)
        case "snapshot":
            return ExtractionRange(window.start, window.end)
        case "existence":
            return _whatever_is_there(window)
    if watermark is None or _resyncs(source, window):
        return ExtractionRange(source.history_start, window.end, full=True)
    start = min(watermark, window.start) - timedelta(minutes=source.lookback_minutes)
    return ExtractionRange(max(start, source.history_start), window.end)


def _days(source: Source, window: Window, watermark: datetime | None) -> ExtractionRange:
    end = _midnight(window.end - timedelta(hours=source.availability_lag_hours))
    oldest = source.history_start
    if source.history_days is not None:
        oldest = max(oldest, end - timedelta(days=source.history_days))
    unread = oldest if watermark is None else min(watermark, end) - timedelta(days=source.repull_days)
    start = _midnight(max(unread, oldest))
    return ExtractionRange(min(start, end), end)


def _whatever_is_there(window: Window) -> ExtractionRange:
    return ExtractionRange(window.start, window.end, full=True)


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


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
    if source.cursor == "day":
        return _days(source, window, _midnight(window.start))
    if source.cursor == "existence":
        return _whatever_is_there(window)
    return ExtractionRange(window.start - timedelta(minutes=source.lookback_minutes), window.end)


def _resyncs(source: Source, window: Window) -> bool:
    return source.full_resync_cron is not None and last_instant(source.full_resync_cron, window.end) > window.start


def _to_json(extraction: ExtractionRange) -> dict[str, str | bool]:
    return {"start": to_text(extraction.start), "end": to_text(extraction.end), "full": extraction.full}


def _from_json(value: object) -> ExtractionRange:
    assert isinstance(value, dict)  # noqa: S101 - written by _to_json alone
    return ExtractionRange(from_text(value["start"]), from_text(value["end"]), value["full"])
