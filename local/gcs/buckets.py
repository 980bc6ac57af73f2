"""Buckets."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from local.gcs.errors import ApiError
from local.gcs.resources import Resource, utc_now

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){1,220}[a-z0-9]")


class Buckets:
    """The buckets of the emulator, all in one project."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def create(self, given: Mapping[str, Any]) -> Resource:
        """Create a bucket; ApiError 400 for a bad name, 409 when it exists."""
        name = str(given.get("name", ""))
        if not _NAME.fullmatch(name):
            raise ApiError(400, f"Invalid bucket name: '{name}'")
        now = utc_now()
        defaults: Resource = {"location": "US", "locationType": "multi-region", "storageClass": "STANDARD"}
        bucket: Resource = (
            defaults
            | dict(given)
            | {
                "kind": "storage#bucket",
                "id": name,
                "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
                "projectNumber": "0",
                "metageneration": "1",
                "timeCreated": now,
                "updated": now,
                "etag": "CAE=",
            }
        )
        try:
            self._db.execute("INSERT INTO bucket VALUES (?, ?)", (name, json.dumps(bucket)))
        except sqlite3.IntegrityError:
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise ApiError(409, message) from None
        return bucket

    def get(self, name: str) -> Resource:
        """The bucket's resource; ApiError 404 when it does not exist."""
        row = self._db.execute("SELECT body FROM bucket WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise ApiError(404, "The specified bucket does not exist.")
        bucket: Resource = json.loads(row[0])
        return bucket

    def list_all(self, prefix: str = "") -> Resource:
        """All buckets whose name begins with `prefix`, in one page."""
        rows = self._db.execute("SELECT name, body FROM bucket ORDER BY name")
        return {
            "kind": "storage#buckets",
            "items": [json.loads(body) for name, body in rows if name.startswith(prefix)],
        }

    def patch(self, name: str, changes: Mapping[str, Any]) -> Resource:
        """Change fields; null removes one."""
        bucket = self.get(name) | dict(changes)
        bucket = {field: value for field, value in bucket.items() if value is not None}
        bucket |= {"name": name, "updated": utc_now(), "metageneration": str(int(bucket["metageneration"]) + 1)}
        self._db.execute("UPDATE bucket SET body = ? WHERE name = ?", (json.dumps(bucket), name))
        return bucket

    def delete(self, name: str) -> None:
        """Delete an empty bucket and its notification configurations; ApiError 409 when it holds objects."""
        self.get(name)
        if self._db.execute("SELECT 1 FROM object WHERE bucket = ? LIMIT 1", (name,)).fetchone():
            raise ApiError(409, "The bucket you tried to delete is not empty.")
        self._db.execute("DELETE FROM bucket WHERE name = ?", (name,))
        self._db.execute("DELETE FROM notification WHERE bucket = ?", (name,))
