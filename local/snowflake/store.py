"""The databases on disk.

Gap: fakesnow's server keeps everything in memory; with a path it forgets stages, comments and text lengths, and
does not attach the databases of an earlier run.
"""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import duckdb
from fakesnow import info_schema
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show

_KEPT_RESULTS = 64


class Store(FakeSnow):
    """All databases of the stand-in: one DuckDB file each, `<DATABASE>.db`, and one for what spans them."""

    def __init__(self, db_path: Path, memory_limit: str = "4GB") -> None:
        """Open `db_path` (created if missing). Raises duckdb.IOException if another process has it open."""
        db_path.mkdir(parents=True, exist_ok=True)
        self.create_database_on_connect = True
        self.create_schema_on_connect = True
        self.db_path = self._directory = db_path
        self.nop_regexes = None
        self.results_cache = _LastResults()
        self.duck_conn = duckdb.connect(
            ":memory:",
            config={
                # sqlglot writes lambdas in DuckDB's older notation
                "lambda_syntax": "ENABLE_SINGLE_ARROW",
                "memory_limit": memory_limit,
                "temp_directory": str(db_path / "spill"),
                # Snowflake promises no order either, and a large COPY needs half the memory without it
                "preserve_insertion_order": False,
            },
        )
        self._attach(db_path / f"{GLOBAL_DATABASE_NAME}.duckdb", GLOBAL_DATABASE_NAME)
        self.duck_conn.execute(info_schema.fs_global_creation_sql())
        self.duck_conn.execute(show.fs_global_creation_sql())
        self.duck_conn.execute("SET GLOBAL TimeZone = 'UTC'")
        for file in sorted(db_path.glob("*.db")):
            self._attach(file, file.stem)

    def _attach(self, file: Path, name: str) -> None:
        quoted = str(file).replace("'", "''")
        self.duck_conn.execute(f"ATTACH '{quoted}' AS \"{name}\"")

    def forget(self, database: str) -> None:
        """Remove the file of a dropped database, which would be attached again at the next start."""
        for suffix in (".db", ".db.wal"):
            (self._directory / f"{database}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Write everything into the database files and let them go."""
        self.duck_conn.close()


class _LastResults(OrderedDict[str, tuple[Any, ...]]):
    """Results for RESULT_SCAN; fakesnow keeps every result for ever."""

    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        super().__setitem__(key, value)
        while len(self) > _KEPT_RESULTS:
            self.popitem(last=False)
