"""What is left to do after incidents: read by the instant of the last update, mode by mode."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace

from msgspec import Struct

from shared.contracts.follow_ups import FOLLOW_UPS
from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages
from shared.instants import to_text
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.incident_io.actors import kind_and_email
from shared.sources.incident_io.listing import list_page
from shared.sources.incident_io.record import Creator, User
from shared.sources.incident_io.workspace import settings_of
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.table import Row, Table

PATH = "/v3/follow_ups"

COMPLETED_BEFORE_CREATED = "completed_before_created"


class _Priority(Struct):
    id: str
    name: str
    rank: int


class _Category(Struct):
    name: str


class _Team(Struct):
    id: str
    name: str


class _Issue(Struct):
    provider: str
    issue_permalink: str


class _FollowUp(Struct):
    id: Identifier
    incident_id: Identifier
    title: str
    status: str
    creator: Creator
    created_at: Instant
    updated_at: Instant
    labels: list[str] | None = None
    assignee: User | None = None
    assignee_team: _Team | None = None
    category: _Category | None = None
    priority: _Priority | None = None
    completed_at: Instant | None = None
    description: str | None = None
    external_issue_reference: _Issue | None = None


_FIELDS = known_fields(_FollowUp)


class FollowUps:
    """`GET /v3/follow_ups` by `updated_at`, which takes full instants there; one series of pages a mode."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """By id, oldest first, of each of the workspace's modes; `resume` names a mode and the cursor in it.

        There is no upper end: what changes during the reading is read again from the watermark on.
        """
        modes = settings_of(source).modes
        mode, _, cursor = resume.partition("/")
        if mode not in modes:
            mode, cursor = modes[0], ""
        for each in modes[modes.index(mode) :]:
            query = (
                ("page_size", str(source.page_size)),
                ("incident_mode", each),
                ("updated_at[gte]", to_text(extraction.start)),
            )
            yield from _named(each, cursor_pages(PATH, query, parameter="after", resume=cursor))
            cursor = ""

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of follow-ups."""
        return list_page(response, "follow_ups")

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row a follow-up."""
        return follow_up_rows(settings_of(source), [r for page in pages for r in page.records], extraction)


def follow_up_rows(settings: IncidentIoSettings, records: Sequence[bytes], extraction: ExtractionRange) -> Rows:
    """Follow-ups as rows of their contract; those updated before the range are skipped, unless it is full."""
    table = Table(FOLLOW_UPS, extraction)

    def convert(record: bytes, payload: str) -> Iterable[Row]:
        it = decoded(_FollowUp, record)
        kind, email = kind_and_email(it.creator)
        issue, priority, team = it.external_issue_reference, it.priority, it.assignee_team
        impossible = it.completed_at is not None and it.completed_at < it.created_at
        values = {
            "workspace": settings.workspace,
            "follow_up_id": it.id,
            "incident_id": it.incident_id,
            "title": it.title,
            "description": it.description,
            "status": it.status,
            "labels": it.labels or [],
            "priority_id": priority.id if priority else None,
            "priority_name": priority.name if priority else None,
            "priority_rank": priority.rank if priority else None,
            "category_name": it.category.name if it.category else None,
            "creator_kind": kind,
            "creator_email": email,
            "assignee_email": it.assignee.email if it.assignee else None,
            "assignee_team_id": team.id if team else None,
            "assignee_team_name": team.name if team else None,
            "external_issue_provider": issue.provider if issue else None,
            "external_issue_permalink": issue.issue_permalink if issue else None,
            "created_at": it.created_at,
            "updated_at": it.updated_at,
            "completed_at": it.completed_at,
        }
        yield Row(values, payload, [COMPLETED_BEFORE_CREATED] if impossible else [])

    for record in records:
        table.add(record, convert, _FIELDS)
    return table.rows()


def _named(mode: str, flow: PageFlow) -> Generator[PageRequest, PageSeen, None]:
    """The flow's requests, each with the mode in what it resumes from."""
    seen = None
    while True:
        try:
            request = next(flow) if seen is None else flow.send(seen)
        except StopIteration:
            return
        seen = yield replace(request, resume=f"{mode}/{request.resume}")
