"""Pagination without I/O: a flow yields the request for a page and is told what the page said of the next one.

Every request carries `resume`, the text from which a later extraction can begin again at exactly that page.
"""

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import PaginationLoop
from shared.spool import SpooledEvent, WaitingEvent

Query = tuple[tuple[str, str], ...]

_EMPTY_PAGES_IN_A_ROW = 10
# A filtered list may hold an empty page or two before the next full one; ten in a row is paging that leads nowhere.


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to ask the source for; `resume` is the flow's state at this page.

    Requests in a row with the same `scope` (the days they read, say) belong together: their records are converted
    together, and an extraction is cut only between scopes. Without a scope every page stands alone. A `path` that is a
    whole URL is a link that the source handed out: it is followed without the key. `missing_ok` hands an answer of 404
    to the decoder instead of refusing it, `invalid_ok` one of 400 or 422 (an id that a stranger made up may be none),
    `limit_in_body` one of 429: there the body tells whether waiting helps.
    """

    path: str
    query: Query = ()
    resume: str = ""
    method: str = "GET"
    body: bytes | None = None
    scope: tuple[str, ...] = ()
    missing_ok: bool = False
    invalid_ok: bool = False
    limit_in_body: bool = False


@dataclass(frozen=True, slots=True)
class SpoolRequest:
    """Read these spooled events, as one page; `resume` and `scope` as for PageRequest.

    With `learn` only the ids that it finds in a body are told (`PageSeen.ids`); without it the bodies are the page's
    records, and the page's context holds their `events`. An event that is gone by now is left out.
    """

    events: tuple[WaitingEvent, ...]
    learn: Callable[[SpooledEvent, bytes], Sequence[str]] | None = None
    resume: str = ""
    scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What a page says of the paging: its number of records, the cursor of the next page, and links to follow.

    `content` tells pages with different records apart (see content_of); None where that is not looked at. `oldest` is
    the lowest version among the records, where the list is sorted by it. `ids` name what is to be asked for next.
    """

    records: int
    next_cursor: str | None = None
    links: tuple[str, ...] = ()
    content: bytes | None = None
    oldest: datetime | None = None
    ids: tuple[str, ...] = ()


PageFlow = Generator[PageRequest, PageSeen, None]
Flow = Generator[PageRequest | SpoolRequest, PageSeen, None]
"""A flow that may also read the spool; every PageFlow is one."""


def content_of(records: Sequence[bytes]) -> bytes:
    """A digest of a page's records, in their order."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(b"%d:" % len(record) + record)
    return digest.digest()


def cursor_pages(path: str, query: Query, *, parameter: str, resume: str = "") -> PageFlow:
    """Pages joined by a cursor that each page hands out for the next one.

    Raises PaginationLoop when a cursor comes twice, or pages stay empty without an end.
    """

    def page(cursor: str) -> PageRequest:
        return PageRequest(path, (*query, (parameter, cursor)) if cursor else query, cursor)

    return cursor_requests(page, first=resume)


def offset_pages(
    path: str, query: Query, *, offset: str, limit: str, size: int, resume: str = "", first: int = 0
) -> PageFlow:
    """Pages of `size` records from an offset on, until one is not full; `first` is that of the first record.

    Raises PaginationLoop when a page holds what the one before it held.
    """
    start, before = int(resume or first), None
    while True:
        seen = yield PageRequest(path, (*query, (offset, str(start)), (limit, str(size))), str(start))
        if seen.records < size:
            return
        if seen.content is not None and seen.content == before:
            raise PaginationLoop(f"{path}: the page from {start} on holds the same records as the page before")
        start, before = start + seen.records, seen.content


def numbered_pages(path: str, query: Query, *, parameter: str, resume: str = "", first: int = 1) -> PageFlow:
    """Pages by number in the query, as long as each says that there is another one."""

    def page(number: int) -> PageRequest:
        return PageRequest(path, (*query, (parameter, str(number))), str(number))

    return numbered_requests(page, first=int(resume or first))


def numbered_requests(page: Callable[[int], PageRequest], *, first: int = 1) -> PageFlow:
    """Requests by number, as long as each answer names the number of a next one in `next_cursor`.

    Raises PaginationLoop when the numbers do not grow, a page holds what the one before it held, or pages stay empty
    without an end.
    """
    number, empty, before = first, 0, None
    while True:
        request = page(number)
        seen = yield request
        if seen.next_cursor is None:
            return
        if int(seen.next_cursor) <= number:
            raise PaginationLoop(f"{request.path}: page {number} names page {seen.next_cursor} as the next one")
        if seen.records and seen.content is not None and seen.content == before:
            raise PaginationLoop(f"{request.path}: page {number} holds the same records as the page before")
        before = seen.content
        empty = _count_empty(request.path, empty, seen)
        number = int(seen.next_cursor)


def cursor_requests(page: Callable[[str], PageRequest], *, first: str = "") -> PageFlow:
    """Requests by a cursor that each answer hands out for the next one; see cursor_pages."""
    cursor, handed_out, empty = first, {first}, 0
    while True:
        request = page(cursor)
        seen = yield request
        if seen.next_cursor is None:
            return
        if seen.next_cursor in handed_out:
            raise PaginationLoop(f"{request.path}: the cursor {seen.next_cursor!r} was handed out twice")
        empty = _count_empty(request.path, empty, seen)
        cursor = seen.next_cursor
        handed_out.add(cursor)


def _count_empty(path: str, empty: int, seen: PageSeen) -> int:
    if seen.records:
        return 0
    if empty + 1 >= _EMPTY_PAGES_IN_A_ROW:
        raise PaginationLoop(f"{path}: {_EMPTY_PAGES_IN_A_ROW} empty pages in a row, each naming a next one")
    return empty + 1


def within_scope(flow: PageFlow, scope: tuple[str, ...], resume: str) -> PageFlow:
    """The flow's requests as one scope, which is read again from its beginning when it could not be finished."""
    seen = None
    while True:
        try:
            request = next(flow) if seen is None else flow.send(seen)
        except StopIteration:
            return
        seen = yield replace(request, scope=scope, resume=resume)


def gathered_links(flow: PageFlow, resume: str) -> Generator[PageRequest, PageSeen, list[str]]:
    """The flow's requests; returns the links of all its pages.

    They come before what is read by means of them, so an extraction that goes on at `resume` asks for them again.
    """
    links: list[str] = []
    seen = None
    while True:
        try:
            request = next(flow) if seen is None else flow.send(seen)
        except StopIteration:
            return links
        seen = yield replace(request, resume=resume)
        links += seen.links


def newest_first(flow: PageFlow, start: datetime) -> PageFlow:
    """The flow's requests until a page reaches below `start`: of a list sorted by version, newest first."""
    seen = None
    while seen is None or seen.oldest is None or seen.oldest >= start:
        try:
            request = next(flow) if seen is None else flow.send(seen)
        except StopIteration:
            return
        seen = yield request
    flow.close()


def one_page(request: PageRequest) -> PageFlow:
    """A request without paging."""
    yield request
