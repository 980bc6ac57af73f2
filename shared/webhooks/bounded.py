"""Work that somebody waits for only so long, whatever it waits for itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from shared.errors import TransientError

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
