"""Buckets on Cloud Storage; the emulator when STORAGE_EMULATOR_HOST is set."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

from google.api_core import exceptions as api
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException

from shared.errors import StateConflict, StorageUnavailable
from shared.ports import Creation, StoredObject

RETRY_SECONDS = 120.0
# The client's own default: repeats an operation that met a fault for this long. Three such operations in a row, the
# most that one step makes, still end before a push deadline of 600 s.
TIMEOUT_SECONDS = 60.0  # the client's own default, too

_AT_A_TIME = 8
# Requests for many small objects: the client's pool holds ten connections.


@cache
def storage_client(project: str) -> storage.Client:
    """One client a process; anonymous against the emulator. Raises StorageUnavailable without credentials."""
    # else the client looks at the bucket in the background, with its first request and each that finds nothing, to name
    # it in traces: requests for nothing, and such as an account that may only use objects is refused
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(project=project, credentials=AnonymousCredentials())
    try:
        return storage.Client(project=project)
    except GoogleAuthError as exc:
        raise StorageUnavailable(f"no credentials for storage in project {project}: {exc}") from exc


class GcsBucket:
    """A bucket on Cloud Storage.

    `retry_seconds` bounds how long the client repeats an operation that meets faults, `timeout_seconds` how long it
    waits to connect, and for each read of an answer.
    """

    def __init__(
        self,
        client: storage.Client,
        name: str,
        *,
        retry_seconds: float = RETRY_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._bucket = client.bucket(name)
        self._client = client
        self._name = name
        self._limits = {"retry": DEFAULT_RETRY.with_timeout(retry_seconds), "timeout": timeout_seconds}

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self._name

    def create(
        self, name: str, data: bytes | memoryview, *, owner: str, metadata: Mapping[str, str] | None = None
    ) -> Creation:
        """See Bucket."""
        blob = self._bucket.blob(name)
        blob.metadata = {**(metadata or {}), "owner": owner}
        while True:
            try:
                with self._translated(name):
                    self._upload(blob, data, generation=0)
                    return Creation(_described(blob), True)
            except api.PreconditionFailed:
                there = self.stat(name)
            except StorageUnavailable as exc:
                there = self._there_though_refused(name, exc)
            if there is not None:
                # our own write whose answer was lost, retried by the client, finds itself here
                return Creation(there, there.metadata.get("owner") == owner)

    def replace(self, name: str, data: bytes, *, owner: str, generation: int) -> StoredObject:
        """See Bucket."""
        blob = self._bucket.blob(name)
        blob.metadata = {"owner": owner}
        try:
            with self._translated(name):
                self._upload(blob, data, generation=generation)
                return _described(blob)
        except api.PreconditionFailed as exc:
            there = self.stat(name)
            if there is not None and there.metadata.get("owner") == owner:
                return there
            raise StateConflict(f"{self._name}/{name} is no longer of generation {generation}") from exc

    def delete(self, name: str, *, generation: int) -> bool:
        """See Bucket."""
        if not _may_exist(name):
            return False
        try:
            with self._translated(name):
                self._bucket.blob(name).delete(if_generation_match=generation, **self._limits)
        except (api.PreconditionFailed, api.NotFound):
            return False
        return True

    def stat(self, name: str) -> StoredObject | None:
        """See Bucket."""
        if not _may_exist(name):
            return None
        blob = self._bucket.blob(name)
        try:
            with self._translated(name):
                # not get_blob: it takes a bucket that does not exist for an object that does not
                blob.reload(**self._limits)
        except api.NotFound:
            return None
        return _described(blob)

    def read(self, name: str) -> tuple[bytes, int] | None:
        """See Bucket."""
        if not _may_exist(name):
            return None
        blob = self._bucket.blob(name)
        try:
            with self._translated(name):
                data: bytes = blob.download_as_bytes(**self._limits)
        except api.NotFound:
            return None
        if blob.generation is None:
            raise StorageUnavailable(f"storage answered for {name} without saying of which generation")
        return data, int(blob.generation)

    def list(self, prefix: str, *, start: str = "") -> Iterator[StoredObject]:
        """See Bucket."""
        with self._translated(prefix):
            for blob in self._client.list_blobs(
                self._bucket, prefix=prefix, start_offset=start or None, **self._limits
            ):
                yield _described(blob)

    def read_each(self, versions: Sequence[tuple[str, int]]) -> Sequence[bytes | None]:
        """See Spool."""
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="read") as threads:
            return list(threads.map(lambda version: self._read_version(*version), versions))

    def delete_each(self, versions: Sequence[tuple[str, int]]) -> int:
        """See Spool."""
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="delete") as threads:
            return sum(threads.map(lambda version: self.delete(version[0], generation=version[1]), versions))

    def copy_in(self, source_bucket: str, name: str, generation: int, new_name: str) -> None:
        """See Bucket."""
        if not _may_exist(name):
            return
        origin = self._client.bucket(source_bucket)
        try:
            with self._translated(name):
                copied = origin.copy_blob(
                    origin.blob(name),
                    self._bucket,
                    new_name,
                    source_generation=generation,
                    if_generation_match=0,
                    **self._limits,
                )
                _described(copied)
        except (api.PreconditionFailed, api.NotFound):
            return
        except StorageUnavailable as exc:
            self._there_though_refused(new_name, exc)

    def _there_though_refused(self, name: str, exc: StorageUnavailable) -> StoredObject:
        """The object that is there already, where a create was refused with 403; raises `exc` when nothing is.

        An account that may create but not delete is refused what would replace an object, whatever the precondition.
        """
        there = self.stat(name) if isinstance(exc.__cause__, api.Forbidden) else None
        if there is None:
            raise exc
        return there

    def _read_version(self, name: str, generation: int) -> bytes | None:
        try:
            with self._translated(name):
                data: bytes = self._bucket.blob(name).download_as_bytes(if_generation_match=generation, **self._limits)
                return data
        except (api.PreconditionFailed, api.NotFound):
            return None

    def _upload(self, blob: Any, data: bytes | memoryview, *, generation: int) -> None:
        blob.upload_from_string(
            bytes(data),
            content_type="application/octet-stream",
            if_generation_match=generation,
            checksum="crc32c",
            **self._limits,
        )

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except (api.PreconditionFailed, api.NotFound) as exc:
            if isinstance(exc, api.NotFound) and "bucket does not exist" in str(exc):
                raise StorageUnavailable(f"bucket {self._name!r} does not exist; apply the infrastructure") from exc
            raise
        except (api.GoogleAPIError, GoogleAuthError, RequestException, ConnectionError, DataCorruption) as exc:
            raise StorageUnavailable(f"storage failed on {self._name}/{name}: {exc}") from exc


def _may_exist(name: str) -> bool:
    """Whether an object may have this name; a forged notification may hold any text, also such as no URL can carry.

    https://cloud.google.com/storage/docs/objects#naming
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= 1024 and name not in (".", "..") and not set(name) & {"\r", "\n"}


def _described(blob: Any) -> StoredObject:
    if None in (blob.generation, blob.size, blob.time_created):
        raise StorageUnavailable(f"storage answered for {blob.name} with something that is no description of an object")
    return StoredObject(
        name=blob.name,
        generation=int(blob.generation),
        size=int(blob.size),
        crc32c=blob.crc32c or "",
        metadata=dict(blob.metadata or {}),
        created_at=blob.time_created,
    )
