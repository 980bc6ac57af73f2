"""The emulator's state, put together: one data directory, one database, one event loop."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from local.gcs.buckets import Buckets
from local.gcs.content import ContentFiles
from local.gcs.database import connect
from local.gcs.faults import Faults
from local.gcs.notifications import Notifications
from local.gcs.objects import Objects
from local.gcs.outbox import Outbox
from local.gcs.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Store:
    """Everything the routes work on."""

    database: sqlite3.Connection
    files: ContentFiles
    buckets: Buckets
    notifications: Notifications
    outbox: Outbox
    objects: Objects
    uploads: Uploads
    faults: Faults

    @classmethod
    def open(cls, root: Path, base_url: str) -> Store:
        """Open or create a data directory and bring its files in line with its database."""
        files = ContentFiles(root)
        database = connect(root / "meta.sqlite")
        rows = database.execute("SELECT bucket, name, file FROM object")
        sessions = database.execute("SELECT file FROM session WHERE result IS NULL")
        files.recover(rows, (row[0] for row in sessions))
        buckets, notifications, outbox, faults = Buckets(database), Notifications(database), Outbox(database), Faults()
        objects = Objects(database, files, buckets, notifications, outbox, base_url)
        uploads = Uploads(database, files, objects, faults)
        return cls(database, files, buckets, notifications, outbox, objects, uploads, faults)
