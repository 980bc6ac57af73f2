"""Work that somebody waits for only so long, whatever it waits for itself."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from shared.errors import TransientError
from shared.ports import Creation, Secrets
from shared.webhooks.receive import SpoolWriter

SECRET_SECONDS, WRITE_SECONDS = 4.0, 6.0
"""The most that a request waits for its secret and for its write. It fetches a secret once at most, or waits for
another's fetch. The sender gives up after 15 s, which are to be enough for a cold start as well."""

T = TypeVar("T")


class Bounded:
    """Threads for work that may hang: a client's own limits cover each of its reads, but not their sum, nor names.

    Work that nobody waits for any more goes on in its thread until the client's limits end it; when all `threads` are
    held so, new work is not begun and fails in time as well. Threads are started when they are needed.
    """

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="bounded")

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` returns or raises; TransientError when that takes longer."""
        future = self._executor.submit(copy_context().run, work)
        try:
            return future.result(timeout=seconds)
        except TimeoutError as exc:
            if future.done() and not future.cancelled():
                raise  # the work's own
            future.cancel()
            raise TransientError(f"no result within {seconds:g} s; what was waited for is slow") from exc


class BoundedSecrets:
    """See Secrets. Raises TransientError when a fetch takes longer than SECRET_SECONDS."""

    def __init__(self, bounded: Bounded, secrets: Secrets, seconds: float = SECRET_SECONDS) -> None:
        self._bounded, self._secrets, self._seconds = bounded, secrets, seconds

    def fetch(self, reference: str, *, fresh: bool = False) -> str:
        """See Secrets."""
        return self._bounded.run(lambda: self._secrets.fetch(reference, fresh=fresh), self._seconds)


class BoundedSpool:
    """See SpoolWriter. Raises TransientError when a write takes longer than WRITE_SECONDS; it may happen yet."""

    def __init__(self, bounded: Bounded, spool: SpoolWriter, seconds: float = WRITE_SECONDS) -> None:
        self._bounded, self._spool, self._seconds = bounded, spool, seconds

    def create(self, name: str, data: bytes, *, owner: str, metadata: Mapping[str, str]) -> Creation:
        """See SpoolWriter."""
        return self._bounded.run(lambda: self._spool.create(name, data, owner=owner, metadata=metadata), self._seconds)
