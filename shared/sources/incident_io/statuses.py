"""A workspace's own statuses: one answer holds them all."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shared.contracts.incident_statuses import INCIDENT_STATUSES
from shared.registry.incident_io import IncidentIoSettings
from shared.sources.family import ExtractionRange, Rows
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.table import Row, Table


class _Status(Struct):
    id: Identifier
    name: str
    created_at: Instant
    updated_at: Instant
    description: str | None = None
    category: str | None = None
    rank: int | None = None


_FIELDS = known_fields(_Status)


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
