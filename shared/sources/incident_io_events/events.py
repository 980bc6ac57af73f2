"""Events as rows: every one is kept as received, also one that nobody can read."""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared.contracts.incident_events import INCIDENT_EVENTS
from shared.errors import ConfigurationError
from shared.extract.pages import Flow, PageRequest
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rejection, Rows
from shared.sources.incident_io_events.event_types import EVENT_TYPES, EventType, id_at, is_object, payload_of
from shared.sources.incident_io_events.listed import event_pages
from shared.sources.record import MAX_RECORD_BYTES
from shared.spool import SpooledEvent

NOT_AN_OBJECT = "not_an_object"
NOT_UTF8 = "not_utf8"
NO_EVENT_TYPE = "no_event_type"
UNKNOWN_EVENT_TYPE = "unknown_event_type"
NO_ID = "no_id"

_COLUMNS = (*(column.name for column in INCIDENT_EVENTS.columns), "dq_valid", "dq_flags")


class Events:
    """The spooled events themselves; the vendor is not asked for anything."""

    def pages(self, _source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """Every event of the listing."""
        return event_pages(extraction, resume)

    def split(self, source: Source, _request: PageRequest, _response: HttpResponse) -> RawPage:
        """Never called: no page comes from the vendor."""
        raise ConfigurationError([f"source {source.name}: its pages come from the spool"])

    def rows(
        self, _source: Source, pages: Sequence[RawPage], _scope: Sequence[str], _extraction: ExtractionRange
    ) -> Rows:
        """A row an event."""
        events = [event for page in pages for event in page.context["events"]]
        return event_rows(events, [record for page in pages for record in page.records])


def event_rows(events: Sequence[SpooledEvent], bodies: Sequence[bytes]) -> Rows:
    """Events as rows of their contract. Only one too large to be loaded at all is rejected."""
    rows = Rows(columns={}, count=0, scopes=())
    tuples: list[tuple[Any, ...]] = []
    for event, body in zip(events, bodies, strict=True):
        if len(body) > MAX_RECORD_BYTES:
            detail = f"{len(body)} bytes, at most {MAX_RECORD_BYTES} can be loaded"
            rows.rejections.append(Rejection("too_large", detail, body))
        else:
            tuples.append(_row(event, body))
    rows.count = len(tuples)
    rows.columns = dict(zip(_COLUMNS, zip(*tuples, strict=True), strict=True)) if tuples else {}
    return rows


def _row(event: SpooledEvent, body: bytes) -> tuple[Any, ...]:
    flags: list[str] = []
    try:
        text = str(body, "utf-8")
    except UnicodeDecodeError:
        # byte by byte, so that the message can be had back
        text, flags = str(body, "latin-1"), [NOT_UTF8]
    if not is_object(body):
        flags.append(NOT_AN_OBJECT)
    known = EVENT_TYPES.get(event.event_type)
    if known is None:
        flags.append(UNKNOWN_EVENT_TYPE if event.event_type else NO_EVENT_TYPE)
    payload = payload_of(event.event_type, body)
    of_type = known or EventType()
    incident_id, follow_up_id = id_at(payload, of_type.incident), id_at(payload, of_type.follow_up)
    if of_type.fetches and (follow_up_id if of_type.follow_up else incident_id) is None:
        flags.append(NO_ID)
    return (
        event.workspace,
        event.webhook_id,
        event.event_type or None,
        incident_id,
        follow_up_id,
        event.received_at,
        text,
        not flags,
        msgspec.json.encode(flags).decode(),
    )
