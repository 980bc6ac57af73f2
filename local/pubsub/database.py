"""The SQLite database of topics, subscriptions and messages that wait for an acknowledgement."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

# `leased`: out for delivery, by a push that runs or a pull that is not acknowledged. `due`: when a message may be
# delivered next; a running push has no end of its own, so its `due` is NULL.
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS topic (name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscription (
    name TEXT PRIMARY KEY, topic TEXT NOT NULL, push_endpoint TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, body BLOB NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, due REAL DEFAULT 0, leased INTEGER NOT NULL DEFAULT 0, ack_id TEXT);
CREATE INDEX IF NOT EXISTS message_due ON message (subscription, due);
UPDATE message SET due = 0, leased = 0, ack_id = NULL WHERE leased;
"""


def connect(path: str) -> sqlite3.Connection:
    """Open or create the database; what was in flight when it was last open is due at once."""
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
        database.execute("ROLLBACK")
        raise
