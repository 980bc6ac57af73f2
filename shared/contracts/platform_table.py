"""RAW tables that the platform writes about itself: one definition, from which DDL, MERGE and dbt's sources follow."""

from dataclasses import dataclass

from shared.contracts.contract import Column
from shared.contracts.identifiers import quoted
from shared.contracts.snowflake import TYPES


@dataclass(frozen=True, slots=True)
class PlatformTable:
    """A table of facts about windows or runs: one row a key; of two rows, the one with the later `newest` stays.

    Rows are objects with an attribute a column, in lower case.
    """

    name: str
    grain: str
    keys: tuple[str, ...]
    newest: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        required = {column.name for column in self.columns if column.required}
        if not {*self.keys, self.newest} <= required:
            raise ValueError(f"{self.name}: {self.keys} and {self.newest} are relied on and must be required columns")

    def key_of(self, row: object) -> tuple[object, ...]:
        """The row's key."""
        return tuple(getattr(row, name) for name in self.keys)

    def values_of(self, row: object) -> list[object]:
        """The row's values in the columns' order, as `upsert` binds them."""
        return [getattr(row, column.name) for column in self.columns]


def create_table(table: PlatformTable, schema: str) -> str:
    """DDL of the table."""
    columns = ", ".join(f"{quoted(c.name)} {TYPES[c.kind]}{' NOT NULL' if c.required else ''}" for c in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {_name(table, schema)} ({columns})"


def upsert(table: PlatformTable, schema: str, rows: int) -> str:
    """MERGE of `rows` rows, each bound in the columns' order. A key may come once only."""
    values = ", ".join(f"({', '.join(['%s'] * len(table.columns))})" for _ in range(rows))
    names = [quoted(column.name) for column in table.columns]
    typed = ", ".join(
        f"CAST(column{i} AS {TYPES[column.kind]}) AS {quoted(column.name)}"
        for i, column in enumerate(table.columns, start=1)
    )
    match = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in table.keys)
    updates = ", ".join(f"{name} = s.{name}" for name in names if name not in [quoted(key) for key in table.keys])
    newest = quoted(table.newest)
    return (
        f"MERGE INTO {_name(table, schema)} AS t USING (SELECT {typed} FROM VALUES {values}) AS s ON {match} "
        f"WHEN MATCHED AND s.{newest} >= t.{newest} THEN UPDATE SET {updates} "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({', '.join(f's.{n}' for n in names)})"
    )


def _name(table: PlatformTable, schema: str) -> str:
    return ".".join([*(quoted(part) for part in schema.split(".")), quoted(table.name)])
