"""The local Snowflake stand-in as a process, and the real connector to talk to it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import snowflake.connector

from local.supervisor import free_ports

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "landing-bucket"
Row = tuple[Any, ...]


class LocalWarehouse:
    """One server process over one directory; may be killed and started again."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self.db_path = directory / "warehouse"
        self.bucket_dir = directory / "bucket"
        self.bucket_dir.mkdir(parents=True, exist_ok=True)
        self.flags = flags
        (self.port,) = free_ports(0)
        self._log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        command = [
            sys.executable, "-m", "local.snowflake", "--port", str(self.port), "--db-path", str(self.db_path),
            "--stage-root", f"gcs://{BUCKET}={self.bucket_dir}", *self.flags,
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the stand-in did not start:\n{self._log.read_text()}")

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        assert self._process is not None
        self._process.send_signal(with_signal)
        return self._process.wait(15)

    def log(self) -> str:
        """What the server wrote."""
        return self._log.read_text()

    def connect(self, **options: Any) -> snowflake.connector.SnowflakeConnection:
        """The real connector, in database OPP and schema RAW unless told otherwise."""
        return snowflake.connector.connect(**{**self.connection_options(), **options})

    def connection_options(self) -> dict[str, Any]:
        """Arguments of snowflake.connector.connect."""
        return {
            "user": "loader", "password": "x", "account": "local", "host": "127.0.0.1", "port": self.port,
            "protocol": "http", "database": "OPP", "schema": "RAW", "warehouse": "LOAD_WH",
            # without a limit the connector would wait for a dead server for ever
            "network_timeout": 20, "login_timeout": 20,
        }  # fmt: skip


@contextlib.contextmanager
def local_warehouse(directory: Path, *flags: str) -> Iterator[LocalWarehouse]:
    """A started server that is stopped at the end."""
    warehouse = LocalWarehouse(directory, *flags)
    warehouse.start()
    try:
        yield warehouse
    finally:
        process = warehouse._process
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait(15)


def rows(connection: snowflake.connector.SnowflakeConnection, sql: str, params: Any = None) -> list[Row]:
    """Run one statement; all rows of its result."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [tuple(row) for row in cursor.fetchall()]


def naive(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0
) -> datetime:
    """What a TIMESTAMP_NTZ comes out as: without a zone."""
    return datetime(year, month, day, hour, minute, second, microsecond, UTC).replace(tzinfo=None)


assert os.name == "posix", "the tests kill processes by POSIX signals"
