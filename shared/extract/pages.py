"""Pagination without I/O: a flow yields the request for a page and is told what the page said of the next one.

Every request carries `resume`, the text from which a later extraction can begin again at exactly that page.
"""

from collections.abc import Generator
from dataclasses import dataclass

from shared.errors import PaginationLoop

Query = tuple[tuple[str, str], ...]

_EMPTY_PAGES_IN_A_ROW = 10
# A filtered list may hold an empty page or two before the next full one; ten in a row is paging that leads nowhere.


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to ask the source for; `resume` is the flow's state at this page."""

    path: str
    query: Query
    resume: str = ""
    method: str = "GET"
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What a page says of the paging: its number of records and the cursor of the next page, if any."""

    records: int
    next_cursor: str | None = None


PageFlow = Generator[PageRequest, PageSeen, None]


def cursor_pages(path: str, query: Query, *, parameter: str, resume: str = "") -> PageFlow:
    """Pages joined by a cursor that each page hands out for the next one.

    Raises PaginationLoop when a cursor comes twice, or pages stay empty without an end.
    """
    cursor, handed_out, empty = resume, {resume}, 0
    while True:
        seen = yield PageRequest(path, (*query, (parameter, cursor)) if cursor else query, cursor)
        if seen.next_cursor is None:
            return
        if seen.next_cursor in handed_out:
            raise PaginationLoop(f"{path}: the cursor {seen.next_cursor!r} was handed out twice")
        empty = _count_empty(path, empty, seen)
        cursor = seen.next_cursor
        handed_out.add(cursor)


def offset_pages(path: str, query: Query, *, offset: str, limit: str, size: int, resume: str = "") -> PageFlow:
    """Pages of `size` records from an offset on, until one is not full."""
    start = int(resume or 0)
    while True:
        seen = yield PageRequest(path, (*query, (offset, str(start)), (limit, str(size))), str(start))
        if seen.records < size:
            return
        start += seen.records


def numbered_pages(path: str, query: Query, *, parameter: str, resume: str = "", first: int = 1) -> PageFlow:
    """Pages by number, as long as each says that there is another one (`next_cursor` holds its number)."""
    number, empty = int(resume or first), 0
    while True:
        seen = yield PageRequest(path, (*query, (parameter, str(number))), str(number))
        if seen.next_cursor is None:
            return
        if int(seen.next_cursor) <= number:
            raise PaginationLoop(f"{path}: page {number} names page {seen.next_cursor} as the next one")
        empty = _count_empty(path, empty, seen)
        number = int(seen.next_cursor)


def _count_empty(path: str, empty: int, seen: PageSeen) -> int:
    if seen.records:
        return 0
    if empty + 1 >= _EMPTY_PAGES_IN_A_ROW:
        raise PaginationLoop(f"{path}: {_EMPTY_PAGES_IN_A_ROW} empty pages in a row, each naming a next one")
    return empty + 1
