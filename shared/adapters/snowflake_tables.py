"""The tables that a contract needs in Snowflake: made and extended where they are not as it says."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from shared import logs
from shared.contracts import snowflake as sql
from shared.contracts.contract import Column, Contract
from shared.errors import WarehouseRefused


class Run(Protocol):
    """Executes a statement of a session; `what` is being done by it."""

    what: str

    def __call__(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of the statement's result."""
        ...


class SnowflakeTables:
    """The RAW tables of one schema, with the tables beside them; each contract is looked at once a process."""

    def __init__(self, database: str, schema: str) -> None:
        self._database = database
        self._schema = schema
        self._qualified = f"{database}.{schema}"
        self._ready: set[str] = set()

    def prepare(self, run: Run, contracts: Sequence[Contract]) -> None:
        """Create what is missing and add newer columns. Raises WarehouseRefused for a column that cannot be added.

        One query tells what is there, and mostly that is everything: DDL would take a lock and a compilation a table.
        """
        new = [contract for contract in contracts if contract.fingerprint not in self._ready]
        tables = {name: ddl for contract in new for name, ddl in sql.create_tables(contract, self._qualified).items()}
        if not tables:
            return
        there = self._columns(run, tables)
        missing = [name for name in tables if name not in there]
        for name in missing:
            run(tables[name])
        if missing:
            # another process may have created one of them first, by an older contract
            there = self._columns(run, tables)
        for contract in new:
            for column in contract.stored:
                if column.name.upper() not in there[contract.table]:
                    self._add(run, contract, column)
            self._ready.add(contract.fingerprint)

    def _columns(self, run: Run, tables: Collection[str]) -> dict[str, set[str]]:
        """The columns of those of the tables that are there."""
        columns: dict[str, set[str]] = {}
        for table, column in run(sql.columns_of(self._database, len(tables)), [self._schema, *tables]):
            columns.setdefault(table, set()).add(column)
        return columns

    def _add(self, run: Run, contract: Contract, column: Column) -> None:
        try:
            statement = sql.add_column(contract, self._qualified, column)
        except ValueError as exc:
            raise WarehouseRefused(f"{run.what}: {exc}; migrate the table by hand") from exc
        run(statement)
        logs.warning("load.column_added", table=contract.table, column=column.name)
