"""Query history: what ran, under which tag and warehouse, how long, and what became of it.

Gap: fakesnow has none. The newest statements are kept in memory (bounded, gone after a restart) and become a table
only when a statement asks for it, so that recording costs next to nothing.
"""

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from sqlglot import Expr, exp

KEPT = 10_000
_TABLE = "_FS_LOCAL_QUERY_HISTORY"


@dataclass
class Query:
    """One statement of one session."""

    query_text: str
    query_type: str
    session_id: int
    user_name: str
    role_name: str
    warehouse_name: str
    database_name: str | None
    schema_name: str | None
    query_tag: str
    start_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    query_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    end_time: datetime | None = None
    execution_status: str = "RUNNING"
    rows_produced: int | None = None
    error_code: str | None = None
    error_message: str | None = None

    @property
    def total_elapsed_time(self) -> int | None:
        """Milliseconds, None while it runs."""
        if self.end_time is None:
            return None
        return round((self.end_time - self.start_time).total_seconds() * 1000)

    def succeeded(self, rows: int | None) -> None:
        """It ended well."""
        self.end_time, self.execution_status, self.rows_produced = datetime.now(UTC), "SUCCESS", rows

    def failed(self, code: int | None, message: str) -> None:
        """It ended with an error; `code` is Snowflake's number."""
        self.end_time, self.execution_status = datetime.now(UTC), "FAIL"
        self.error_code, self.error_message = f"{code or 0:06d}", message


_COLUMNS = (*(f.name for f in fields(Query)), "total_elapsed_time")
_TYPES = {
    "session_id": pa.int64(),
    "start_time": pa.timestamp("us", tz="UTC"),
    "end_time": pa.timestamp("us", tz="UTC"),
    "rows_produced": pa.int64(),
    "total_elapsed_time": pa.int64(),
}


class QueryHistory:
    """The newest statements of all sessions, oldest first."""

    def __init__(self, kept: int = KEPT) -> None:
        self._queries: deque[Query] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def add(self, query: Query) -> None:
        """Record a statement as it starts."""
        with self._lock:
            self._queries.append(query)

    def newest(self) -> list[Query]:
        """What is kept, oldest first."""
        with self._lock:
            return list(self._queries)

    def substitute(self, statement: Expr, duck: duckdb.DuckDBPyConnection) -> Expr:
        """Give `statement` the history, where it reads `table(information_schema.query_history())`,
        `snowflake.account_usage.query_history` or `_fs_local.query_history`."""
        wanted = [node for node in statement.find_all(exp.TableFromRows, exp.Table) if _is_history(node)]
        if not wanted:
            return statement
        table = _table(self.newest())
        # a copy, not a registered view on the Arrow data: the result may be read after the next statement began
        duck.register("_fs_history_arrow", table)
        duck.execute(f'CREATE OR REPLACE TEMPORARY TABLE "{_TABLE}" AS SELECT * FROM _fs_history_arrow')
        duck.unregister("_fs_history_arrow")
        for node in wanted:
            replacement: Expr = exp.to_table(f'"{_TABLE}"', dialect="duckdb")
            if limit := _result_limit(node):
                newest = exp.select("*").from_(replacement).order_by('"START_TIME" DESC', dialect="duckdb").limit(limit)
                replacement = newest.subquery(node.alias or "QUERY_HISTORY")
            else:
                replacement = exp.alias_(replacement, node.alias or "QUERY_HISTORY", table=True)
            if node is statement:
                return replacement
            node.replace(replacement)
        return statement


def _is_history(node: Expr) -> bool:
    if isinstance(node, exp.Table):
        return node.name.upper() == "QUERY_HISTORY" and node.db.upper() in {"ACCOUNT_USAGE", "_FS_LOCAL"}
    call = node.find(exp.Anonymous)
    return call is not None and call.name.upper().startswith("QUERY_HISTORY")


def _result_limit(node: Expr) -> int | None:
    for argument in node.find_all(exp.Kwarg):
        if argument.this.name.upper() == "RESULT_LIMIT":
            return int(argument.expression.name)
    return None


def _table(queries: list[Query]) -> pa.Table:
    return pa.table(
        {
            name.upper(): pa.array([getattr(q, name) for q in queries], type=_TYPES.get(name, pa.string()))
            for name in _COLUMNS
        }
    )
