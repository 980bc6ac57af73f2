"""The vocabulary of contracts: kinds of columns, columns, and the contract of a RAW table."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any


class Kind(Enum):
    """What a column holds; Arrow and Snowflake types follow from it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    JSON = "json"


TEXT, INTEGER, NUMBER, MONEY, BOOLEAN, DATE, INSTANT, JSON = Kind
"""The kinds by their names alone: a contract reads as a table."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a RAW table. `pii` marks what staging must hash, and extraction where asked to."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    pii: bool = False


META_COLUMNS = (
    Column("dq_valid", BOOLEAN, "False when a data quality flag is set; the row is kept all the same.", True),
    Column("dq_flags", JSON, "Names of the data quality rules that the record breaks, an array of text.", True),
    Column("_is_deleted", BOOLEAN, "The source no longer has the record.", True),
    Column("_source", TEXT, "The registry's name of the source.", True),
    Column("_window_id", TEXT, "The window whose extraction brought this version.", True),
    Column("_source_file", TEXT, "The landing object that held this version.", True),
    Column("_run_id", TEXT, "The extraction run that brought this version.", True),
    Column("_observed_at", INSTANT, "When the source answered with this version; breaks ties.", True),
)
"""Columns of every RAW table that travel in the Parquet file."""

INGESTED_AT = Column("_ingested_at", INSTANT, "When the load wrote this version; marts cut by it.", True)
ANCHOR_AT = Column(
    "_anchor_at", INSTANT, "The anchor's value at the first load; never changes, so merges prune by it.", True
)


FIRST_WINDOW_ID = Column("_first_window_id", TEXT, "The window that brought the row first; a later one is late.", True)
RESTATED_AT = Column("_restated_at", INSTANT, "When the load last found other content for the row; NULL for never.")


@dataclass(frozen=True, slots=True)
class Contract:
    """The one definition of a RAW table: one row a key, the newest version wins.

    `version` names the column whose greater value is the newer version of a record; `anchor` the instant that a
    record is born with, kept at its first value in `_anchor_at`; `cluster_by` the instant or date that prunes scans.
    """

    name: str
    table: str
    grain: str
    keys: tuple[str, ...]
    version: str
    anchor: str
    cluster_by: str
    columns: tuple[Column, ...]
    scope: str | None = None
    """The column (a day, say) that whole re-reads replace: a row that a newer whole scope lacks is deleted. Of an
    instant its month (UTC) is the scope."""
    scope_within: tuple[str, ...] | None = None
    """Columns that narrow a scope down, where several sources bring rows of it; None: a scope is its source's own."""
    leaves_unchanged: bool = False
    """Whether a row that is read again with the same content stays as it was written, `_ingested_at` included."""
    kept: tuple[str, ...] = ()
    """Columns whose value outlives a newer version without one: sources forget whom or what a record was about."""
    digest: str | None = None
    """The column that changes with the content: a re-read row with another digest was re-stated by the vendor."""

    def __post_init__(self) -> None:
        names = [column.name for column in self.landed]
        if len(set(names)) != len(names):
            raise ValueError(f"contract {self.name}: a column is named twice")
        for name in (*self.keys, self.version, self.anchor, self.cluster_by):
            if not self.column(name).required:
                raise ValueError(f"contract {self.name}: {name} is relied on and must be required")
        for name in self.kept:
            if self.column(name).required:
                raise ValueError(f"contract {self.name}: {name} is never missing, so there is nothing to keep")

    @property
    def landed(self) -> tuple[Column, ...]:
        """The columns of the Parquet file, in order."""
        return self.columns + META_COLUMNS

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of the RAW table, in order."""
        kept = (FIRST_WINDOW_ID, RESTATED_AT) if self.digest else ()
        return (*self.landed, INGESTED_AT, ANCHOR_AT, *kept)

    def compares(self, scopes: Sequence[str]) -> bool:
        """Whether a load of a part with these whole scopes leaves rows alone whose content did not change.

        Comparing reads every column of the table. That is worth it for what is read whole, mostly as it was: a part
        with scopes, or a list that has none. The small delta of a scoped table is written as it comes.
        """
        return self.leaves_unchanged and (bool(scopes) or self.scope is None)

    @property
    def ledger_table(self) -> str:
        """The table beside this one that says which landing objects are in it."""
        return f"{self.table}__LEDGER"

    @property
    def scopes_table(self) -> str:
        """The table beside this one that says when each scope was last read whole."""
        return f"{self.table}__SCOPES"

    def scope_of(self, row: Mapping[str, Any]) -> str:
        """The scope that a row belongs to, as extractions name it. Raises ValueError for a contract without scopes."""
        if self.scope is None:
            raise ValueError(f"contract {self.name} has no scope")
        value = row[self.scope]
        last = month_of(value) if self.column(self.scope).kind is Kind.INSTANT else str(value)
        return "/".join([*(str(row[name]) for name in self.scope_within or ()), last])

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever the Parquet schema does."""
        shape = "\n".join(f"{column.name} {column.kind.value}" for column in self.landed)
        return hashlib.sha256(shape.encode()).hexdigest()[:16]

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        for column in self.landed:
            if column.name == name:
                return column
        raise KeyError(f"contract {self.name} has no column {name}")


def month_of(instant: datetime) -> str:
    """The month of an instant in UTC: 2026-11."""
    return instant.astimezone(UTC).strftime("%Y-%m")
