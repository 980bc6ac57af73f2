"""Executions of jobs: what was asked, the processes that do it, and the resources that tell of it."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.guarded_child import Child, Guard

Resource = dict[str, Any]
_TYPE = "type.googleapis.com/google.cloud.run.v2.Execution"
_STOP_GRACE_SECONDS = 10.0
"""What Cloud Run gives a container between SIGTERM and SIGKILL."""
_TAIL_LINES = 20
_UNKNOWN, _CANCELLED = 2, 1
"""Codes of google.rpc.Status."""


class UnknownJob(LookupError):
    """No command was configured under this name."""


class BadOverride(ValueError):
    """The overrides ask for what makes no sense or is not emulated."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What one run changes: arguments after the job's command, more environment, number of tasks, time limit."""

    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    task_count: int = 1
    timeout_seconds: float | None = None

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Overrides:
        """Read the body of a run request; BadOverride."""
        given = body.get("overrides") or {}
        containers = given.get("containerOverrides") or [{}]
        if len(containers) != 1:
            raise BadOverride("One container is emulated.")
        container = containers[0]
        timeout = str(given.get("timeout", ""))
        try:
            overrides = cls(
                tuple(str(argument) for argument in container.get("args", ())),
                {entry["name"]: str(entry.get("value", "")) for entry in container.get("env", ())},
                int(given.get("taskCount") or 1),
                float(timeout.removesuffix("s")) if timeout else None,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadOverride(f"Invalid overrides: {error}") from error
        if overrides.task_count < 1:
            raise BadOverride("taskCount must be positive.")
        return overrides


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Execution:
    """One run of a job and its operation."""

    name: str
    operation: str
    job: str
    overrides: Overrides
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    create_time: str = field(default_factory=_now)
    completion_time: str = ""
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    message: str = ""
    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    @property
    def short_name(self) -> str:
        """The last part of the name, which is CLOUD_RUN_EXECUTION."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def state(self) -> str:
        """The state of the condition Completed."""
        if not self.completion_time:
            return "CONDITION_RECONCILING"
        return "CONDITION_SUCCEEDED" if self.succeeded == self.overrides.task_count else "CONDITION_FAILED"

    def resource(self) -> Resource:
        """The execution as the API shows it."""
        condition = {"type": "Completed", "state": self.state, "lastTransitionTime": self.completion_time or _now()}
        if self.message:
            condition |= {"message": self.message}
        if self.cancelled:
            condition |= {"executionReason": "CANCELLED"}
        elif self.failed and self.completion_time:
            condition |= {"executionReason": "NON_ZERO_EXIT_CODE"}
        resource: Resource = {
            "name": self.name,
            "uid": self.uid,
            "job": self.job,
            "createTime": self.create_time,
            "startTime": self.create_time,
            "taskCount": self.overrides.task_count,
            "runningCount": self.running,
            "succeededCount": self.succeeded,
            "failedCount": self.failed,
            "cancelledCount": self.cancelled,
            "launchStage": "GA",
            "conditions": [condition],
        }
        if self.completion_time:
            resource |= {"completionTime": self.completion_time}
        return resource

    def operation_resource(self) -> Resource:
        """The long-running operation that `:run` returned, as it stands."""
        typed = {"@type": _TYPE, **self.resource()}
        operation: Resource = {"name": self.operation, "done": bool(self.completion_time), "metadata": typed}
        if self.state == "CONDITION_SUCCEEDED":
            operation |= {"response": typed}
        elif self.state == "CONDITION_FAILED":
            operation |= {"error": {"code": _CANCELLED if self.cancelled else _UNKNOWN, "message": self.message}}
        return operation


def parse_jobs(given: Sequence[str]) -> dict[str, list[str]]:
    """NAME=COMMAND texts as name → argument list, split like a shell would but run without one; ValueError."""
    jobs: dict[str, list[str]] = {}
    for text in given:
        name, separator, command = text.partition("=")
        argv = shlex.split(command)
        if not separator or not name or not argv or name in jobs:
            raise ValueError(f"A job is NAME=COMMAND, each name once: {text!r}")
        jobs[name] = argv
    return jobs


class Executions:
    """Starts runs and remembers them. Every child ends with this process."""

    def __init__(self, jobs: Mapping[str, Sequence[str]], log_dir: Path) -> None:
        self._jobs = dict(jobs)
        self._log_dir = log_dir
        log_dir.mkdir(parents=True, exist_ok=True)
        self._guard = Guard()
        self._by_name: dict[str, Execution] = {}
        self._by_operation: dict[str, Execution] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, parent: str, job: str, overrides: Overrides) -> Execution:
        """Start a run; `parent` is projects/P/locations/L. Returns when its tasks run. UnknownJob."""
        if job not in self._jobs:
            raise UnknownJob(f"Resource '{job}' of kind 'JOB' in {parent} does not exist.")
        name = f"{parent}/jobs/{job}/executions/{job}-{secrets.token_hex(4)}"
        execution = Execution(name, f"{parent}/operations/{uuid.uuid4()}", job, overrides)
        self._by_name[name] = self._by_operation[execution.operation] = execution
        for index in range(overrides.task_count):
            execution.children.append(await self._spawn(execution, index))
            execution.running += 1
        task = asyncio.create_task(self._finish(execution))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return execution

    def get(self, name: str) -> Execution | None:
        """The execution of a full name."""
        return self._by_name.get(name)

    def of_operation(self, name: str) -> Execution | None:
        """The execution behind an operation's full name."""
        return self._by_operation.get(name)

    def of_job(self, job: str) -> list[Execution] | None:
        """The executions of projects/P/locations/L/jobs/J, newest first; None for an unknown job."""
        if job.rsplit("/", 1)[-1] not in self._jobs:
            return None
        return [run for name, run in reversed(self._by_name.items()) if name.startswith(f"{job}/executions/")]

    def log_path(self, execution: Execution) -> Path:
        """Where the output of an execution's tasks goes."""
        return self._log_dir / f"{execution.short_name}.log"

    async def cancel(self, execution: Execution) -> None:
        """End a run that is not over: SIGTERM, after ten seconds SIGKILL. Returns when it is over."""
        await self._end(execution, "The execution was cancelled.")
        while not execution.completion_time:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """End all runs."""
        await asyncio.gather(*(self._end(run, "The server stopped.") for run in self._by_name.values()))
        await asyncio.gather(*self._tasks)
        self._guard.close()

    async def _spawn(self, execution: Execution, index: int) -> Child:
        environment = {
            **execution.overrides.env,
            "CLOUD_RUN_JOB": execution.job,
            "CLOUD_RUN_EXECUTION": execution.short_name,
            "CLOUD_RUN_TASK_INDEX": str(index),
            "CLOUD_RUN_TASK_COUNT": str(execution.overrides.task_count),
            "CLOUD_RUN_TASK_ATTEMPT": "0",
        }
        argv = [*self._jobs[execution.job], *execution.overrides.args]
        return await self._guard.spawn(argv, environment, self.log_path(execution))

    async def _end(self, execution: Execution, why: str) -> None:
        if execution.completion_time or execution.stopping:
            return
        execution.stopping, execution.message = True, why
        await asyncio.gather(*(child.end(_STOP_GRACE_SECONDS) for child in execution.children))

    async def _finish(self, execution: Execution) -> None:
        started = time.monotonic()
        exited = [child.exited for child in execution.children]
        _, late = await asyncio.wait(exited, timeout=execution.overrides.timeout_seconds)
        if late and not execution.stopping:
            execution.message = "The configured timeout was reached."
            await asyncio.gather(*(child.end(_STOP_GRACE_SECONDS) for child in execution.children))
        codes = [await task for task in exited]
        execution.running = 0
        execution.succeeded = codes.count(0)
        if execution.stopping:
            execution.cancelled = len(codes) - execution.succeeded
        else:
            execution.failed = len(codes) - execution.succeeded
        if execution.failed and not execution.message:
            execution.message = f"Task(s) failed with exit codes {[code for code in codes if code]}."
        execution.completion_time = _now()
        self._print_end(execution, time.monotonic() - started)

    def _print_end(self, execution: Execution, seconds: float) -> None:
        log = self.log_path(execution)
        for line in log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]:
            print(f"{execution.short_name} | {line}")
        outcome = execution.message or "succeeded"
        print(f"{execution.short_name} ended after {seconds:.1f} s: {outcome} ({log})", flush=True)
