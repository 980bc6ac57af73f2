"""incident.io's lists beside that of the incidents: an object with the list inside, joined by a cursor if at all."""

import msgspec

from shared.extract.pages import PageSeen
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.sources.envelope import field_of, records_in
from shared.sources.family import RawPage


class _Paging(msgspec.Struct):
    after: str | None = None


def list_page(response: HttpResponse, key: str) -> RawPage:
    """The records under `key`, and the cursor of the next page. Raises UnusableBody for what is no such page."""
    records, envelope = records_in(response.body, key)
    paging = field_of(envelope, "pagination_meta", _Paging)
    after = paging.after if isinstance(paging, _Paging) else None
    return RawPage(records, PageSeen(len(records), after or None))


def whole_list(response: HttpResponse, key: str) -> RawPage:
    """The records under `key`, of a list that has no pages and is never empty: it belongs to every workspace.

    Raises UnusableBody for what is no such list.
    """
    page = list_page(response, key)
    if not page.records:
        raise UnusableBody(f"not a single record under {key!r}, which no workspace is without")
    return page
