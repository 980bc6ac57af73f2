"""GitHub's lists: bare arrays, joined by the `Link` header, by number."""

from collections.abc import Sequence

from shared.extract.pages import PageFlow, PageRequest, Query, numbered_requests
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.envelope import records_in
from shared.sources.links import next_value


def list_pages(source: Source, path: str, query: Query = (), *, first: int = 1, missing_ok: bool = False) -> PageFlow:
    """A list from a page on; `resume` of a request is its number."""
    every = (*query, ("per_page", str(source.page_size)))

    def page(number: int) -> PageRequest:
        return PageRequest(path, (*every, ("page", str(number))), str(number), missing_ok=missing_ok)

    return numbered_requests(page, first=first)


def list_page(response: HttpResponse) -> tuple[Sequence[bytes], str | None]:
    """A page's records, and the number of the next one. Raises UnusableBody for what is no such page."""
    # inside of an object, so that an array with one unreadable record is cut like any other list
    records, _ = records_in(b'{"page":%b}' % response.body, "page")
    return records, next_value(response, "page")
