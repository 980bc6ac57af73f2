"""In-memory adapters for unit tests and simulation. They keep the ports' contracts, and can be told to fail."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.crc32c import crc32c_base64
from shared.errors import ConfigurationError, ResponseTooLarge, StateConflict
from shared.ports import (
    Clock,
    Creation,
    HttpRequest,
    HttpResponse,
    StoredObject,
)


@dataclass(slots=True)
class Faults:
    """Errors to raise at effects, each once, before or after the effect took place.

    `hook` is called with the moment ("before", "after"), the effect and its subject: it may raise, or do what another
    process would do at that moment.
    """

    before: list[tuple[str, str, BaseException]] = field(default_factory=list)
    after: list[tuple[str, str, BaseException]] = field(default_factory=list)
    effects: list[tuple[str, str]] = field(default_factory=list)
    hook: Callable[[str, str, str], None] | None = None

    def raise_before(self, effect: str, subject: str) -> None:
        """Called by a fake before its effect."""
        if self.hook is not None:
            self.hook("before", effect, subject)
        self._raise(self.before, effect, subject)

    def raise_after(self, effect: str, subject: str) -> None:
        """Called by a fake after its effect."""
        self.effects.append((effect, subject))
        if self.hook is not None:
            self.hook("after", effect, subject)
        self._raise(self.after, effect, subject)

    @staticmethod
    def _raise(planned: list[tuple[str, str, BaseException]], effect: str, subject: str) -> None:
        for i, (name, part, error) in enumerate(planned):
            if name == effect and part in subject:
                del planned[i]
                raise error


class MemoryClock:
    """A clock that moves only when it is told to, or when somebody sleeps."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The clock's instant."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by that much."""
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)

    def move_to(self, instant: datetime) -> None:
        """Set the clock."""
        self._now = instant


class MemoryCloud:
    """All buckets of a test, with one lock and one generation counter; objects are as old as `clock` says."""

    def __init__(self, faults: Faults | None = None, clock: Clock | None = None) -> None:
        self.faults = faults or Faults()
        self.clock = clock
        self.lock = threading.RLock()
        self.buckets: dict[str, dict[str, tuple[bytes, StoredObject]]] = defaultdict(dict)
        self.finalised: list[tuple[str, StoredObject]] = []
        self._generation = 0

    def bucket(self, name: str) -> "MemoryBucket":
        """The bucket of that name."""
        return MemoryBucket(self, name)

    def next_generation(self) -> int:
        """A generation greater than all before."""
        self._generation += 1
        return self._generation


class MemoryBucket:
    """A bucket in memory."""

    def __init__(self, cloud: MemoryCloud, name: str) -> None:
        self._cloud = cloud
        self._name = name

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self._name

    def create(
        self, name: str, data: bytes | memoryview, *, owner: str, metadata: Mapping[str, str] | None = None
    ) -> Creation:
        """See Bucket."""
        self._cloud.faults.raise_before("create", name)
        with self._cloud.lock:
            there = self._objects.get(name)
            if there is not None:
                return Creation(there[1], there[1].metadata.get("owner") == owner)
            stored = self._store(name, bytes(data), {**(metadata or {}), "owner": owner})
        self._cloud.faults.raise_after("create", name)
        return Creation(stored, True)

    def replace(self, name: str, data: bytes, *, owner: str, generation: int) -> StoredObject:
        """See Bucket."""
        self._cloud.faults.raise_before("replace", name)
        with self._cloud.lock:
            there = self._objects.get(name)
            if there is None or there[1].generation != generation:
                if there is not None and there[1].metadata.get("owner") == owner:
                    return there[1]
                raise StateConflict(f"{self._name}/{name} is no longer of generation {generation}")
            stored = self._store(name, data, {"owner": owner})
        self._cloud.faults.raise_after("replace", name)
        return stored

    def delete(self, name: str, *, generation: int) -> bool:
        """See Bucket."""
        self._cloud.faults.raise_before("delete", name)
        with self._cloud.lock:
            there = self._objects.get(name)
            if there is None or there[1].generation != generation:
                return False
            del self._objects[name]
        self._cloud.faults.raise_after("delete", name)
        return True

    def read_each(self, versions: Sequence[tuple[str, int]]) -> Sequence[bytes | None]:
        """See Spool."""
        found: list[bytes | None] = []
        for name, generation in versions:
            self._cloud.faults.raise_before("read", name)
            with self._cloud.lock:
                there = self._objects.get(name)
            found.append(there[0] if there is not None and there[1].generation == generation else None)
        return found

    def delete_each(self, versions: Sequence[tuple[str, int]]) -> int:
        """See Spool."""
        return sum(self.delete(name, generation=generation) for name, generation in versions)

    def stat(self, name: str) -> StoredObject | None:
        """See Bucket."""
        with self._cloud.lock:
            there = self._objects.get(name)
        return None if there is None else there[1]

    def read(self, name: str) -> tuple[bytes, int] | None:
        """See Bucket."""
        with self._cloud.lock:
            there = self._objects.get(name)
        return None if there is None else (there[0], there[1].generation)

    def list(self, prefix: str, *, start: str = "") -> Iterator[StoredObject]:
        """See Bucket."""
        with self._cloud.lock:
            found = [
                stored
                for name, (_, stored) in sorted(self._objects.items())
                if name.startswith(prefix) and name >= start
            ]
        return iter(found)

    def copy_in(self, source_bucket: str, name: str, generation: int, new_name: str) -> None:
        """See Bucket."""
        with self._cloud.lock:
            there = self._cloud.buckets[source_bucket].get(name)
            if there is None or there[1].generation != generation or new_name in self._objects:
                return
            self._store(new_name, there[0], dict(there[1].metadata))

    @property
    def _objects(self) -> dict[str, tuple[bytes, StoredObject]]:
        return self._cloud.buckets[self._name]

    def _store(self, name: str, data: bytes, metadata: Mapping[str, str]) -> StoredObject:
        created_at = datetime.now(UTC) if self._cloud.clock is None else self._cloud.clock.now()
        generation = self._cloud.next_generation()
        stored = StoredObject(name, generation, len(data), crc32c_base64(data), metadata, created_at)
        self._objects[name] = (data, stored)
        self._cloud.finalised.append((self._name, stored))
        return stored


class MemorySecrets:
    """Secrets by reference; `rotate` leaves the old value in the cache until it is fetched fresh."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._current = dict(values)
        self._cached = dict(values)
        self.fetched_fresh: list[str] = []

    def rotate(self, reference: str, value: str) -> None:
        """Put a new version into the secret."""
        self._current[reference] = value

    def fetch(self, reference: str, *, fresh: bool = False) -> str:
        """See Secrets."""
        if fresh:
            self.fetched_fresh.append(reference)
            self._cached = dict(self._current)
        if reference not in self._cached:
            raise ConfigurationError([f"secret {reference!r} has no version; add one"])
        return self._cached[reference]


class MemoryHttp:
    """Answers requests by a function; an exception it returns is raised."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse | BaseException]) -> None:
        self._answer = answer
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http."""
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, BaseException):
            raise answer
        if len(answer.body) > max_bytes:
            raise ResponseTooLarge(f"{request.url}: {len(answer.body)} bytes within {timeout_seconds} s")
        return answer


class MemoryJobs:
    """Counts job starts."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.started: list[str] = []

    def start(self, job: str) -> None:
        """See Jobs."""
        self._faults.raise_before("start", job)
        self.started.append(job)
        self._faults.raise_after("start", job)
