"""The incidents that events are about, as they are now."""

from collections.abc import Sequence

import msgspec

from shared.extract.pages import Flow, PageRequest, one_page
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.incidents import PATH
from shared.sources.incident_io.rows import incident_rows
from shared.sources.incident_io_events.listed import changed_objects
from shared.sources.incident_io_events.shown import object_page, show_request
from shared.sources.settings import typed_settings


class _Moded(msgspec.Struct):
    mode: str


_moded = msgspec.json.Decoder(_Moded)


class IncidentChanges:
    """`GET /v2/incidents/{id}` for every incident that the listed events are about."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """An incident a request."""
        return changed_objects(source, extraction, resume, lambda each: one_page(show_request(PATH, each)))

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """The incident, or none."""
        return object_page(response, "incident")

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Incidents of the modes that the workspace's polling reads too: both make the same table."""
        settings = typed_settings(IncidentIoSettings, source)
        records = [record for page in pages for record in page.records]
        kept = [record for record in records if mode_of(record) in (None, *settings.modes)]
        rows = incident_rows(settings, kept, extraction)
        rows.skipped += len(records) - len(kept)
        rows.scopes = ()
        return rows


def mode_of(record: bytes) -> str | None:
    """An incident's mode; None where the record does not tell it, which its contract rejects."""
    try:
        return _moded.decode(record).mode
    except (msgspec.DecodeError, RecursionError):
        return None
