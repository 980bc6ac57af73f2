"""Names of the objects in the state bucket: sharded by source and window, since Cloud Storage takes one write a second
to one object.

expected      which sources a window waits for, frozen by the window's first tick
open          an index of windows that are not closed yet
range         what an extraction reads, frozen by its part 0
part marker   a part is done: loaded, or empty
closed        how a window closed, one object an outcome; `closings` are those the warehouse has not heard of yet
gap           a window that closed without a source
listing       which spooled events a window reads, one a workspace; `drained` says that they were deleted
watermark     how far a source is
run           what a run did, until the warehouse has heard of it
request       a window is ready to be built by dbt; `built` remembers what was
lease         who works on something right now
backfill      the chunks of a backfill, frozen when it began
attempts      how often the sweep asked again for something
whole look    the day's sweep that looked at everything, not only at what is recent
"""

from datetime import UTC, datetime

from shared.windows.window import Window


def expected(window: Window) -> str:
    """Frozen list of the sources that the window waits for."""
    return f"windows/{window.pipeline}/{window.id}/expected.json"


def closed(pipeline: str, window_id: str) -> str:
    """The latest outcome of a closed window."""
    return f"windows/{pipeline}/{window_id}/closed.json"


def open_window(pipeline: str, window_id: str = "") -> str:
    """Index entry of an open window; without an id, the prefix of all of a pipeline's."""
    return f"open/{pipeline}/{window_id}.json" if window_id else f"open/{pipeline}/"


def closing(pipeline: str, window_id: str, digest: str) -> str:
    """A window's outcome that the warehouse's window table still lacks."""
    return f"closings/{pipeline}/{window_id}.{digest}.json"


def gap(source: str, window_id: str = "") -> str:
    """A window that closed without this source; without an id, the prefix of all of the source's."""
    return f"gaps/{source}/{window_id}.json" if window_id else f"gaps/{source}/"


def extraction_range(source: str, window_id: str, revision: int) -> str:
    """The frozen range of an extraction."""
    return f"ranges/{source}/{window_id}/r{revision}.json"


def extraction_ranges(source: str, window_id: str = "") -> str:
    """Prefix of the ranges of all revisions of a source's window; without an id, of the source."""
    return f"ranges/{source}/{window_id}/" if window_id else f"ranges/{source}/"


def revision_of(range_name: str) -> int:
    """The revision whose range has this name."""
    return int(range_name.rpartition("/r")[2].removesuffix(".json"))


def listing(pipeline: str, window_id: str, workspace: str) -> str:
    """The frozen listing of a workspace's spooled events."""
    return f"listings/{pipeline}/{window_id}/{workspace}.json"


def drained(pipeline: str, window_id: str, workspace: str) -> str:
    """The events of a listing were deleted from the spool."""
    return f"drained/{pipeline}/{window_id}/{workspace}.json"


def marker(source: str, window_id: str, revision: int, part: int) -> str:
    """A part marker."""
    return f"markers/{source}/{window_id}/r{revision}/part-{part:05d}.json"


def markers(source: str, window_id: str = "") -> str:
    """Prefix of all part markers of a source's window; without an id, of the source."""
    return f"markers/{source}/{window_id}/" if window_id else f"markers/{source}/"


def watermark(source: str) -> str:
    """The source's watermark."""
    return f"watermarks/{source}.json"


def request(pipeline: str, digest: str) -> str:
    """A pending dbt request."""
    return f"dbt/requests/{pipeline}/{digest}.json"


def run(finished_at: datetime, run_id: str) -> str:
    """What a run did; the oldest first, so that the warehouse hears of them in their order."""
    return f"runs/{finished_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.{run_id}.json"


RUNS = "runs/"
REQUESTS = "dbt/requests/"
BUILDS_HOLD = "dbt/hold.json"
CLOSINGS = "closings/"
OPEN = "open/"


def built(pipeline: str, digest: str) -> str:
    """A dbt request that was built."""
    return f"dbt/built/{pipeline}/{digest}.json"


def extract_lease(source: str, window_id: str, revision: int) -> str:
    """Held while a source's window is extracted."""
    return f"leases/extract/{source}/{window_id}.r{revision}.json"


def backfill(source: str, name: str) -> str:
    """A backfill's chunks, frozen when it began."""
    return f"backfills/{source}/{name}.json"


def whole_look(day: str) -> str:
    """Written by the sweep that looked at everything on that day."""
    return f"sweeps/{day}.json"


def attempts(subject: str) -> str:
    """How often the sweep asked again for something; of no use once that is there."""
    return f"attempts/{subject}.json"


def expected_windows(pipeline: str) -> str:
    """Prefix of everything that is known of a pipeline's windows."""
    return f"windows/{pipeline}/"


LEASES = "leases/"
DBT_LEASE = f"{LEASES}dbt.json"
