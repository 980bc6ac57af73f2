"""A person's connection to the local warehouse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from local.addresses import Addresses

_NO_SUCH_OBJECT = 2003


def connect(addresses: Addresses, database: str = "ANALYTICS") -> SnowflakeConnection:
    """A connection to the stand-in; any password will do."""
    return snowflake.connector.connect(
        account="local",
        user="person",
        password="local",  # noqa: S106 - the stand-in asks for none
        host="127.0.0.1",
        port=addresses.warehouse,
        protocol="http",
        database=database,
        schema="PUBLIC",
        network_timeout=60,
        login_timeout=20,
        session_parameters={"TIMEZONE": "UTC"},
    )


def query(addresses: Addresses, statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a statement's result."""
    with connect(addresses) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        names = [column.name.lower() for column in cursor.description or ()]
        return names, [tuple(row) for row in cursor.fetchall()]


def query_if_built(addresses: Addresses, statement: str) -> tuple[list[str], list[tuple[Any, ...]]] | None:
    """As `query`; None when a table is not there: dbt builds a pipeline's marts with its first row."""
    try:
        return query(addresses, statement)
    except ProgrammingError as exc:
        if exc.errno != _NO_SUCH_OBJECT:
            raise
        return None


def as_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Text columns: numbers to the right, the rest to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(names)]
    numeric = [all(isinstance(row[i], (int, float, type(None))) for row in rows) for i in range(len(names))]

    def line(values: Sequence[str]) -> str:
        padded = (v.rjust(w) if n else v.ljust(w) for v, w, n in zip(values, widths, numeric, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(names), line(["-" * width for width in widths]), *(line(row) for row in cells)])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
