"""Lists as the shop gives them: filters on the first page, afterwards only `page_info`, with the way in `Link`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from local.sources.kit.vendor import Answer, Asked
from local.sources.shop.product_objects import SHOP_ZONE

LIMIT_DEFAULT, LIMIT_LARGEST = 50, 250
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$")
_WITH_PAGE_INFO = frozenset({"limit", "fields", "page_info"})


class BadParameter(Exception):
    """A parameter that can't be used, or not here."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as it stands: what it is filtered by, and how it is shown. `tags` are values of other filters."""

    id: int
    created_at: datetime
    updated_at: datetime
    render: Callable[[], dict[str, Any]]
    tags: Mapping[str, str | None]


class _PageInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a page begins: after the row `last` (before it, going back), under the first page's filters."""

    filters: tuple[tuple[str, str], ...]
    last: int
    back: bool = False
    turn: int = 0

    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def of(cls, text: str) -> _PageInfo:
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=cls)
        except (binascii.Error, ValueError):
            raise BadParameter("page_info", "Invalid value.") from None


@dataclass(frozen=True, slots=True)
class Listing:
    """One resource's list: its name in paths and answers, and the filters it knows beside the common ones.

    Of `choices`, a filter's first value is its default, and `any` passes everything.
    """

    name: str
    choices: Mapping[str, tuple[str, ...]]
    instants: tuple[str, ...] = ("created_at_min", "created_at_max", "updated_at_min", "updated_at_max")
    needs_ids: bool = False

    def answer(self, asked: Asked, rows: Iterable[Row]) -> Answer:
        """The page asked for, with `Link` to its neighbours. Raises BadParameter."""
        limit = _limit(asked)
        page_info_text = asked.single("page_info")
        if page_info_text is None:
            info = None
            filters = tuple((name, value) for name, value in asked.query if name not in _WITH_PAGE_INFO and value)
        else:
            unwanted = sorted({name for name, _ in asked.query} - _WITH_PAGE_INFO)
            if unwanted:
                raise BadParameter(unwanted[0], "can't be sent together with page_info.")
            info = _PageInfo.of(page_info_text)
            filters = info.filters
        kept = self._filtered(rows, dict(filters))
        return self._page(asked, kept, info, filters, limit)

    def _page(
        self, asked: Asked, rows: list[Row], info: _PageInfo | None, filters: tuple[tuple[str, str], ...], limit: int
    ) -> Answer:
        ascending = "since_id" in dict(filters)
        rows.sort(key=lambda row: row.id, reverse=not ascending)
        start = 0
        if info is not None:
            passed = [_is_past(row.id, info.last, ascending=ascending, back=info.back) for row in rows]
            start = sum(passed)
            if info.back:
                start = max(0, start - limit)
        page = rows[start : start + limit]
        links = {}
        if start and page:
            links["previous"] = _PageInfo(filters, page[0].id, back=True)
        if start + limit < len(rows):
            links["next"] = _PageInfo(filters, page[-1].id)
        if asked.has_fault("empty_page_with_cursor"):
            turn = 0 if info is None else info.turn
            before = _before_first(rows, ascending=ascending) if info is None else info.last
            links, page = {"next": _PageInfo(filters, before, turn=turn + 1)}, []
        elif asked.has_fault("loop_cursor"):
            links["next"] = info or _PageInfo(filters, _before_first(rows, ascending=ascending))
        fields = frozenset((asked.single("fields") or "").replace(" ", "").split(",")) - {""}
        shown = [_only(row.render(), fields) for row in page]
        headers = {}
        if links:
            headers["Link"] = ", ".join(_link(asked, rel, info, limit) for rel, info in links.items())
        return Answer({self.name: asked.records(shown)}, headers)

    def _filtered(self, rows: Iterable[Row], given: Mapping[str, str]) -> list[Row]:
        instants = {name: _instant(name, given[name]) for name in self.instants if name in given}
        ids = _ids(given)
        if self.needs_ids and ids is None:
            raise BadParameter("ids", "Required parameter missing or invalid")
        since = _whole("since_id", given["since_id"]) if "since_id" in given else None
        choices = {name: self._choice(name, given) for name in self.choices}

        def keeps(row: Row) -> bool:
            if (ids is not None and row.id not in ids) or (since is not None and row.id <= since):
                return False
            if any(value not in {"any", row.tags.get(name)} for name, value in choices.items()):
                return False
            for name, instant in instants.items():
                stamp = row.created_at if name.startswith("created_at") else row.updated_at
                if (stamp < instant) if name.endswith("_min") else (stamp > instant):
                    return False
            return True

        return [row for row in rows if keeps(row)]

    def _choice(self, name: str, given: Mapping[str, str]) -> str:
        allowed = self.choices[name]
        value = given.get(name, allowed[0])
        if value not in allowed:
            raise BadParameter(name, f"must be one of {', '.join(allowed)}.")
        return value


def _is_past(row_id: int, last: int, *, ascending: bool, back: bool) -> bool:
    """Whether a row stands before the place that a page begins at."""
    if back:
        return row_id < last if ascending else row_id > last
    return row_id <= last if ascending else row_id >= last


def _before_first(rows: list[Row], *, ascending: bool) -> int:
    if not rows:
        return 0 if ascending else 2**62
    return rows[0].id - 1 if ascending else rows[0].id + 1


def _link(asked: Asked, rel: str, info: _PageInfo, limit: int) -> str:
    query = urlencode({"limit": limit, "page_info": info.text()})
    return f'<{asked.base_url}{asked.path}?{query}>; rel="{rel}"'


def _only(shown: dict[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name in fields} if fields else shown


def _limit(asked: Asked) -> int:
    text = asked.single("limit")
    return LIMIT_DEFAULT if text is None else min(max(1, _whole("limit", text)), LIMIT_LARGEST)


def _ids(given: Mapping[str, str]) -> frozenset[int] | None:
    if "ids" not in given:
        return None
    return frozenset(_whole("ids", text.strip()) for text in given["ids"].split(",") if text.strip())


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise BadParameter(name, f"expected a whole number, got {text!r}.")
    return int(text)


def _instant(name: str, text: str) -> datetime:
    try:
        # an offset's plus that wasn't escaped arrives as a space
        instant = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", text))
    except ValueError:
        raise BadParameter(name, f"expected an ISO 8601 timestamp, got {text!r}.") from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=SHOP_ZONE)
