"""The shop's lists: filters on the first page only, afterwards `page_info`, with the way in the `Link` header."""

from collections.abc import Sequence

from shared.extract.pages import PageFlow, PageRequest, PageSeen, Query, cursor_requests
from shared.instants import to_text
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.registry.shop import ShopSettings
from shared.sources.envelope import records_in
from shared.sources.family import ExtractionRange
from shared.sources.links import next_value
from shared.sources.settings import typed_settings


def path_of(source: Source, name: str) -> str:
    """Where a list is."""
    return f"/admin/api/{typed_settings(ShopSettings, source).api_version}/{name}.json"


def list_pages(source: Source, name: str, filters: Query, resume: str, fields: str | None = None) -> PageFlow:
    """A list, page after page; `fields` are the only ones that are asked for."""
    path = path_of(source, name)
    every = (("limit", str(source.page_size)), *((("fields", fields),) if fields else ()))

    def page(page_info: str) -> PageRequest:
        # a page_info stands for the first page's filters: with them it is refused
        return PageRequest(path, (*every, *((("page_info", page_info),) if page_info else filters)), page_info)

    return cursor_requests(page, first=resume)


def changed_in(extraction: ExtractionRange) -> Query:
    """The filter for what changed in the range; in a full one everything."""
    return () if extraction.full else (("updated_at_min", to_text(extraction.start)),)


def list_page(response: HttpResponse, name: str) -> tuple[Sequence[bytes], PageSeen]:
    """A page's records, and the next one's page_info. Raises UnusableBody for what is no such page."""
    records, _ = records_in(response.body, name)
    return records, PageSeen(len(records), next_value(response, "page_info"))
