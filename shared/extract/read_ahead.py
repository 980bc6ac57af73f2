"""Fetching one page ahead: the next request is on its way while the last answer is decoded."""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from shared.extract.pages import Flow, PageRequest, SpoolRequest
from shared.sources.family import RawPage


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page, the request that brought it, and that of the page after it (None when it was the last)."""

    request: PageRequest | SpoolRequest
    page: RawPage
    following: PageRequest | SpoolRequest | None

    @property
    def ends_scope(self) -> bool:
        """Whether the extraction may be cut after this page."""
        return self.following is None or not self.request.scope or self.following.scope != self.request.scope


def read_ahead(
    flow: Flow, fetch: Callable[[PageRequest | SpoolRequest], RawPage]
) -> Generator[FetchedPage, None, None]:
    """Every page of the flow in order, while a thread fetches the next.

    A fault of a page is raised when that page is due, after those before it were yielded. Closing the generator waits
    for the one request that may be under way.
    """
    request: PageRequest | SpoolRequest | None = next(flow, None)
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as thread:

        def submit(request: PageRequest | SpoolRequest | None) -> Future[RawPage] | None:
            # in a copy of this context: what is logged in the thread carries the run's fields too
            return thread.submit(copy_context().run, fetch, request) if request else None

        pending = submit(request)
        while pending is not None and request is not None:
            page, asked = pending.result(), request
            try:
                request = flow.send(page.seen)
            except StopIteration:
                request = None
            pending = submit(request)
            yield FetchedPage(asked, page, request)
