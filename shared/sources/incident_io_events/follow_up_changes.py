"""The follow-ups that events are about, as they are now."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from shared.extract.pages import Flow, PageFlow, PageRequest, PageSeen
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.follow_ups import PATH, follow_up_rows
from shared.sources.incident_io.incidents import PATH as INCIDENTS_PATH
from shared.sources.incident_io_events.event_types import is_fetchable
from shared.sources.incident_io_events.incident_changes import mode_of
from shared.sources.incident_io_events.listed import changed_objects
from shared.sources.incident_io_events.shown import object_page, show_request, shown_object
from shared.sources.settings import typed_settings


class _FollowUp(msgspec.Struct):
    incident_id: str


_follow_up = msgspec.json.Decoder(_FollowUp)


class FollowUpChanges:
    """`GET /v3/follow_ups/{id}`, and the incident that it belongs to: a follow-up does not tell the mode itself."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """A follow-up and its incident a scope."""
        return changed_objects(source, extraction, resume, _with_incident)

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """The follow-up, or none; of its incident only the mode, as context."""
        if request.path.startswith(f"{INCIDENTS_PATH}/"):
            incident = shown_object(response, "incident")
            return RawPage([], PageSeen(0), {"mode": None if incident is None else mode_of(incident)})
        page = object_page(response, "follow_up")
        return replace(page, seen=replace(page.seen, ids=tuple(_incident_of(record) for record in page.records)))

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Follow-ups of incidents whose mode polling reads too; one whose incident is not to be seen is left out."""
        settings = typed_settings(IncidentIoSettings, source)
        records = [record for page in pages for record in page.records]
        asked = {page.context["mode"] for page in pages if "mode" in page.context}
        # without an incident to ask for the record is no follow-up, which its contract rejects
        kept = records if not asked or asked & set(settings.modes) else []
        rows = follow_up_rows(settings, kept, extraction)
        rows.skipped += len(records) - len(kept)
        rows.scopes = ()
        return rows


def _with_incident(follow_up_id: str) -> PageFlow:
    seen = yield show_request(PATH, follow_up_id)
    for incident_id in filter(is_fetchable, seen.ids):
        yield show_request(INCIDENTS_PATH, incident_id)


def _incident_of(record: bytes) -> str:
    try:
        return _follow_up.decode(record).incident_id
    except (msgspec.DecodeError, RecursionError):
        return ""
