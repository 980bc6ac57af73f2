"""The warehouse on Snowflake, and on its local stand-in: the same connector and the same statements."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import snowflake.connector
from snowflake.connector import DictCursor, SnowflakeConnection
from snowflake.connector.errors import DatabaseError, Error, OperationalError, ProgrammingError
from snowflake.connector.vendored.requests.exceptions import RequestException

from shared import logs
from shared.adapters.snowflake_tables import SnowflakeTables
from shared.contracts import PLATFORM_TABLES
from shared.contracts import snowflake as sql
from shared.contracts.contract import Contract
from shared.contracts.platform_table import PlatformTable, create_table, upsert
from shared.errors import WarehouseRefused, WarehouseUnavailable
from shared.landing import PREFIX
from shared.ports import LandedPart, LoadedRows, PipelineRun, WindowState

_TRANSIENT_ERRNOS = frozenset(
    {
        604,  # the statement was cancelled
        625,  # a lock was not granted within LOCK_TIMEOUT
        630,  # the statement reached its timeout
        250001,  # no connection
        250003,  # the request failed
        250005,  # the request timed out
        390195,  # the session's token expired
        390111,  # the session is gone
        390114,  # the session ended
    }
)


_ROWS_A_MERGE = 200
# Two dozen values a row: far below what a statement may be long, and a statement's values are all held in memory.

_FOREIGN_ANSWERS = (AttributeError, KeyError, TypeError, RequestException)
# The connector takes the shape of an answer for granted: a proxy's page or a cut body comes out as one of these.


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the warehouse may take, in seconds, before the work is given back to be tried again.

    `lock`: other loads into the same table wait in line; each takes seconds, and 20 waiters are the most that Snowflake
    takes. `network` is above `statement`, so that a slow statement ends with the warehouse's own error.
    """

    lock: int = 120
    statement: int = 300
    network: int = 330
    login: int = 30


@dataclass(frozen=True, slots=True)
class SnowflakeAccess:
    """How to reach the warehouse. `connect_options` holds credentials and is never shown."""

    database: str
    schema: str
    stage: str
    connect_options: Callable[[bool], dict[str, Any]]
    """Options of the connector; given True, with a secret fetched again."""
    limits: Limits = Limits()


class SnowflakeWarehouse:
    """One connection a process, opened at the first use and again after it was lost.

    A session has one transaction, so the threads of a process take turns: a second BEGIN would join the first
    transaction, and either one's ROLLBACK take the other's rows along.
    """

    def __init__(self, access: SnowflakeAccess) -> None:
        self._access = access
        self._schema = f"{access.database}.{access.schema}"
        self._connection: SnowflakeConnection | None = None
        self._turn = threading.Lock()
        self._tables = SnowflakeTables(access.database, access.schema)

    def load_part(self, contract: Contract, part: LandedPart, *, loaded_at: datetime) -> LoadedRows:
        """See Warehouse. An answer lost after COMMIT is settled by the next delivery: the ledger knows the object."""
        tag = {
            "app": "operational-performance",
            "pipeline": part.pipeline,
            "source": part.source,
            "window": part.window_id,
            "run_id": part.run_id,
            "step": "load",
        }
        with self._session(tag, f"load of {part.object_name}") as run:
            self._tables.prepare(run, [contract])
            staging = f"STAGE_{contract.table}_{uuid.uuid4().hex[:12].upper()}"
            # before BEGIN: in Snowflake any DDL commits the open transaction, temporary tables included
            run(sql.create_staging(contract, self._schema, staging))
            # a load that fails leaves its temporary table to the session's end
            loaded = self._transaction(run, contract, staging, part, loaded_at)
            run(sql.drop_staging(self._schema, staging))
            return loaded

    def prepare(self, contracts: Sequence[Contract]) -> None:
        """See Warehouse."""
        with self._session({"app": "operational-performance", "step": "tables"}, "creation of the RAW tables") as run:
            self._tables.prepare(
                run, contracts, {table.name: create_table(table, self._schema) for table in PLATFORM_TABLES}
            )

    def record(self, table: PlatformTable, rows: Sequence[WindowState] | Sequence[PipelineRun]) -> None:
        """See Warehouse."""
        tag = {"app": "operational-performance", "step": "record", "table": table.name}
        with self._session(tag, f"update of {table.name}") as run:
            run(create_table(table, self._schema))
            # one row a key: a MERGE may not meet a key twice
            newest = {table.key_of(row): row for row in sorted(rows, key=attrgetter(table.newest))}
            left = list(newest.values())
            for start in range(0, len(left), _ROWS_A_MERGE):
                chunk = left[start : start + _ROWS_A_MERGE]
                values = [value for row in chunk for value in table.values_of(row)]
                run(upsert(table, self._schema, len(chunk)), values)

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transaction(
        self, run: "_Run", contract: Contract, staging: str, part: LandedPart, loaded_at: datetime
    ) -> LoadedRows:
        # the stage is limited to the landing prefix, so names are relative to it
        folder, _, file = part.object_name.removeprefix(PREFIX).rpartition("/")
        try:
            copy = sql.copy_into_staging(self._schema, staging, self._access.stage, folder, file)
        except ValueError as exc:
            raise WarehouseRefused(f"{run.what}: {exc}") from exc
        ledger_row = {
            "object_name": part.object_name,
            "generation": part.generation,
            "source": part.source,
            "window_id": part.window_id,
            "revision": part.revision,
            "part": part.part,
            "rows": part.rows,
            "run_id": part.run_id,
            "loaded_at": loaded_at,
        }
        run("BEGIN")
        try:
            values = [ledger_row[name] for name in sql.LEDGER_COLUMNS]
            if not run.merge(sql.claim_in_ledger(contract, self._schema), values)["inserted"]:
                run("ROLLBACK")
                known = run(sql.rows_in_ledger(contract, self._schema), [part.object_name, part.generation])
                return LoadedRows(already_loaded=True, copied=int(known[0][0]))
            run(copy)
            copied = int(run(sql.count_staged(self._schema, staging))[0][0])
            _check_copied(part, copied)
            counts = run.merge(
                sql.merge_from_staging(contract, self._schema, staging, compare=contract.compares(part.scopes)),
                [loaded_at],
            )
            vanished = self._flag_vanished(run, contract, staging, part, loaded_at)
            run("COMMIT")
        except BaseException:
            self._roll_back(run)
            raise
        return LoadedRows(False, counts.get("inserted", 0), counts.get("updated", 0), vanished, copied)

    def _flag_vanished(
        self, run: "_Run", contract: Contract, staging: str, part: LandedPart, loaded_at: datetime
    ) -> int:
        if contract.scope is None:
            return 0
        vanished, source = 0, sql.scope_values(contract, part.source)
        if part.scopes:
            values = sql.vanished_values(
                contract,
                observed_at=part.observed_at,
                loaded_at=loaded_at,
                run_id=part.run_id,
                source=part.source,
                scopes=part.scopes,
            )
            statement = sql.delete_vanished(contract, self._schema, staging, len(part.scopes))
            vanished = int(run(statement, values)[0][0])
            seen = [value for scope in part.scopes for value in (part.source, scope, part.observed_at)]
            run(sql.record_scopes(contract, self._schema, len(part.scopes)), seen)
        if run(sql.count_newer_scopes(contract, self._schema), [*source, part.observed_at])[0][0]:
            statement = sql.delete_overtaken(contract, self._schema)
            vanished += int(run(statement, [loaded_at, part.object_name])[0][0])
        return vanished

    def _roll_back(self, run: "_Run") -> None:
        try:
            run("ROLLBACK")
        except (WarehouseUnavailable, WarehouseRefused):
            logs.warning("load.rollback_failed", message="the session's end rolls the transaction back")
            # the next load must not find itself in this transaction
            self.close_quietly()

    @contextmanager
    def _session(self, tag: dict[str, str], what: str) -> Iterator["_Run"]:
        if not self._turn.acquire(timeout=self._access.limits.lock):
            raise WarehouseUnavailable(f"{what}: other loads of this process took too long; it is tried again")
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = self._connect(what)
            run = _Run(self._connection, what)
            run("ALTER SESSION SET QUERY_TAG = %s", [json.dumps(tag, separators=(",", ":"))])
            yield run
        except WarehouseUnavailable:
            self.close_quietly()
            raise
        finally:
            self._turn.release()

    def close_quietly(self) -> None:
        """Forget a connection that no longer answers."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close(retry=False)
        except (Error, *_FOREIGN_ANSWERS):
            logs.warning("warehouse.close_failed")

    def _connect(self, what: str) -> SnowflakeConnection:
        try:
            try:
                return self._open(fresh=False)
            except OperationalError:
                raise
            except DatabaseError as exc:
                # a rotated key shows as a login error
                logs.warning("warehouse.login_refused", message="fetching the key again, once", errno=exc.errno)
                return self._open(fresh=True)
        except OperationalError as exc:
            raise WarehouseUnavailable(f"{what}: no connection: {exc}; it is tried again") from exc
        except DatabaseError as exc:
            raise WarehouseRefused(f"{what}: login refused, also with the key fetched again: {exc}") from exc
        except (Error, *_FOREIGN_ANSWERS) as exc:
            raise WarehouseUnavailable(f"{what}: no connection: {exc!r}; it is tried again") from exc

    def _open(self, *, fresh: bool) -> SnowflakeConnection:
        return snowflake.connector.connect(
            **self._access.connect_options(fresh),
            database=self._access.database,
            schema=self._access.schema,
            login_timeout=self._access.limits.login,
            network_timeout=self._access.limits.network,
            client_session_keep_alive=False,
            session_parameters={
                "TIMEZONE": "UTC",
                "LOCK_TIMEOUT": self._access.limits.lock,
                "ABORT_DETACHED_QUERY": True,
                "STATEMENT_TIMEOUT_IN_SECONDS": self._access.limits.statement,
            },
        )


@dataclass(slots=True)
class _Run:
    """Executes statements of one session, translating the connector's errors."""

    connection: SnowflakeConnection
    what: str

    def merge(self, statement: str, values: Sequence[Any]) -> dict[str, int]:
        """Execute a MERGE; the numbers of rows by action: inserted, updated."""
        with self.connection.cursor(DictCursor) as cursor:
            (row,) = self._fetch(cursor, statement, values)
        return {name.removeprefix("number of rows "): int(count) for name, count in row.items()}

    def __call__(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self.connection.cursor() as cursor:
            return self._fetch(cursor, statement, values)

    def _fetch(self, cursor: Any, statement: str, values: Sequence[Any]) -> list[Any]:
        try:
            cursor.execute(statement, tuple(values) or None)
            rows: list[Any] = cursor.fetchall()
        except ProgrammingError as exc:
            if exc.errno in _TRANSIENT_ERRNOS:
                raise WarehouseUnavailable(f"{self.what}: {exc.errno} {exc.msg}; it is tried again") from exc
            raise WarehouseRefused(f"{self.what}: {exc.errno} {exc.msg}; look at {statement[:80]!r}") from exc
        except Error as exc:
            raise WarehouseUnavailable(f"{self.what}: {exc.errno} {exc.msg}; it is tried again") from exc
        except _FOREIGN_ANSWERS as exc:
            raise WarehouseUnavailable(f"{self.what}: no answer of the warehouse: {exc!r}; it is tried again") from exc
        return rows


def _check_copied(part: LandedPart, copied: int) -> None:
    if copied != part.rows:
        raise WarehouseRefused(
            f"{part.object_name}: {part.rows} rows landed, but COPY read {copied}; nothing was loaded"
        )
