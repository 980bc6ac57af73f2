"""What was said of the incidents that events are about."""

from collections.abc import Sequence

from shared.extract.pages import Flow, PageFlow, PageRequest, PageSeen, cursor_requests
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.listing import list_page
from shared.sources.incident_io.updates import PATH, incident_update_rows
from shared.sources.incident_io_events.listed import changed_objects
from shared.sources.incident_io_events.shown import is_nothing
from shared.sources.settings import typed_settings


class UpdateChanges:
    """`GET /v2/incident_updates` of every incident that the listed events are about."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """All pages of an incident a scope; of an unknown incident the list is empty, or there is none."""
        size = ("page_size", str(source.page_size))

        def updates_of(incident_id: str) -> PageFlow:
            def page(after: str) -> PageRequest:
                query = (("incident_id", incident_id), size, *((("after", after),) if after else ()))
                return PageRequest(PATH, query, missing_ok=True, invalid_ok=True)

            return cursor_requests(page)

        return changed_objects(source, extraction, resume, updates_of)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of updates."""
        if is_nothing(response):
            return RawPage([], PageSeen(0))
        return list_page(response, "incident_updates")

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row an update, of incidents of every mode: the polled list does not tell them apart either."""
        records = [record for page in pages for record in page.records]
        rows = incident_update_rows(typed_settings(IncidentIoSettings, source), records, extraction)
        rows.scopes = ()
        return rows
