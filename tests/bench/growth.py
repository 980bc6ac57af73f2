"""Two warehouses that differ in nothing but their number of rows, and the same delta into both."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import snowflake.connector

from local.supervisor import free_ports
from shared.adapters.snowflake import SnowflakeAccess, SnowflakeWarehouse
from shared.contracts.incidents import INCIDENTS
from shared.ports import LandedPart
from tests.bench.children import module, serving
from tests.bench.incident_table import FIRST_CREATED, SECONDS_BETWEEN, write_part
from tests.bench.sizes import Sizes
from tests.bench.usage import process_cpu_seconds

BUCKET = "bench-landing"
DAYS_BETWEEN_LOADS = 8  # more than the lookback, so that a build takes two deltas at most, however many came before


@dataclass(slots=True)
class GrownWarehouse:
    """A stand-in with a RAW table of `rows` incidents."""

    rows: int
    port: int
    pid: int
    landing: Path
    adapter: SnowflakeWarehouse
    loads: int = 0

    def next_delta(self, count: int) -> LandedPart:
        """A landing object of `count` incidents: the last half of it is new, the rest are the newest there, changed."""
        start = self.rows - count // 2
        self.rows = start + count
        return write_part(self.landing, self.loads, start, count, version=self.loads)

    def load(self, part: LandedPart) -> None:
        """Load it through the adapter."""
        self.adapter.load_part(INCIDENTS, part, loaded_at=self._loaded_at())
        self.loads += 1

    def seed(self) -> None:
        """Load the table's first rows."""
        self.load(write_part(self.landing, 0, 0, self.rows, version=0))

    def server_cpu_seconds(self) -> float:
        """CPU of the warehouse's process so far; 0 where the system does not tell."""
        return process_cpu_seconds(self.pid) or 0.0

    def value(self, statement: str) -> Any:
        """The one value that a query answers."""
        with snowflake.connector.connect(**_connect_options(self.port)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()[0][0]

    def _loaded_at(self) -> datetime:
        newest = FIRST_CREATED + timedelta(seconds=SECONDS_BETWEEN * 1_000_000)
        return newest + timedelta(days=DAYS_BETWEEN_LOADS * self.loads)


@contextmanager
def grown_warehouses(sizes: Sizes, folder: Path) -> Iterator[tuple[GrownWarehouse, GrownWarehouse]]:
    """A small and a large one, with their rows."""
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(_grown(rows, folder / str(rows))) for rows in (sizes.rows_small, sizes.rows_large)
        )  # type: ignore[misc]  # two of them


@contextmanager
def _grown(rows: int, folder: Path) -> Iterator[GrownWarehouse]:
    (port,) = free_ports(0)
    landing = folder / "bucket"
    (landing / "landing").mkdir(parents=True)
    process = module(
        "local.snowflake", port, "--db-path", str(folder / "db"), "--stage-root", f"gcs://{BUCKET}={landing}"
    )
    options = _connect_options(port)
    with serving([process], folder / "logs") as pids:
        with snowflake.connector.connect(**options) as connection, connection.cursor() as cursor:
            for statement in (
                "CREATE DATABASE IF NOT EXISTS RAW",
                "CREATE DATABASE IF NOT EXISTS ANALYTICS",
                "CREATE SCHEMA IF NOT EXISTS RAW.PUBLIC",
                f"CREATE STAGE RAW.PUBLIC.LANDING URL = 'gcs://{BUCKET}/landing/' STORAGE_INTEGRATION = GCS",
            ):
                cursor.execute(statement)
        adapter = SnowflakeWarehouse(SnowflakeAccess("RAW", "PUBLIC", "LANDING", lambda _: options))
        warehouse = GrownWarehouse(rows, port, pids["snowflake"], landing, adapter)
        warehouse.seed()
        yield warehouse
        adapter.close()


def _connect_options(port: int) -> dict[str, Any]:
    return {
        "account": "local",
        "user": "loader",
        "password": "local",
        "host": "127.0.0.1",
        "port": port,
        "protocol": "http",
        "warehouse": "LOAD_WH",
        "role": "LOADER",
    }
