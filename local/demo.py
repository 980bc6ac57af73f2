"""`make demo`: a history, eventful hours and the rest, from the scheduler's tick to the marts, and what came of it."""

import asyncio
import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from local.addresses import Addresses, Folders, read_addresses
from local.demo_plan import PIPELINE as OPS_PIPELINE
from local.demo_plan import plan_last, plan_windows, seen_changes
from local.questions import QUESTIONS
from local.scheduler import move_clock, sweep, tick
from local.sources.incident_io.archive import ArchiveError, ArchiveIncident, archive_lines, load_archive
from local.sources.incident_io.generator import generate
from local.stack import local_secrets, plan_addresses, processes, provision
from local.supervisor import Supervisor
from local.warehouse import as_table, query, query_if_built
from local.watch import (
    BuildFailed,
    TookTooLong,
    artifacts,
    building,
    builds_held,
    nothing_pending,
    rows_of,
    state,
    wait_for,
    wait_for_builds,
    window_closed,
)
from shared.instants import to_text
from shared.windows.window import Window, end_of_id

SEED = 7
GENERATED_FROM, SHOWN_UNTIL, GENERATED_UNTIL = (
    datetime(2025, 9, 1, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 15, tzinfo=UTC),  # two more weeks, so that `make tick` has something to find
)
GENERATED_PER_DAY = 6.0

STREAM = "ops_incidents_stream"
PAST = ("ai_dx_metrics", "engineering", "market")
SINCE = ("ai_dx_metrics", "ecommerce", "slo", STREAM)
"""Whose windows stand beside those of the incidents: of the past, and of what came since. A first one reads it all."""

_WINDOW_SECONDS, _DBT_SECONDS = 120.0, 180.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Input:
    """Incidents to show, and what to call them; the windows that read the past, and those of what came since."""

    incidents: Sequence[ArchiveIncident]
    past: Sequence[Window]
    since: Sequence[Window]
    title: str


def run_demo(folders: Folders, data: Path | None, *, keep: bool = False) -> int:
    """The whole demonstration; the exit code. With `keep` the stack stays up until it is stopped."""
    if read_addresses(folders) is not None:
        print(f"A stack is running from {folders.root}. Stop it first: make down", file=sys.stderr)
        return 1
    try:
        given = _read_input(data)
    except (ArchiveError, OSError) as exc:
        print(f"The incidents cannot be used: {exc}", file=sys.stderr)
        return 1
    shutil.rmtree(folders.root, ignore_errors=True)
    folders.root.mkdir(parents=True)
    folders.archive.write_bytes(b"".join(archive_lines(given.incidents)))
    _say(f"{given.title}: {len(given.incidents)} incidents")
    return serve(
        folders,
        given.past[0].end,
        lambda addresses: _story(folders, addresses, given),
        keep=keep,
        webhooks=True,
    )


def serve(
    folders: Folders,
    clock: datetime,
    story: Callable[[Addresses], None] | None,
    *,
    keep: bool,
    echo: bool = False,
    webhooks: bool = False,
) -> int:
    """Start the stack, tell the story, and stop it again unless it is to be kept; the exit code."""
    addresses = plan_addresses()
    os.environ.update({**addresses.environment(folders), **local_secrets()})
    planned = processes(folders, addresses, clock=clock, webhooks=webhooks)
    supervisor = Supervisor(planned, folders.logs, echo=echo)
    failed = False

    def work() -> None:
        provision(folders, addresses)
        if story is not None:
            story(addresses)

    async def on_ready() -> None:
        nonlocal failed
        _say(f"stack is up: {len(planned)} processes in {time.monotonic() - started:.1f} s")
        try:
            await _in_thread(work)
        except (TookTooLong, BuildFailed) as exc:
            failed = True
            print(f"\n{exc}\nlogs: {folders.logs}", file=sys.stderr)
        if not keep:
            supervisor.request_stop()

    started = time.monotonic()
    code = asyncio.run(supervisor.run(on_ready))
    folders.addresses.unlink(missing_ok=True)
    return code or int(failed)


async def _in_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread that nobody waits for once this is cancelled.

    The loop's own threads are joined at its end, and a story that lost its stack goes on waiting for minutes.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - handed to whoever awaits it
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody awaits it any more
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=run, name="story", daemon=True).start()
    await done


def ensure_archive(folders: Folders) -> None:
    """Give a stack that never ran a demonstration the generated incidents."""
    folders.root.mkdir(parents=True, exist_ok=True)
    if not folders.archive.exists():
        folders.archive.write_bytes(b"".join(archive_lines(_read_input(None).incidents)))


def last_window_end() -> datetime | None:
    """The end of the newest window that the running stack has opened."""
    ends = [end_of_id(name.split("/")[2]) for name in state().names("windows/")]
    return max(ends, default=None)


def _read_input(data: Path | None) -> Input:
    if data is None:
        incidents = list(generate(SEED, GENERATED_FROM, GENERATED_UNTIL, GENERATED_PER_DAY))
        return Input(incidents, *_all_windows(incidents, SHOWN_UNTIL), f"generated history, seed {SEED}")
    incidents = load_archive(data)
    if not incidents:
        raise ArchiveError(str(data), [(0, "no incidents in it")])
    return Input(incidents, *_all_windows(incidents, None), f"incidents of {data}")


def _all_windows(incidents: Sequence[ArchiveIncident], until: datetime | None) -> tuple[list[Window], list[Window]]:
    """Every pipeline's windows, those of the past and those since, in the order in which they end.

    The doubles have one clock. A window of incidents comes last in both.
    """
    history, *hours = plan_windows(incidents, until=until)
    past = [window for name in PAST for window in plan_last(name, 1, until=history.end)]
    since = [window for name in SINCE for window in plan_last(name, 1, until=hours[-1].end)]
    ends = sorted([*since, *hours], key=lambda window: (window.end, window.pipeline == OPS_PIPELINE))
    return [*sorted(past, key=lambda window: window.end), history], ends


def _story(folders: Folders, addresses: Addresses, given: Input) -> None:
    documents = state()
    for windows in (given.past, given.since):
        # one build for all of them, beside the windows that follow
        with builds_held(documents):
            for window in windows[:-1]:
                _show_window(addresses, given, window)
        _show_window(addresses, given, windows[-1])
        if not rows_of(documents, windows[-1]):
            sweep()  # a window without rows needs no build, so it has started none for the others
        wait_for("dbt's start", lambda: building(documents) or nothing_pending(documents), _WINDOW_SECONDS)
        if windows is given.past:
            _say(f"{'dbt':<20} begins to build what was there")
    _step(f"{'dbt':<20} builds what came since", lambda: wait_for_builds(documents, artifacts(), _DBT_SECONDS))
    _report(folders, addresses)


def _show_window(addresses: Addresses, given: Input, window: Window) -> None:
    move_clock(addresses, window.end)
    changes = _changes_text(given, window)
    _step(f"{window.pipeline:<20} to {to_text(window.end)}  {changes}", partial(_run_window, window))


def _run_window(window: Window) -> None:
    documents = state()
    tick(window.pipeline, window)
    wait_for(f"window {window.id}", lambda: window_closed(documents, window), _WINDOW_SECONDS)


def _changes_text(given: Input, window: Window) -> str:
    if window.pipeline == STREAM:
        return "what the webhooks told"
    if window in given.past or window.pipeline not in (OPS_PIPELINE, *PAST):
        return "everything that was there"
    if window.pipeline != OPS_PIPELINE:
        return "the days that are complete at each tool, and the last ones again"
    counts = seen_changes(given.incidents, window.start, window.end)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing happened"


def _report(folders: Folders, addresses: Addresses) -> None:
    for title, statement in QUESTIONS.items():
        print(f"\n{title}\n")
        answer = query_if_built(addresses, statement)
        print(as_table(*answer) if answer else "nothing yet: none of these sources has brought a row")
    print()
    totals = query(addresses, "select count(*), count_if(not dq_valid) from analytics.marts.fct_ops__incidents")[1][0]
    print(f"{totals[0]} incidents in ANALYTICS.MARTS.FCT_OPS__INCIDENTS, {totals[1]} with a data quality flag.\n")
    print(f"warehouse   {folders.warehouse}  (RAW.PUBLIC.FACT_INCIDENTS, ANALYTICS.MARTS.*)")
    print(f"Parquet     {folders.gcs / 'buckets' / 'opp-local-landing'}")
    print(f"logs        {folders.logs}")
    print('\nGo on:  make up   then   make sql Q="select * from marts.fct_ops__incidents limit 5"')


def _step(text: str, work: Callable[[], _T]) -> _T:
    """Say what is done while it is done, and how long it took."""
    started = time.monotonic()
    print(f"  {text} …", end="", flush=True)
    result = work()
    print(f" {time.monotonic() - started:.1f} s", flush=True)
    return result


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
