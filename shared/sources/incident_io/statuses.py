"""A workspace's own statuses: one answer holds them all."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shared.contracts.incident_statuses import INCIDENT_STATUSES
from shared.extract.pages import PageFlow, PageRequest, one_page
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.listing import whole_list
from shared.sources.incident_io.workspace import settings_of
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.table import Row, Table

PATH = "/v1/incident_statuses"


class _Status(Struct):
    id: Identifier
    name: str
    created_at: Instant
    updated_at: Instant
    description: str | None = None
    category: str | None = None
    rank: int | None = None


_FIELDS = known_fields(_Status)


class Statuses:
    """`GET /v1/incident_statuses`: a snapshot; a status that it lacks is gone."""

    def pages(self, source: Source, _extraction: ExtractionRange, _resume: str) -> PageFlow:
        """One request, whose scope is the workspace."""
        return one_page(PageRequest(PATH, scope=(settings_of(source).workspace,)))

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """All statuses."""
        return whole_list(response, "incident_statuses")

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row a status."""
        return status_rows(settings_of(source), [r for page in pages for r in page.records], extraction)


def status_rows(settings: IncidentIoSettings, records: Sequence[bytes], extraction: ExtractionRange) -> Rows:
    """Statuses as rows of their contract, however long ago they changed."""
    table = Table(INCIDENT_STATUSES, extraction, skips=False)

    def convert(record: bytes, payload: str) -> Iterable[Row]:
        it = decoded(_Status, record)
        values = {
            "workspace": settings.workspace,
            "status_id": it.id,
            "name": it.name,
            "description": it.description,
            "category": it.category,
            "rank": it.rank,
            "created_at": it.created_at,
            "updated_at": it.updated_at,
        }
        yield Row(values, payload)

    for record in records:
        table.add(record, convert, _FIELDS)
    return table.rows()
