"""incident.io's lists beside that of the incidents: an object with the list inside, joined by a cursor if at all."""

from collections.abc import Callable, Sequence

import msgspec

from shared.extract.pages import PageFlow, PageRequest, PageSeen, one_page
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.envelope import field_of, records_in
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.workspace import settings_of

ToRows = Callable[[IncidentIoSettings, Sequence[bytes], ExtractionRange], Rows]
"""Records of a workspace as rows of their contract."""


class _Paging(msgspec.Struct):
    after: str | None = None


def list_page(response: HttpResponse, key: str) -> RawPage:
    """The records under `key`, and the cursor of the next page. Raises UnusableBody for what is no such page."""
    records, envelope = records_in(response.body, key)
    paging = field_of(envelope, "pagination_meta", _Paging)
    after = paging.after if isinstance(paging, _Paging) else None
    return RawPage(records, PageSeen(len(records), after or None))


def whole_list(response: HttpResponse, key: str) -> RawPage:
    """The records under `key`, of a list that has no pages and is never empty: it belongs to every workspace.

    Raises UnusableBody for what is no such list.
    """
    page = list_page(response, key)
    if not page.records:
        raise UnusableBody(f"not a single record under {key!r}, which no workspace is without")
    return page


class Snapshot:
    """A list that one answer holds whole; what it lacks is gone."""

    def __init__(self, path: str, key: str, convert: ToRows) -> None:
        self._path, self._key, self._convert = path, key, convert

    def pages(self, source: Source, _extraction: ExtractionRange, _resume: str) -> PageFlow:
        """One request, whose scope is the workspace."""
        return one_page(PageRequest(self._path, scope=(settings_of(source).workspace,)))

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """All of its records."""
        return whole_list(response, self._key)

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row a record."""
        return self._convert(settings_of(source), [r for page in pages for r in page.records], extraction)
