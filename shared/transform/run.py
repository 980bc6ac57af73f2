"""The dbt job: the holder of the lease builds every pending request in one run, and looks again before it ends.

lease → tables of windows and runs → freshness gate and build → built digests remembered, requests taken away → lease
given back → any request that came meanwhile? A failed build keeps its requests; the marts stay at the last good state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared import logs
from shared.contracts import CONTRACTS
from shared.contracts.pipeline_runs import PIPELINE_RUNS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.errors import LeaseHeld
from shared.instants import from_text, to_text
from shared.ports import Clock, Warehouse, WindowState
from shared.registry.load import Registry
from shared.state import layout
from shared.state.builds_hold import builds_are_held
from shared.state.documents import Document, Documents
from shared.state.lease import Lease, acquire
from shared.state.runs import kept_runs, runs_of
from shared.transform.dbt_inputs import EVERY_BUILD
from shared.transform.gate import Freshness
from shared.windows.window import Window

LEASE_SECONDS = 90.0
# Renewed every 30 s; a job that was killed blocks the next one for a minute and a half at most.


_RUNS_AT_ONCE = 200
# Read and deleted one by one, at some 30 ms each: a batch stays below the time in which the lease is renewed.


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What one dbt run builds: the selections of its pipelines and of every build, as of the newest window."""

    run_id: str
    pipelines: tuple[str, ...]
    select: tuple[str, ...]
    as_of: datetime
    full_refresh: bool = False


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What came of a dbt run. `counts` are dbt's results by status; `failures` name what failed."""

    succeeded: bool
    freshness: Freshness
    counts: dict[str, int] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    seconds: float = 0.0


class Dbt(Protocol):
    """Runs dbt."""

    def build(self, plan: BuildPlan, keep: Callable[[], None]) -> BuildReport:
        """Freshness, then build unless the gate blocks; artifacts are kept whatever comes of it.

        `keep` is called every second or so; when it raises, dbt is killed and the error raised on.
        """
        ...


@dataclass(frozen=True, slots=True)
class TransformPorts:
    """What the job needs from the outside."""

    registry: Registry
    documents: Documents
    warehouse: Warehouse
    dbt: Dbt
    clock: Clock
    new_token: Callable[[], str]
    lease_seconds: float = LEASE_SECONDS


def build_pending(ports: TransformPorts, *, full_refresh: bool = False) -> int:
    """Build whatever is pending; the exit code of the job: 0 also when another job builds, 1 after a failed build.

    Nothing while a person holds the builds, but for the full refresh that was asked for: it may be what they wait for.
    """
    while True:
        if not full_refresh and builds_are_held(ports.documents):
            return 0
        run_id = ports.new_token()
        try:
            lease = acquire(ports.documents, ports.clock, layout.DBT_LEASE, holder=run_id, seconds=ports.lease_seconds)
        except LeaseHeld as exc:
            logs.info("dbt.not_needed", message=str(exc))
            return 0
        try:
            with logs.bound(run_id=run_id):
                succeeded = _build_once(ports, lease, run_id, full_refresh)
        finally:
            lease.release()
        if not succeeded:
            return 1
        # a request written while the lease was held found it live and started no job of its own
        if not any(ports.documents.names(layout.REQUESTS)):
            return 0
        full_refresh = False


def _build_once(ports: TransformPorts, lease: Lease, run_id: str, full_refresh: bool) -> bool:
    requests = list(ports.documents.under(layout.REQUESTS))
    if not requests and not full_refresh:
        return True
    # a source that has not brought a row yet has models all the same
    ports.warehouse.prepare([CONTRACTS[name] for name in sorted({s.contract for s in ports.registry.sources.values()})])
    # windows first: whatever a closed window's parts did was kept before it closed
    _record_windows(ports)
    _record_runs(ports, lease)
    plan = _plan(ports, run_id, requests, full_refresh)
    logs.info("dbt.started", pipelines=plan.pipelines, requests=len(requests), as_of=plan.as_of)
    report = ports.dbt.build(plan, lease.keep)
    _tell(report, requests)
    if report.succeeded:
        for request in requests:
            _mark_built(ports.documents, request, run_id, ports.clock.now())
    return report.succeeded


def _plan(ports: TransformPorts, run_id: str, requests: Sequence[Document], full_refresh: bool) -> BuildPlan:
    pipelines = sorted({str(request.value["pipeline"]) for request in requests} or set(ports.registry.pipelines))
    windows = [Window.from_interval(str(r.value["pipeline"]), str(r.value["window"])) for r in requests]
    as_of = max((window.end for window in windows), default=ports.clock.now())
    select = (*(ports.registry.pipelines[name].dbt_select for name in pipelines), f"tag:{EVERY_BUILD}")
    return BuildPlan(run_id, tuple(pipelines), select, as_of, full_refresh)


def _record_windows(ports: TransformPorts) -> None:
    closings = list(ports.documents.under(layout.CLOSINGS))
    states = [state for closing in closings for state in _states(closing.value)]
    if states:
        ports.warehouse.record(PIPELINE_WINDOWS, _latest(states))
        for closing in closings:
            ports.documents.delete(closing)
        logs.info("dbt.windows_recorded", windows=len(closings))


def _record_runs(ports: TransformPorts, lease: Lease) -> None:
    recorded = 0
    for kept in kept_runs(ports.documents, _RUNS_AT_ONCE):
        runs = runs_of(kept, ports.clock.now())
        if runs:
            ports.warehouse.record(PIPELINE_RUNS, runs)
        for document in kept:
            ports.documents.delete(document)
        recorded += len(runs)
        # a week of runs takes minutes, and none is left out: what landed and what was loaded must be seen together
        lease.keep()
    if recorded:
        logs.info("dbt.runs_recorded", runs=recorded)


def _states(value: Any) -> list[WindowState]:
    window = Window.from_interval(value["pipeline"], value["window"])
    return [
        WindowState(
            window.pipeline,
            window.id,
            source,
            window.start,
            window.end,
            outcome["status"],
            outcome["rows"],
            outcome["rejected"],
            from_text(value["closed_at"]),
        )
        for source, outcome in sorted(value["sources"].items())
    ]


def _latest(states: Sequence[WindowState]) -> list[WindowState]:
    # one row a key: a MERGE may not meet a key twice
    newest: dict[tuple[str, str, str], WindowState] = {}
    for state in sorted(states, key=lambda s: (s.closed_at, s.status != "missing")):
        newest[state.pipeline, state.window_id, state.source] = state
    return list(newest.values())


def _mark_built(documents: Documents, request: Document, run_id: str, now: datetime) -> None:
    name = layout.built(str(request.value["pipeline"]), str(request.value["digest"]))
    # built first: whoever wants to request the digest again looks there
    documents.create(name, {**request.value, "built_at": to_text(now), "run_id": run_id})
    documents.delete(request)


def _tell(report: BuildReport, requests: Sequence[Document]) -> None:
    if report.freshness.late or report.freshness.stale:
        logs.warning("dbt.sources_stale", late=report.freshness.late, stale=report.freshness.stale)
    log = logs.info if report.succeeded else logs.error
    log(
        "run.finished",
        step="transform",
        status="done" if report.succeeded else ("blocked" if report.freshness.blocks else "failed"),
        requests=len(requests),
        counts=report.counts,
        failures=report.failures,
        seconds=round(report.seconds, 3),
    )
