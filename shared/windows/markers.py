"""Part markers: which parts of a source's window are done. The warehouse is not asked.

A revision is complete when its markers run from part 0 to one that says it is the last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.instants import from_text, to_text
from shared.landing import PartName
from shared.state import layout
from shared.state.documents import Documents


@dataclass(frozen=True, slots=True, order=True)
class PartMarker:
    """A part that is done: loaded, empty, or taken to quarantine as a whole."""

    source: str
    window_id: str
    revision: int
    part: int
    generation: int
    rows: int
    rejected: int
    last: bool
    watermark: datetime | None


def write_marker(documents: Documents, marker: PartMarker) -> bool:
    """Write the marker, once; tells whether this call did."""
    name = layout.marker(marker.source, marker.window_id, marker.revision, marker.part)
    metadata = {
        "source": marker.source,
        "window_id": marker.window_id,
        "revision": str(marker.revision),
        "part": str(marker.part),
        "generation": str(marker.generation),
        "rows": str(marker.rows),
        "rejected": str(marker.rejected),
        "last": "true" if marker.last else "false",
        "watermark": "" if marker.watermark is None else to_text(marker.watermark),
    }
    # in the metadata, not in the content: one listing then tells all
    return documents.bucket.create(name, b"{}", owner=documents.new_token(), metadata=metadata).created


def has_marker(documents: Documents, part: PartName) -> bool:
    """Whether the part is done."""
    return documents.exists(layout.marker(part.source, part.window_id, part.revision, part.part))


def read_markers(documents: Documents, source: str, window_id: str) -> list[PartMarker]:
    """Every marker of a source's window, of all revisions."""
    return [_parse(described.metadata) for described in documents.bucket.list(layout.markers(source, window_id))]


def complete_markers(markers: Iterable[PartMarker]) -> list[PartMarker]:
    """The markers of complete revisions, in order; empty when none is complete."""
    by_revision: dict[int, dict[int, PartMarker]] = {}
    for marker in markers:
        by_revision.setdefault(marker.revision, {})[marker.part] = marker
    done: list[PartMarker] = []
    for _, parts in sorted(by_revision.items()):
        run: list[PartMarker] = []
        while len(run) in parts:
            run.append(parts[len(run)])
            if run[-1].last:
                done += run
                break
    return done


def _parse(metadata: Mapping[str, str]) -> PartMarker:
    return PartMarker(
        source=metadata["source"],
        window_id=metadata["window_id"],
        revision=int(metadata["revision"]),
        part=int(metadata["part"]),
        generation=int(metadata["generation"]),
        rows=int(metadata["rows"]),
        rejected=int(metadata["rejected"]),
        last=metadata["last"] == "true",
        watermark=from_text(metadata["watermark"]) if metadata["watermark"] else None,
    )
