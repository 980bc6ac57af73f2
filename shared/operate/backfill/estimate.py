"""How much a backfill will ask of a source, judged by what its extractions have brought so far."""

from math import ceil

from shared.instants import from_text
from shared.operate.backfill.plan import Chunk
from shared.registry.model import Source
from shared.state import layout
from shared.state.documents import Documents
from shared.windows.markers import read_markers

_WINDOWS_LOOKED_AT = 30


def rows_per_day(documents: Documents, source: str) -> float | None:
    """Rows that a day of the source's range has brought, over some of its extractions; None before the first.

    The oldest ones are among them: the first extraction read the whole history, the later ones short ranges.
    """
    names = list(documents.names(layout.extraction_ranges(source)))
    half = _WINDOWS_LOOKED_AT // 2
    rows, days = 0, 0.0
    for name in dict.fromkeys([*names[:half], *names[-half:]]):
        frozen = documents.get(name)
        if frozen is None:
            continue
        revision = layout.revision_of(name)
        markers = [m for m in read_markers(documents, source, name.split("/")[2]) if m.revision == revision]
        if markers:
            rows += sum(marker.rows + marker.rejected for marker in markers)
            span = from_text(frozen.value["end"]) - from_text(frozen.value["start"])
            days += span.total_seconds() / 86_400
    return rows / days if days else None


def estimated_requests(source: Source, chunks: tuple[Chunk, ...], daily_rows: float | None) -> int | None:
    """About how many requests the chunks need: their pages, and one at least for each chunk. None without a measure."""
    if daily_rows is None:
        return None
    spans = [(chunk.extraction.end - chunk.extraction.start).total_seconds() / 86_400 for chunk in chunks]
    return sum(max(1, ceil(daily_rows * days / source.page_size)) for days in spans)
