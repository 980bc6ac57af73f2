"""A workspace's own severities: one answer holds them all."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shared.contracts.severities import SEVERITIES
from shared.extract.pages import PageFlow, PageRequest, one_page
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.listing import whole_list
from shared.sources.incident_io.workspace import settings_of
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.table import Row, Table

PATH = "/v1/severities"


class _Severity(Struct):
    id: Identifier
    name: str
    created_at: Instant
    updated_at: Instant
    description: str | None = None
    rank: int | None = None


_FIELDS = known_fields(_Severity)


class Severities:
    """`GET /v1/severities`: a snapshot; a severity that it lacks is gone."""

    def pages(self, source: Source, _extraction: ExtractionRange, _resume: str) -> PageFlow:
        """One request, whose scope is the workspace."""
        return one_page(PageRequest(PATH, scope=(settings_of(source).workspace,)))

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """All severities."""
        return whole_list(response, "severities")

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row a severity."""
        return severity_rows(settings_of(source), [r for page in pages for r in page.records], extraction)


def severity_rows(settings: IncidentIoSettings, records: Sequence[bytes], extraction: ExtractionRange) -> Rows:
    """Severities as rows of their contract, however long ago they changed."""
    table = Table(SEVERITIES, extraction, skips=False)

    def convert(record: bytes, payload: str) -> Iterable[Row]:
        it = decoded(_Severity, record)
        values = {
            "workspace": settings.workspace,
            "severity_id": it.id,
            "name": it.name,
            "description": it.description,
            "rank": it.rank,
            "created_at": it.created_at,
            "updated_at": it.updated_at,
        }
        yield Row(values, payload)

    for record in records:
        table.add(record, convert, _FIELDS)
    return table.rows()
