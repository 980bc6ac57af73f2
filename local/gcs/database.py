"""The SQLite database: one connection, explicit transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS bucket (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS object (
    bucket TEXT, name TEXT, generation INTEGER NOT NULL, metageneration INTEGER NOT NULL,
    file TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (bucket, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, file TEXT NOT NULL, bucket TEXT NOT NULL, name TEXT NOT NULL,
    query TEXT NOT NULL, body TEXT NOT NULL, result TEXT);
CREATE TABLE IF NOT EXISTS notification (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data BLOB NOT NULL, attributes TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the database. Outside `transaction` every statement commits by itself."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(_SCHEMA)
    return database


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All statements of the block or none."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
