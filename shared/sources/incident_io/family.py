"""The requests of incident.io: which incidents to ask for, in which order, and whether the key is the right one."""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

import msgspec

from shared.errors import AuthenticationFailed
from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.model import Source
from shared.sources.cutting import cut_array
from shared.sources.family import ExtractionRange, RawPage, Rows, Send
from shared.sources.incident_io.rows import incident_rows

STATUS_CATEGORIES = ("triage", "live", "learning", "paused", "closed", "declined", "canceled", "merged")
"""All eight: without them the vendor leaves out declined, canceled and merged incidents."""


class _Meta(msgspec.Struct):
    after: str | None = None


class _Page(msgspec.Struct):
    incidents: list[msgspec.Raw]
    pagination_meta: _Meta | None = None


class _Identity(msgspec.Struct):
    name: str
    dashboard_url: str


class _IdentityAnswer(msgspec.Struct):
    identity: _Identity


_page = msgspec.json.Decoder(_Page)
_identity = msgspec.json.Decoder(_IdentityAnswer)


class IncidentIo:
    """`GET /v2/incidents`, oldest first, by whole days of `updated_at`."""

    def verify(self, source: Source, send: Send) -> None:
        """The key must belong to the workspace: the vendor has one host for all, only the key tells them apart."""
        expected = settings_of(source).identity
        answer: _Identity = send(PageRequest("/v1/identity", ()), _decode_identity)
        actual = answer.dashboard_url.rstrip("/").rpartition("/")[2]
        if actual != expected:
            raise AuthenticationFailed(
                f"{source.name}: the key in secret {source.secret!r} belongs to workspace {actual!r}, expected "
                f"{expected!r}; put the right workspace's key into that secret",
                secret=source.secret,
            )

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """All categories, the chosen modes, oldest first (the only order that new incidents do not shift).

        The filter knows whole days only, so it is a day wider at both ends; rows are then kept by `updated_at`.
        """
        first = (extraction.start - timedelta(days=1)).date()
        last = (extraction.end + timedelta(days=1)).date()
        query = (
            ("page_size", str(source.page_size)),
            ("sort_by", "created_at_oldest_first"),
            *(("status_category[one_of]", category) for category in STATUS_CATEGORIES),
            *(("mode[one_of]", mode) for mode in settings_of(source).modes),
            ("updated_at[date_range]", f"{first}~{last}"),
        )
        return cursor_pages("/v2/incidents", query, parameter="after", resume=resume)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """A page's incidents as bytes, also when one of them is no JSON or nested without end: that one is rejected."""
        try:
            page = _page.decode(response.body)
        except (msgspec.DecodeError, RecursionError) as exc:
            page = _cut(response.body, exc)
        after = page.pagination_meta.after if page.pagination_meta else None
        return RawPage([bytes(raw) for raw in page.incidents], PageSeen(len(page.incidents), after or None))

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Incidents as rows of the incidents contract."""
        records = [record for page in pages for record in page.records]
        return incident_rows(settings_of(source), records, extraction)


@lru_cache(maxsize=256)
def _parsed_settings(_name: str, text: str) -> IncidentIoSettings:
    return IncidentIoSettings.model_validate(json.loads(text))


def settings_of(source: Source) -> IncidentIoSettings:
    """The source's settings, typed; parsed once."""
    return _parsed_settings(source.name, json.dumps(source.settings))


def _decode_identity(response: HttpResponse) -> _Identity:
    try:
        return _identity.decode(response.body).identity
    except msgspec.DecodeError as exc:
        raise UnusableBody(f"no identity: {exc}") from exc


def _cut(body: bytes, strict: Exception) -> _Page:
    try:
        records, rest = cut_array(body, "incidents")
        return _Page([msgspec.Raw(record) for record in records], _page.decode(rest).pagination_meta)
    except (ValueError, RecursionError):
        raise UnusableBody(f"{strict}; it begins with {body[:60]!r}") from strict
