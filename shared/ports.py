"""What the use cases need from the outside, as protocols; `adapters/` holds the implementations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.contracts.contract import Contract


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a bucket says of an object. `crc32c` is base64 as Cloud Storage writes it."""

    name: str
    generation: int
    size: int
    crc32c: str
    metadata: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Creation:
    """The outcome of a create-only write: the object that is there now, and whether this call's write put it there."""

    object: StoredObject
    created: bool


class Bucket(Protocol):
    """A bucket whose writes are conditional: nothing is ever overwritten unseen.

    Every write carries an owner token, kept in the object's metadata as `owner`: when the answer to a write was lost
    and the client's own retry finds the object in place, the token tells that the write was this call's after all.
    All methods raise StorageUnavailable when the service fails.
    """

    @property
    def name(self) -> str:
        """The bucket's name."""
        ...

    def create(
        self, name: str, data: bytes | memoryview, *, owner: str, metadata: Mapping[str, str] | None = None
    ) -> Creation:
        """Write the object if there is none of that name."""
        ...

    def replace(self, name: str, data: bytes, *, owner: str, generation: int) -> StoredObject:
        """Write the object if it still is of that generation. Raises StateConflict when it is not."""
        ...

    def delete(self, name: str, *, generation: int) -> bool:
        """Delete the object if it still is of that generation; tells whether it did."""
        ...

    def stat(self, name: str) -> StoredObject | None:
        """What is there under that name, without its content."""
        ...

    def read(self, name: str) -> tuple[bytes, StoredObject] | None:
        """Content and description, of one and the same generation."""
        ...

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose name begins with `prefix`, by name."""
        ...

    def copy_in(self, source_bucket: str, name: str, generation: int, new_name: str) -> None:
        """Copy an object of another bucket into this one, unless one is there already."""
        ...


class Spool(Protocol):
    """The spool bucket as those who drain it use it: many small objects at a time.

    All methods raise StorageUnavailable when the service fails.
    """

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose name begins with `prefix`, by name."""
        ...

    def read_each(self, versions: Sequence[tuple[str, int]]) -> Sequence[bytes | None]:
        """The contents of objects given by name and generation, in that order; None for one that is gone."""
        ...

    def delete_each(self, versions: Sequence[tuple[str, int]]) -> int:
        """Delete objects given by name and generation; the number of those that were still there."""
        ...


class Publisher(Protocol):
    """Pub/Sub's sending side."""

    def publish(self, topic: str, attributes: Mapping[str, str], data: bytes | None = None) -> None:
        """Publish one message and wait until it is taken. Raises PublishFailed.

        Without data of its own the message repeats its attributes as JSON: a push body with empty data is no event to
        the functions framework.
        """
        ...


class Secrets(Protocol):
    """Secret values by reference."""

    def fetch(self, reference: str, *, fresh: bool = False) -> str:
        """The secret's current value; `fresh` bypasses the cache.

        Raises ConfigurationError when there is no such secret or version, TransientError when the service fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a source. `headers` may carry a credential and is never shown."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A source's answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Http(Protocol):
    """One HTTP exchange, no retries."""

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """The answer, whatever its status.

        Raises SourceUnavailable for any network fault or a cut body, ResponseTooLarge beyond `max_bytes`.
        """
        ...


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The current instant in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Jobs(Protocol):
    """Cloud Run jobs."""

    def start(self, job: str) -> None:
        """Start one execution of the job. Raises JobUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class LandedPart:
    """A landing object as the warehouse needs to know it."""

    object_name: str
    generation: int
    pipeline: str
    source: str
    window_id: str
    revision: int
    part: int
    rows: int
    run_id: str
    observed_at: datetime
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """What loading a part did; `already_loaded` when the ledger knew the object."""

    already_loaded: bool
    inserted: int = 0
    updated: int = 0
    vanished: int = 0
    """Rows of the part's whole scopes that it lacks: flagged as deleted."""


@dataclass(frozen=True, slots=True)
class WindowState:
    """One row of PIPELINE_WINDOWS."""

    pipeline: str
    window_id: str
    source: str
    window_start: datetime
    window_end: datetime
    status: str
    rows_landed: int
    rows_rejected: int
    closed_at: datetime


class Warehouse(Protocol):
    """The warehouse as the loader and the job use it.

    Both methods raise WarehouseUnavailable (try again) or WarehouseRefused (do not).
    """

    def load_part(self, contract: Contract, part: LandedPart, *, loaded_at: datetime) -> LoadedRows:
        """COPY the landing object and MERGE it by the contract, once, in one transaction with its ledger row."""
        ...

    def prepare(self, contracts: Sequence[Contract]) -> None:
        """Create the RAW tables that are not there yet: dbt reads a source's table also before its first row."""
        ...

    def record_windows(self, states: Sequence[WindowState]) -> None:
        """Upsert rows of PIPELINE_WINDOWS; the later `closed_at` wins."""
        ...
