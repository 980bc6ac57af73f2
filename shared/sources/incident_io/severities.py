"""A workspace's own severities: one answer holds them all."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from shared.contracts.severities import SEVERITIES
from shared.registry.incident_io import IncidentIoSettings
from shared.sources.family import ExtractionRange, Rows
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.table import Row, Table


class _Severity(Struct):
    id: Identifier
    name: str
    created_at: Instant
    updated_at: Instant
    description: str | None = None
    rank: int | None = None


_FIELDS = known_fields(_Severity)


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
