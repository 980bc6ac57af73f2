"""What the use cases need from the outside, as protocols; `adapters/` holds the implementations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from shared.contracts.contract import Contract
from shared.contracts.platform_table import PlatformTable
from shared.errors import PipelineError


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

    def read(self, name: str) -> tuple[bytes, int] | None:
        """Content and its generation."""
        ...

    def list(self, prefix: str, *, start: str = "") -> Iterator[StoredObject]:
        """Every object whose name begins with `prefix` and is `start` or comes after it, by name."""
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


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A message that a pull took: nobody else gets it until it is acknowledged, given back, or held for too long."""

    receipt: str
    """What to acknowledge it by."""
    id: str
    published_at: datetime
    attributes: Mapping[str, str]
    data: bytes = field(repr=False)


class Subscriber(Protocol):
    """Pub/Sub's receiving side, for subscriptions that are pulled: the dead letters'.

    All methods raise PullFailed when the service fails, ConfigurationError when there is no such subscription.
    """

    def pull(self, subscription: str, limit: int) -> list[HeldMessage]:
        """At most `limit` messages of those that wait; not always all that wait, and none is no proof of emptiness."""
        ...

    def pull_each(self, subscriptions: Sequence[str], limit: int) -> dict[str, list[HeldMessage] | PipelineError]:
        """`pull` from each, many at a time: an empty one is waited for. What failed has its error for an answer."""
        ...

    def acknowledge(self, subscription: str, receipts: Sequence[str]) -> None:
        """Take these messages away for good."""
        ...

    def give_back(self, subscription: str, receipts: Sequence[str]) -> None:
        """Let others have these messages now."""
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

        Raises SourceUnavailable for any network fault or a cut body, ResponseTooLarge beyond `max_bytes`,
        RequestRefused for a header that cannot be sent (without showing it).
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
    copied: int = 0
    """Rows of the part that COPY counted, now or when it was loaded."""


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


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One row of PIPELINE_RUNS."""

    run_id: str
    step: Literal["extract", "load"]
    pipeline: str
    source: str
    window_id: str
    window_end: datetime
    revision: int
    first_part: int | None
    last_part: int | None
    is_full: bool | None
    started_at: datetime
    finished_at: datetime
    seconds: float
    status: Literal["done", "continued", "failed"]
    error: str | None
    records_read: int | None
    records_kept: int | None
    records_rejected: int | None
    records_skipped: int | None
    rows_landed: int
    rows_loaded: int | None
    watermark_start: datetime | None
    watermark_end: datetime | None
    recorded_at: datetime | None = None
    """None until the dbt job writes the row."""


class Warehouse(Protocol):
    """The warehouse as the loader and the job use it.

    All methods raise WarehouseUnavailable (try again) or WarehouseRefused (do not).
    """

    def load_part(self, contract: Contract, part: LandedPart, *, loaded_at: datetime) -> LoadedRows:
        """COPY the landing object and MERGE it by the contract, once, in one transaction with its ledger row."""
        ...

    def prepare(self, contracts: Sequence[Contract]) -> None:
        """Create the RAW tables that are not there yet, the platform's own too: dbt reads all, filled or not."""
        ...

    def record(self, table: PlatformTable, rows: Sequence[WindowState] | Sequence[PipelineRun]) -> None:
        """Upsert rows of a table of the platform's own; of two with one key the later stays."""
        ...
