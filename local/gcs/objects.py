"""Objects: the only place where content and metadata change, always in one transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.gcs.buckets import Buckets
from local.gcs.content import ContentFiles
from local.gcs.database import transaction
from local.gcs.errors import ApiError
from local.gcs.hashes import Hashes
from local.gcs.notifications import Notifications
from local.gcs.outbox import Outbox
from local.gcs.preconditions import ABSENT, Preconditions, Version, query_int
from local.gcs.resources import Resource, changed_resource, object_resource


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it is now: its version, its resource and the file that holds its bytes."""

    version: Version
    resource: Resource
    file: str
    path: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """Bytes that have fully arrived and what the client said of them.

    `session` is the resumable session they came by, "" when by none: its result is stored with the object.
    """

    path: Path
    hashes: Hashes
    given: Mapping[str, Any]
    component_count: int | None = None
    notify: bool = True
    session: str = ""


class Objects:
    """All objects of all buckets."""

    def __init__(
        self,
        database: sqlite3.Connection,
        files: ContentFiles,
        buckets: Buckets,
        notifications: Notifications,
        outbox: Outbox,
        base_url: str,
    ) -> None:
        self._db = database
        self._files = files
        self._buckets = buckets
        self._notifications = notifications
        self._outbox = outbox
        self._base_url = base_url

    def find(self, bucket: str, name: str) -> StoredObject | None:
        """The live object, or None; ApiError 404 when the bucket does not exist."""
        self._buckets.get(bucket)
        row = self._db.execute(
            "SELECT generation, metageneration, body, file FROM object WHERE bucket = ? AND name = ?", (bucket, name)
        ).fetchone()
        if row is None:
            return None
        return StoredObject(Version(row[0], row[1]), json.loads(row[2]), row[3], self._files.path(row[3]))

    def get(self, bucket: str, name: str, query: Mapping[str, str], *, reading: bool = True) -> StoredObject:
        """The object a request names, its preconditions checked; ApiError 404, 412 or 304."""
        found = self.find(bucket, name)
        wanted = query_int(query, "generation")
        if found is not None and wanted not in (None, found.version.generation):
            found = None
        Preconditions.from_query(query).check(found.version if found else ABSENT, reading=reading)
        if found is None:
            raise ApiError(404, f"No such object: {bucket}/{name}")
        return found

    def after(self, bucket: str, start: str, past: str) -> Iterator[tuple[str, str]]:
        """(name, resource as JSON text) of a bucket's objects with name >= start and name > past, by name."""
        yield from self._db.execute(
            "SELECT name, body FROM object WHERE bucket = ? AND name >= ? AND name > ? ORDER BY name",
            (bucket, start, past),
        )

    def check_create(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        """Refuse an upload early whose preconditions fail already; `create` checks them again."""
        found = self.find(bucket, name)
        Preconditions.from_query(query).check(found.version if found else ABSENT)

    def create(self, bucket: str, name: str, finished: Finished, query: Mapping[str, str]) -> Resource:
        """Make the bytes the object's new generation, queue its notifications, and show it in the plain tree.

        The preconditions are checked in the same transaction. Raises ApiError 400 for a checksum that differs, 403
        for an object on hold, 404 for no such bucket, 412 for a failed precondition; the bytes are dropped then.
        """
        try:
            _check_name(name)
            _check_hashes(finished)
            with transaction(self._db):
                replaced = self.find(bucket, name)
                Preconditions.from_query(query).check(replaced.version if replaced else ABSENT)
                _check_hold(replaced)
                generation = self._next_generation()
                resource = object_resource(
                    self._base_url, bucket, name, generation, finished.hashes, finished.given, finished.component_count
                )
                file = self._files.keep(finished.path, generation)
                self._db.execute(
                    "INSERT OR REPLACE INTO object VALUES (?, ?, ?, 1, ?, ?)",
                    (bucket, name, generation, file, json.dumps(resource)),
                )
                self._db.execute("UPDATE session SET result = ? WHERE id = ?", (json.dumps(resource), finished.session))
                if finished.notify:
                    self._queue_creation(resource, replaced)
        except BaseException:
            finished.path.unlink(missing_ok=True)
            raise
        self._outbox.wake()
        self._files.link(bucket, name, file)
        if replaced:
            self._files.remove(replaced.file)
        return resource

    def delete(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        """Delete the live object; ApiError 403, 404 or 412."""
        with transaction(self._db):
            found = self.get(bucket, name, query, reading=False)
            _check_hold(found)
            self._db.execute("DELETE FROM object WHERE bucket = ? AND name = ?", (bucket, name))
            self._outbox.add(self._notifications.messages("OBJECT_DELETE", found.resource, {}))
        self._outbox.wake()
        self._files.unlink(bucket, name, found.file)
        self._files.remove(found.file)

    def change(
        self, bucket: str, name: str, query: Mapping[str, str], changes: Mapping[str, Any], *, replace: bool
    ) -> Resource:
        """Patch the metadata, or with `replace` set it anew: a new metageneration; ApiError 404 or 412."""
        with transaction(self._db):
            found = self.get(bucket, name, query, reading=False)
            resource = changed_resource(found.resource, changes, replace=replace)
            self._db.execute(
                "UPDATE object SET metageneration = ?, body = ? WHERE bucket = ? AND name = ?",
                (int(resource["metageneration"]), json.dumps(resource), bucket, name),
            )
            self._outbox.add(self._notifications.messages("OBJECT_METADATA_UPDATE", resource, {}))
        self._outbox.wake()
        return resource

    def _queue_creation(self, resource: Resource, replaced: StoredObject | None) -> None:
        before = {"overwroteGeneration": str(replaced.version.generation)} if replaced else {}
        self._outbox.add(self._notifications.messages("OBJECT_FINALIZE", resource, before))
        if replaced:
            by = {"overwrittenByGeneration": str(resource["generation"])}
            self._outbox.add(self._notifications.messages("OBJECT_DELETE", replaced.resource, by))

    def _next_generation(self) -> int:
        """Microseconds of the clock, and more than any generation ever given, whatever the clock does."""
        row = self._db.execute("SELECT value FROM counter WHERE name = 'generation'").fetchone()
        generation = max(time.time_ns() // 1000, row[0] + 1 if row else 0)
        self._db.execute("INSERT OR REPLACE INTO counter VALUES ('generation', ?)", (generation,))
        return generation


def _check_name(name: str) -> None:
    encoded = name.encode()
    if not 1 <= len(encoded) <= 1024 or "\r" in name or "\n" in name or name in (".", ".."):
        raise ApiError(400, f"Invalid object name: {name[:80]!r}")


def _check_hashes(finished: Finished) -> None:
    for kind, field, have in (
        ("CRC32C", "crc32c", finished.hashes.crc32c),
        ("MD5", "md5Hash", finished.hashes.md5),
    ):
        given = finished.given.get(field)
        if given and given != have:
            message = f'Provided {kind} hash "{given}" doesn\'t match calculated {kind} hash "{have}".'
            raise ApiError(400, message)


def _check_hold(found: StoredObject | None) -> None:
    if found and (found.resource.get("temporaryHold") or found.resource.get("eventBasedHold")):
        where = f"{found.resource['bucket']}/{found.resource['name']}"
        raise ApiError(403, f"Object '{where}' is under active hold and cannot be deleted, overwritten or archived.")
