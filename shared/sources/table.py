"""Records as rows of their contract: every value is checked against its column, since what a column cannot hold would
stop the file that it is in. A record that breaks the contract is rejected whole, alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, DecimalException
from math import isfinite
from typing import Any

import msgspec

from shared.contracts.contract import META_COLUMNS, Column, Contract, Kind
from shared.sources.family import ExtractionRange, RawPage, Rejection, Rows
from shared.sources.record import Refused, checked_text, plausible

_LARGEST_INTEGER = 2**63 - 1
_LARGEST_DECIMAL = Decimal(10) ** 20
# Six places are kept behind the point, and decimals are computed with 28 digits.

_MILLIONTH = Decimal("0.000001")
_META = frozenset(column.name for column in META_COLUMNS)

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class Row:
    """One row in the making: values by column, the record as received, and the quality rules that it breaks.

    JSON columns take plain values. Columns that are left out are NULL.
    """

    values: dict[str, Any]
    payload: str
    flags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """Collects the rows of one scope.

    By `contract.version` rows older than the extraction's range are skipped, unless that is full, and the watermark is
    found; a contract whose version is the observation has neither. With `skips` off no row is too old: what is asked
    for by another instant than the version (an hour, say) was meant.
    """

    contract: Contract
    extraction: ExtractionRange
    skips: bool = True
    rejections: list[Rejection] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    skipped: int = 0
    watermark: datetime | None = None
    _rows: list[Row] = field(default_factory=list)

    def add(
        self, record: bytes, convert: Callable[[bytes, str], Iterable[Row]], known: frozenset[str] | None = None
    ) -> bool:
        """Convert a record, given as bytes and as text, and tell whether it was taken; `known` are its known fields.

        `convert` raises Refused for a record that breaks the contract.
        """
        try:
            rows = [self._checked(row) for row in convert(record, checked_text(record))]
        except Refused as exc:
            self.reject(exc, record)
            return False
        except DecimalException as exc:
            # text like NaN or 1e999999 is a decimal too, until somebody computes with it
            self.reject(Refused("implausible_figure", f"an amount that cannot be computed with: {exc!r}"), record)
            return False
        if known is not None:
            self.unknown |= _fields.decode(record).keys() - known
        for row in rows:
            self._take(row)
        return True

    def add_pages(
        self,
        pages: Iterable[RawPage],
        convert: Callable[[bytes, str], Iterable[Row]],
        known: frozenset[str] | None = None,
    ) -> None:
        """Convert every record of the pages; see add."""
        for page in pages:
            for record in page.records:
                self.add(record, convert, known)

    def reject(self, why: Refused, record: bytes) -> None:
        """Keep a record for quarantine."""
        self.rejections.append(Rejection(why.reason, why.detail, bytes(record)))

    def seen(self, version: datetime) -> None:
        """Count the version of something that makes no row for the watermark."""
        if self.watermark is None or version > self.watermark:
            self.watermark = version

    def rows(self, scopes: tuple[str, ...] | None = None) -> Rows:
        """What was collected, as columns; `scopes` as in Rows."""
        columns = {
            column.name: [row.values.get(column.name) for row in self._rows]
            for column in self.contract.columns
            if column.name != "payload"
        }
        columns["payload"] = [row.payload for row in self._rows]
        columns["dq_valid"] = [not row.flags for row in self._rows]
        columns["dq_flags"] = [_json(row.flags) for row in self._rows]
        return Rows(columns, len(self._rows), self.rejections, self.skipped, self.watermark, self.unknown, scopes)

    def _take(self, row: Row) -> None:
        if self.contract.version not in _META:
            version = row.values[self.contract.version]
            if self.skips and version < self.extraction.start and not self.extraction.full:
                self.skipped += 1
                return
            self.seen(version)
        self._rows.append(row)

    def _checked(self, row: Row) -> Row:
        for column in self.contract.columns:
            if column.name != "payload":
                row.values[column.name] = _fitting(column, row.values.get(column.name), column.name in self._keys)
        return row

    @property
    def _keys(self) -> tuple[str, ...]:
        return self.contract.keys


def amounts_negative(values: Mapping[str, Any], *names: str) -> list[str]:
    """The flag of a row with a negative one among these amounts, which no shop and no monitor means."""
    return ["negative_figure"] if any(values[name] is not None and values[name] < 0 for name in names) else []


def _fitting(column: Column, value: Any, is_key: bool) -> Any:
    """The value as the column holds it. Raises Refused when it cannot."""
    if value is None:
        if column.required:
            raise Refused("missing_value", f"{column.name} is missing")
        return None
    match column.kind:
        case Kind.TEXT if is_key and not value.strip():
            raise Refused("empty_key", f"{column.name} is empty")
        case Kind.INTEGER if abs(value) > _LARGEST_INTEGER:
            raise Refused("implausible_figure", f"{column.name} is {value}")
        case Kind.NUMBER if not isfinite(value):
            raise Refused("implausible_figure", f"{column.name} is {value}")
        case Kind.MONEY:
            if not value.is_finite() or abs(value) >= _LARGEST_DECIMAL:
                raise Refused("implausible_figure", f"{column.name} is {value}")
            return value.quantize(_MILLIONTH)
        case Kind.INSTANT:
            return plausible(column.name, value)
        case Kind.JSON:
            return _json(value)
    return value


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
