"""Waiting for a stack to come to rest, by looking at the state bucket as a person would; keeping dbt back."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.ports import Bucket
from shared.state import layout
from shared.state.builds_hold import hold_builds, release_builds
from shared.state.documents import Documents
from shared.state.lease import is_live
from shared.windows.window import Window

_POLL_SECONDS = 0.1
_BUILD_POLL_SECONDS = 0.5
# builds take many seconds, and a look at them is a dozen requests to the storage emulator, which has its share of the
# machine's cores


class TookTooLong(Exception):
    """What was waited for did not happen in time."""


def wait_for(what: str, condition: Callable[[], bool], seconds: float, *, every: float = _POLL_SECONDS) -> float:
    """Wait until the condition holds, looking `every` so many seconds; returns the seconds it took.

    Raises TookTooLong saying what did not happen.
    """
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise TookTooLong(f"{what}: not within {seconds:.0f} s; see the logs")
        time.sleep(every)
    return time.monotonic() - started


def window_closed(documents: Documents, window: Window) -> bool:
    """Whether the window is closed, completely or at its deadline."""
    return documents.exists(layout.closed(window.pipeline, window.id))


def rows_of(documents: Documents, window: Window) -> int:
    """How many rows a closed window brought."""
    closed = documents.get(layout.closed(window.pipeline, window.id))
    return 0 if closed is None else sum(source["rows"] for source in closed.value["sources"].values())


def building(documents: Documents) -> bool:
    """Whether a dbt run is under way."""
    return is_live(documents.get(layout.DBT_LEASE), SystemClock().now())


def nothing_pending(documents: Documents) -> bool:
    """Whether no dbt request waits and no dbt run is under way."""
    return not any(documents.names(layout.REQUESTS)) and not building(documents)


@contextlib.contextmanager
def builds_held(documents: Documents) -> Iterator[None]:
    """Inside, builds are held; the next window that closes with rows, or the sweep, has built what came meanwhile."""
    hold_builds(documents, "python -m local", SystemClock().now())
    try:
        yield
    finally:
        release_builds(documents)


class BuildFailed(Exception):
    """A dbt run did not succeed."""


def wait_for_builds(documents: Documents, reports: Bucket, seconds: float, *, since: datetime | None = None) -> float:
    """Wait until dbt has built everything. Raises BuildFailed with what failed (`since` then), TookTooLong."""

    def done() -> bool:
        for stored in reports.list("runs/"):
            if not stored.name.endswith("/report.json") or (since is not None and stored.created_at < since):
                continue
            found = reports.read(stored.name)
            report = json.loads(found[0]) if found else {"succeeded": True}
            if not report["succeeded"]:
                raise BuildFailed("dbt failed:\n" + "\n".join(report["failures"]))
        return nothing_pending(documents)

    return wait_for("dbt", done, seconds, every=_BUILD_POLL_SECONDS)


def artifacts() -> Bucket:
    """The artifacts bucket of the stack that the environment names."""
    return wiring.bucket(wiring.settings().artifacts_bucket)


def state() -> Documents:
    """The state bucket of the stack that the environment names."""
    return wiring.documents()
