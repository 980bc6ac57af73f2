"""Transactions as Snowflake has them, over DuckDB's.

Gaps: DDL commits the open transaction (DuckDB rolls it back with the rest); a second BEGIN does nothing; each
statement sees what was committed before it began (READ COMMITTED; DuckDB takes one snapshot). For the last one
DuckDB's transaction begins with the first write, once the writer lock is held: reads before it see fresh data, and
nobody else writes after it.
"""

import duckdb

from local.snowflake.errors import CANCELED, NOT_SUPPORTED, sql_error
from local.snowflake.writer_lock import WriterLock


class Transaction:
    """The transaction state of one session. Not thread-safe: the session runs one statement at a time."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, lock: WriterLock) -> None:
        self._duck = duck
        self._lock = lock
        self.autocommit = True
        self.declared = False  # BEGIN was given, or a write began one implicitly
        self.writing = False  # DuckDB's own transaction is open, and the lock is held
        self.lost: str | None = None  # why it can only be rolled back
        self._errno = CANCELED

    def begin(self) -> None:
        """Explicit BEGIN; inside a transaction it does nothing, as in Snowflake."""
        self.check()
        self.declared = True

    def check(self) -> None:
        """Raise if the transaction is lost: going on, or committing, would keep half of it without a word."""
        if self.lost:
            raise sql_error(self._errno, f"transaction was rolled back: {self.lost}; ROLLBACK first", "57014")

    def before_write(self, table: str | None, lock_timeout_seconds: float) -> bool:
        """Take the writer lock for `table`. True if it is for this statement only (autocommit)."""
        self.check()
        taken = self._lock.acquire(self, table, lock_timeout_seconds)
        if self.autocommit and not self.declared:
            return taken
        if not self.writing:
            try:
                self._duck.begin()
            except duckdb.Error:
                self._lock.release(self)
                raise
            self.declared = self.writing = True
        return False

    def before_ddl(self, *, locked: bool) -> bool:
        """Commit what is open, then take the lock (if `locked`) for this statement. True if it was taken."""
        self.commit()
        return self._lock.acquire(self, None, 0) if locked else False

    def after_failure(self) -> None:
        """Find out whether DuckDB gave up the whole transaction because of the failed statement."""
        if not self.writing:
            return
        try:
            self._duck.execute("SELECT 1")
        except duckdb.Error:
            # a limit of the stand-in: Snowflake would go on without the failed statement
            self.abort("an earlier statement of it failed, which the stand-in cannot undo alone", NOT_SUPPORTED)

    def release(self) -> None:
        """The statement that `before_write` or `before_ddl` locked for is over."""
        if not self.writing:
            self._lock.release(self)

    def commit(self) -> None:
        """COMMIT; outside a transaction it does nothing."""
        self.check()
        try:
            if self.writing:
                self._duck.commit()
        except duckdb.Error:
            self._end()
            raise
        self._end()

    def rollback(self) -> None:
        """ROLLBACK; outside a transaction it does nothing. Also ends a lost transaction."""
        self.lost = None
        self._undo()

    def abort(self, reason: str, errno: int = CANCELED) -> None:
        """Roll back without being asked; the session hears `reason` until it says ROLLBACK."""
        self._undo()
        self.lost, self._errno = reason, errno

    def _undo(self) -> None:
        try:
            if self.writing:
                self._duck.rollback()
        finally:
            self._end()

    def _end(self) -> None:
        self.declared = self.writing = False
        self._lock.release(self)
