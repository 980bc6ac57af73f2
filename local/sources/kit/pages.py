"""Cutting a list into pages, by an opaque cursor or by number, and what the faults do to that.

A list is cut anew at each request, so rows that appear or go while a client reads shift the later pages, as they do at
a vendor without snapshots. The page joined of all pages is the whole while the clock stands.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from local.sources.kit.faults import FaultBoard
from local.sources.kit.vendor import Asked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[T]):
    """Some rows and the cursor to those after them; None = there are no more."""

    rows: Sequence[T]
    next_cursor: str | None


def _cursor(offset: int, turn: int = 0) -> str:
    return base64.urlsafe_b64encode(f"{offset}.{turn}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        offset, _, turn = text.partition(".")
        place = int(offset), int(turn)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadCursor(cursor) from None
    if min(place) < 0:
        raise BadCursor(cursor)
    return place


class BadCursor(Exception):
    """A cursor that no page gave; an endpoint answers it with the vendor's refusal."""


def by_cursor(rows: Sequence[T], asked: Asked, *, size: int, cursor: str | None) -> CursorPage[T]:
    """The page that a cursor leads to. Raises BadCursor."""
    offset, turn = (0, 0) if cursor is None else _place(cursor)
    end = offset + size
    page = CursorPage(rows[offset:end], _cursor(end) if end < len(rows) else None)
    if asked.has_fault("empty_page_with_cursor"):
        return CursorPage((), _cursor(offset, turn + 1))
    if asked.has_fault("loop_cursor"):
        return CursorPage(page.rows, cursor or _cursor(offset))
    return page


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[T]):
    """Some rows, the page's number from 1, how many pages there are, and whether more follow."""

    rows: Sequence[T]
    number: int
    page_count: int
    has_more: bool


@dataclass(slots=True)
class NumberedPager:
    """Pages by number. An empty page, once told to be there, stays until the faults change: what it hid moves on one.

    A loop answers every page with the first one's rows and says that more follow.
    """

    board: FaultBoard
    _version: int = -1
    _empty: dict[str, set[int]] = field(default_factory=dict)

    def page(self, rows: Sequence[T], asked: Asked, *, size: int, number: int, list_name: str) -> NumberedPage[T]:
        """Page `number` of the rows; `list_name` tells one list (path and filters) from another."""
        if self._version != self.board.version:
            self._version, self._empty = self.board.version, {}
        empty = self._empty.setdefault(list_name, set())
        if asked.has_fault("empty_page_with_cursor"):
            empty.add(number)
        if asked.has_fault("loop_cursor"):
            return NumberedPage(rows[:size], number, number + 1, has_more=True)
        pages = max(1, -(-len(rows) // size)) + len(empty)
        if number in empty:
            return NumberedPage((), number, pages, has_more=True)
        start = (number - 1 - sum(hole < number for hole in empty)) * size
        return NumberedPage(rows[start : start + size], number, pages, has_more=number < pages)
