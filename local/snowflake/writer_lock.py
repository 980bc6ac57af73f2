"""One writing transaction at a time.

Gap: Snowflake queues a statement that changes a table somebody else is changing; DuckDB lets both run and fails one
at the end, or lets two first MERGEs insert the same key twice.

The lock is global, not one a table. Snowflake is READ COMMITTED, DuckDB gives a transaction one snapshot. With a lock
a table, a transaction that first writes A and then B would merge into B as it was before it waited for A, and insert
again what another transaction has committed to B meanwhile. Held from the first write to the end of the
transaction, and with the DuckDB transaction begun only after the lock is held, every write sees all that was committed.
Readers never take it. That it is global shows as waiting only: LOCK_TIMEOUT ends a wait for a table that the holder has
written, as in Snowflake; who wants another table waits until it is free.
"""

import threading
import time
from collections import deque

from local.snowflake.errors import LOCK_TIMEOUT, sql_error

_LOOK_SECONDS = 0.25


class WriterLock:
    """A first-come-first-served lock whose holder is an object, not a thread: requests of a session change threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._holder: object | None = None
        self._written: set[str] = set()
        self._waiting: deque[object] = deque()

    @property
    def holder(self) -> object | None:
        """Who writes now."""
        return self._holder

    @property
    def waiting(self) -> int:
        """How many sessions wait."""
        return len(self._waiting)

    def acquire(self, who: object, table: str | None, timeout_seconds: float) -> bool:
        """Wait for the lock in order to write `table` (None: a DDL statement, which no lock ends).

        True if it is newly taken, False if `who` has it already. Raises error 000625 when the holder has written
        `table` and the wait has been longer than `timeout_seconds` (0: at once).
        """
        with self._condition:
            if self._holder is not who:
                self._wait_for_turn(table, time.monotonic() + timeout_seconds, timeout_seconds)
                self._holder = who
                self._written = {table} if table else set()
                return True
            if table:
                self._written.add(table)
            return False

    def _wait_for_turn(self, table: str | None, deadline: float, timeout_seconds: float) -> None:
        ticket = object()
        self._waiting.append(ticket)
        try:
            while self._holder is not None or self._waiting[0] is not ticket:
                if table in self._written and self._holder is not None and time.monotonic() >= deadline:
                    raise sql_error(
                        LOCK_TIMEOUT,
                        f"Statement was aborted: table {table} is locked by another transaction, and the wait was "
                        f"longer than LOCK_TIMEOUT ({timeout_seconds:g} s)",
                        "57014",
                    )
                # also without a notification: the holder may have written `table` meanwhile
                self._condition.wait(max(0.01, min(_LOOK_SECONDS, deadline - time.monotonic())))
        finally:
            self._waiting.remove(ticket)
            self._condition.notify_all()

    def release(self, who: object) -> None:
        """Let the next one write; nothing happens if `who` does not hold the lock."""
        with self._condition:
            if self._holder is who:
                self._holder = None
                self._written = set()
                self._condition.notify_all()
