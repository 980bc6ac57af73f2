"""What was said of incidents, and how their status and severity changed. The vendor's list takes no dates: it is read
whole."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shared.contracts.incident_updates import INCIDENT_UPDATES
from shared.extract.pages import PageFlow, PageRequest, cursor_pages
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.actors import kind_and_email
from shared.sources.incident_io.listing import list_page
from shared.sources.incident_io.record import Creator, Severity, Status
from shared.sources.incident_io.workspace import settings_of
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.table import Row, Table

PATH = "/v2/incident_updates"


class _Update(Struct):
    id: Identifier
    incident_id: Identifier
    created_at: Instant
    updater: Creator
    new_incident_status: Status | None = None
    new_severity: Severity | None = None
    message: str | None = None
    merged_into_incident_id: str | None = None


_FIELDS = known_fields(_Update)


class IncidentUpdates:
    """`GET /v2/incident_updates`, all of them."""

    def pages(self, source: Source, _extraction: ExtractionRange, resume: str) -> PageFlow:
        """By id, oldest first."""
        return cursor_pages(PATH, (("page_size", str(source.page_size)),), parameter="after", resume=resume)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of updates."""
        return list_page(response, "incident_updates")

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row an update."""
        return incident_update_rows(settings_of(source), [r for page in pages for r in page.records], extraction)


def incident_update_rows(settings: IncidentIoSettings, records: Sequence[bytes], extraction: ExtractionRange) -> Rows:
    """Updates as rows of their contract, none of them skipped: an old one may have become visible today."""
    table = Table(INCIDENT_UPDATES, extraction, skips=False)

    def convert(record: bytes, payload: str) -> Iterable[Row]:
        it = decoded(_Update, record)
        kind, email = kind_and_email(it.updater)
        status, severity = it.new_incident_status, it.new_severity
        values = {
            "workspace": settings.workspace,
            "update_id": it.id,
            "incident_id": it.incident_id,
            "status_id": status.id if status else None,
            "status_name": status.name if status else None,
            "status_category": status.category if status else None,
            "severity_id": severity.id if severity else None,
            "severity_name": severity.name if severity else None,
            "severity_rank": severity.rank if severity else None,
            "message": it.message,
            "merged_into_incident_id": it.merged_into_incident_id,
            "updater_kind": kind,
            "updater_email": email,
            "created_at": it.created_at,
        }
        yield Row(values, payload)

    for record in records:
        table.add(record, convert, _FIELDS)
    return table.rows()
