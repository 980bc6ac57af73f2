"""Query parameters of the list endpoints, read as the vendor reads them.

What the vendor refuses is refused with 422 and the parameter's name: dates that aren't dates, `gte` together with `lte`
of one field, unknown operators and enum values. A parameter nobody knows is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from local.sources.incident_io.errors import invalid_value

PAGE_SIZE_DEFAULT = 25
PAGE_SIZE_LIMIT = 250
"""The schema says 500 for incidents; the live API answers a request for 500 with 250."""

_Reader = Callable[[str, str], datetime]

_NAME = re.compile(r"^([a-z_]+)(?:\[([^\[\]]+)\])?(?:\[([^\[\]]+)\])?$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Between:
    """Instants from `start` (inclusive) to `end` (exclusive); None is open."""

    start: datetime | None
    end: datetime | None

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies between."""
        return (self.start is None or instant >= self.start) and (self.end is None or instant < self.end)


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page: `size` rows after the row `after`."""

    size: int
    after: str | None


class Parameters:
    """A query string's parameters by field and operator; empty values count as absent."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, dict[str, list[str]]] = {}
        for name, value in pairs:
            match = _NAME.match(name)
            if match is None or not value:
                continue
            field, first, second = match.groups()
            operator = first or "" if second is None else f"{first}][{second}"
            self._values.setdefault(field, {}).setdefault(operator, []).append(value)

    def fields(self) -> frozenset[str]:
        """The names of all fields given."""
        return frozenset(self._values)

    def operators(self, field: str, allowed: Iterable[str]) -> Mapping[str, list[str]]:
        """The values of a field by operator; 422 for an operator that it doesn't take."""
        given = self._values.get(field, {})
        unknown = sorted(set(given) - set(allowed))
        if unknown:
            listed = ", ".join(sorted(allowed))
            raise invalid_value(field, f"{field}[{unknown[0]}] is not an operator of {field}; it takes {listed}")
        return given

    def single(self, field: str) -> str | None:
        """The last plain value (`field=value`), as the vendor takes the last of several."""
        values = self._values.get(field, {}).get("")
        return values[-1] if values else None

    def choice(self, field: str, choices: tuple[str, ...]) -> str | None:
        """A plain value out of a closed set; 422 for another."""
        value = self.single(field)
        if value is not None and value not in choices:
            raise invalid_value(field, f"{field} must be one of {', '.join(choices)}; got {value!r}")
        return value

    def paging(self) -> Paging:
        """`page_size` (default 25, held to 250) and `after`; 422 for a size that isn't a positive number."""
        text = self.single("page_size")
        if text is None:
            return Paging(PAGE_SIZE_DEFAULT, self.single("after"))
        if not (text.isascii() and text.isdecimal()) or int(text[:9]) < 1:
            raise invalid_value("page_size", f"page_size must be a positive whole number; got {text!r}")
        return Paging(min(int(text[:9]), PAGE_SIZE_LIMIT), self.single("after"))

    def days(self, field: str) -> Between | None:
        """A filter by whole UTC days, both ends inclusive; None when not given."""
        return self._between(field, _day_start, _after_day)

    def instants(self, field: str) -> Between | None:
        """A filter by RFC 3339 instants, both ends inclusive to the microsecond; None when not given."""
        return self._between(field, _instant, _after_instant)

    def _between(self, field: str, start_of: _Reader, end_of: _Reader) -> Between | None:
        given = self.operators(field, ("gte", "lte", "date_range"))
        if not given:
            return None
        if "gte" in given and "lte" in given:
            raise invalid_value(field, f"{field}[gte] and {field}[lte] can't be used together; use {field}[date_range]")
        starts = [start_of(field, value) for value in given.get("gte", [])]
        ends = [end_of(field, value) for value in given.get("lte", [])]
        for value in given.get("date_range", []):
            first, tilde, last = value.partition("~")
            if not tilde:
                raise invalid_value(field, f"{field}[date_range] must be two ends joined by '~'; got {value!r}")
            starts.append(start_of(field, first))
            ends.append(end_of(field, last))
        return Between(max(starts, default=None), min(ends, default=None))


def _day_start(field: str, value: str) -> datetime:
    try:
        # date.fromisoformat alone would take 20260301 and 2026-W09-7 as well
        day = date.fromisoformat(value if _DATE.match(value) else "")
        return datetime.combine(day, time(), UTC)
    except ValueError:
        raise invalid_value(field, f"{field} must be a date in the format yyyy-mm-dd; got {value!r}") from None


def _instant(field: str, value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        instant = datetime.min  # noqa: DTZ901 - naive on purpose: refused below like any other naive one
    if instant.tzinfo is None:
        raise invalid_value(field, f"{field} must be an RFC 3339 timestamp; got {value!r}")
    return instant


def _after_day(field: str, value: str) -> datetime:
    return _later(_day_start(field, value), timedelta(days=1))


def _after_instant(field: str, value: str) -> datetime:
    return _later(_instant(field, value), timedelta(microseconds=1))


def _later(instant: datetime, step: timedelta) -> datetime:
    try:
        return instant + step
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
