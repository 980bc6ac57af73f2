"""Watermarks: how far a source is. They move forward only, by compare-and-swap, when a window is complete.

`value` is the highest version that was loaded, at most the window's end: one record dated in the future must not stop a
source. `covered_to` is the end of the newest complete window, also of one without rows.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.errors import StateConflict
from shared.instants import from_text, to_text
from shared.state import layout
from shared.state.documents import Document, Documents


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a source is; `value` is None until a row was loaded."""

    value: datetime | None = None
    covered_to: datetime | None = None


def advanced(watermark: Watermark, highest: datetime | None, window_end: datetime) -> Watermark:
    """The watermark after a complete window whose highest version is `highest` (None without rows)."""
    return Watermark(
        _later(watermark.value, None if highest is None else min(highest, window_end)),
        _later(watermark.covered_to, window_end),
    )


def read_watermark(documents: Documents, source: str) -> Watermark:
    """The source's watermark; an empty one before the first complete window."""
    return _parse(documents.get(layout.watermark(source)))


def move_watermark(
    documents: Documents, source: str, highest: datetime | None, window_end: datetime
) -> tuple[Watermark, Watermark]:
    """Advance the stored watermark; returns it before and after. Retries a lost race, since moving forward commutes."""
    while True:
        document = documents.get(layout.watermark(source))
        before = _parse(document)
        after = advanced(before, highest, window_end)
        if after == before:
            return before, after
        try:
            if document is not None:
                documents.replace(document, _to_json(after))
                return before, after
            if documents.create(layout.watermark(source), _to_json(after))[1]:
                return before, after
        except StateConflict:
            continue


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    return max((i for i in (a, b) if i is not None), default=None)


def _parse(document: Document | None) -> Watermark:
    if document is None:
        return Watermark()
    value, covered_to = document.value.get("value"), document.value.get("covered_to")
    return Watermark(from_text(value) if value else None, from_text(covered_to) if covered_to else None)


def _to_json(watermark: Watermark) -> dict[str, str | None]:
    return {
        "value": None if watermark.value is None else to_text(watermark.value),
        "covered_to": None if watermark.covered_to is None else to_text(watermark.covered_to),
    }
