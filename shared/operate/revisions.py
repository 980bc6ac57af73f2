"""Which revision of a source's window comes next, and whether one is done."""

from shared.landing import PREFIX, PartName
from shared.ports import Bucket
from shared.state import layout
from shared.state.documents import Documents
from shared.windows.markers import PartMarker, complete_markers, read_markers


def next_revision(documents: Documents, landing: Bucket, source: str, window_id: str) -> int:
    """One more than every revision that began, or whose objects are there."""
    # ranges tell of extractions that began, landing objects of those whose state was restored from elsewhere
    begun = [layout.revision_of(name) for name in documents.names(layout.extraction_ranges(source, window_id))]
    landed = [PartName.parse(stored.name).revision for stored in landing.list(f"{PREFIX}{source}/{window_id}/")]
    return max([0, *begun, *landed]) + 1


def revision_markers(documents: Documents, source: str, window_id: str, revision: int) -> tuple[list[PartMarker], bool]:
    """The part markers of a revision so far, and whether they are all."""
    markers = [m for m in read_markers(documents, source, window_id) if m.revision == revision]
    return markers, bool(complete_markers(markers))
