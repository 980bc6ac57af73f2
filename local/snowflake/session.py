"""One client's session: what fakesnow's connection holds, plus what it lacks.

Gap: a session that ends (or whose client dies) leaves its open transaction and its temporary objects behind.
"""

import itertools
import threading
import time
from typing import Any

from fakesnow.conn import FakeSnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import DatabaseError, ProgrammingError

from local.snowflake.context_functions import Context
from local.snowflake.cursor import Cursor
from local.snowflake.errors import NOT_SUPPORTED, STATEMENT_TIMEOUT, sql_error
from local.snowflake.history import Query, QueryHistory
from local.snowflake.parameters import SessionParameters
from local.snowflake.stages import StageRoots
from local.snowflake.store import Store
from local.snowflake.temporary import TemporaryObjects
from local.snowflake.transactions import Transaction
from local.snowflake.writer_lock import WriterLock

_numbers = itertools.count(1)
_creation = threading.Lock()


class Session(FakeSnowflakeConnection):
    """A login. Statements run one at a time; each may come on another thread."""

    def __init__(
        self,
        store: Store,
        lock: WriterLock,
        history: QueryHistory,
        stages: StageRoots,
        *,
        database: str | None,
        schema: str | None,
        context: Context | None = None,
    ) -> None:
        # fakesnow looks whether the database is there and then creates it: two logins at once would both create it
        with _creation:
            super().__init__(
                store.duck_conn.cursor(), store.results_cache, database, schema, db_path=store.db_path
            )  # fmt: skip
        self.number = next(_numbers)
        self.store = store
        self.history = history
        self.stages = stages
        self.context = context or Context(self.number, "LOCAL", "PUBLIC", "")
        self.context.session_id = self.number
        self.parameters = SessionParameters()
        self.transaction = Transaction(self._duck_conn, lock)
        self.temporary = TemporaryObjects(self._duck_conn)
        self.last_active = time.monotonic()
        self.running_since: float | None = None
        self._statement = threading.RLock()
        self._timed_out = False

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> Cursor:  # noqa: ARG002 - fakesnow's signature
        """A cursor on this session."""
        return Cursor(self, self._duck_conn)

    def set_parameter(self, name: str, value: str | float | bool | None) -> None:
        """Set, or with None unset, one session parameter."""
        if value is None:
            self.parameters.unset(name)
        else:
            self.parameters.set(name, value)
        if name.upper() == "AUTOCOMMIT":
            wanted = self.parameters.flag("AUTOCOMMIT")
            if wanted and not self.transaction.autocommit:
                self.transaction.commit()
            self.transaction.autocommit = wanted

    def run(self, sql: str, params: Any = None) -> Cursor:
        """Run one statement and record it. Raises ProgrammingError or DatabaseError, nothing else."""
        with self._statement:
            query = self._query(sql)
            self.history.add(query)
            cursor = self.cursor()
            self._timed_out = False
            self.running_since = time.monotonic()
            try:
                cursor.execute(sql, binding_params=params, server=True)
            except (ProgrammingError, DatabaseError) as caught:
                error = caught
                if self._timed_out:
                    error = sql_error(STATEMENT_TIMEOUT, "Statement reached its timeout and was canceled", "57014")
                error.sfqid = query.query_id
                query.failed(error.errno, str(error.msg))
                raise error from caught.__cause__
            except Exception as broken:
                query.failed(NOT_SUPPORTED, repr(broken))
                raise sql_error(NOT_SUPPORTED, f"the local stand-in failed: {broken!r}", "0A000") from broken
            finally:
                self.running_since = None
                self.last_active = time.monotonic()
            self.context.last_query_id = query.query_id = cursor.sfqid or query.query_id
            query.query_type = cursor.statement_kind
            query.succeeded(cursor.rowcount)
            return cursor

    def _query(self, sql: str) -> Query:
        return Query(
            query_text=sql,
            query_type="UNKNOWN",
            session_id=self.number,
            user_name=self.context.user,
            role_name=self.context.role,
            warehouse_name=self.context.warehouse,
            database_name=self.database,
            schema_name=self.schema,
            query_tag=self.parameters.text("QUERY_TAG"),
        )

    def cancel(self, *, timed_out: bool = False) -> None:
        """Interrupt the running statement, if there is one; it fails with Snowflake's error for this."""
        if self.running_since is not None:
            self._timed_out = timed_out
            self._duck_conn.interrupt()

    def overdue(self) -> bool:
        """Whether the running statement is over STATEMENT_TIMEOUT_IN_SECONDS (0: never)."""
        limit = self.parameters.seconds("STATEMENT_TIMEOUT_IN_SECONDS")
        return bool(limit) and self.running_since is not None and time.monotonic() - self.running_since > limit

    def abort_transaction(self, reason: str) -> bool:
        """Roll back the open transaction unless a statement runs. True if there was one to roll back."""
        if not self._statement.acquire(blocking=False):
            return False
        try:
            if not self.transaction.writing:
                return False
            self.transaction.abort(reason)
            return True
        finally:
            self._statement.release()

    def close(self, retry: bool = True) -> None:
        """Roll back, drop the temporary objects (they live and die with DuckDB's connection) and end."""
        with self._statement:
            if not self._is_closed:
                self.transaction.rollback()
                super().close(retry)
