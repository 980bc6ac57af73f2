"""Runs the processes of the local stack together, and leaves none behind.

Each child leads a process group of its own (guarded_child), so Ctrl-C reaches only the supervisor, which stops them all
at once: each can be killed at any moment anyway, so none may need another to end well. When the supervisor itself is
killed, its guard ends the groups.

    async with Supervisor(processes, log_dir) as supervisor: ...        # in asynchronous code
    sys.exit(asyncio.run(Supervisor(processes, log_dir).run(on_ready))) # as a command: until Ctrl-C or a failure
    with SupervisorThread(Supervisor(processes, log_dir)) as stack: ... # in a pytest fixture
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from local.guarded_child import Child, Guard

_T = TypeVar("_T")
_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)
_POLL_SECONDS = 0.05
_TAIL_BYTES = 4000


class SupervisorError(Exception):
    """The stack could not be started or did not stay up."""


class ProcessFailed(SupervisorError):
    """A process ended that nobody had asked to end, or was not ready in time."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}; its log {log} ends with:\n{_tail(log)}")
        self.name = name


@dataclass(frozen=True)
class Process:
    """One process of the stack. With a `port` on 127.0.0.1 it counts as ready when that accepts connections."""

    name: str
    argv: Sequence[str]
    port: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready_seconds: float = 30.0


_PORTS = range(20_000, 32_000)
"""Below those that Linux (from 32768) and macOS (from 49152) give to outgoing connections: one of them can take a port
between the look that it is free and the server's own bind."""


def free_ports(*preferred: int) -> list[int]:
    """A different free port on 127.0.0.1 for each argument: the preferred one if it is free, any one otherwise (0)."""
    with contextlib.ExitStack() as held:
        return [_first_free(held, port) for port in preferred]


def _first_free(held: contextlib.ExitStack, preferred: int) -> int:
    for port in [preferred] * bool(preferred) + random.SystemRandom().sample(_PORTS, len(_PORTS)):
        listener = held.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise SupervisorError(f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free on 127.0.0.1")


class Supervisor:
    """Starts processes, waits until they are ready, and stops all of them when one ends by itself."""

    def __init__(
        self, processes: Sequence[Process], log_dir: Path, *, echo: bool = False, grace_seconds: float = 10.0
    ) -> None:
        self._processes = {process.name: process for process in processes}
        if len(self._processes) != len(processes):
            raise ValueError("Two processes have one name.")
        self._log_dir = log_dir
        self._echo = echo
        self._grace_seconds = grace_seconds
        self._guard: Guard | None = None
        self._children: dict[str, Child] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._failure: ProcessFailed | None = None

    async def __aenter__(self) -> Self:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._guard = Guard()
        try:
            for name in self._processes:
                self.log_path(name).write_bytes(b"")
                await self._spawn(name)
            if self._echo:
                self._tasks += [
                    asyncio.create_task(self._follow(name, _COLOURS[number % len(_COLOURS)]))
                    for number, name in enumerate(self._processes)
                ]
            await asyncio.gather(*(self._until_ready(name) for name in self._processes))
            self._raise_failure()
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_all()

    async def run(self, on_ready: Callable[[], Awaitable[None]] | None = None) -> int:
        """Start all, await `on_ready`, stay until SIGINT, SIGTERM, SIGHUP, `request_stop` or a failure, stop all.

        Returns the exit code: 0 after a signal or request, 1 after a failure, which is printed. A second signal kills
        what is still stopping. An exception of `on_ready` stops all and is raised.
        """
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, self._interrupted)
        try:
            async with self:
                if not self._stopping.is_set():
                    await self._until_stopped(on_ready)
                self._raise_failure()
        except ProcessFailed as failure:
            print(f"{failure}\nEverything is stopped.", file=sys.stderr, flush=True)
            return 1
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
        return 0

    async def wait(self) -> None:
        """Return when a stop is requested; raise ProcessFailed when a process ends by itself."""
        await self._stopping.wait()
        self._raise_failure()

    def request_stop(self) -> None:
        """Let `run` or `wait` return."""
        self._stopping.set()

    async def start(self, name: str) -> None:
        """Start a process that `stop` or `kill` has ended, and wait until it is ready."""
        if self.is_running(name):
            raise SupervisorError(f"{name} runs already.")
        await self._spawn(name)
        await self._until_ready(name)
        self._raise_failure()

    async def stop(self, name: str) -> int:
        """End one process gently and let the others run; returns its return code."""
        return await self._taken(name).end(self._grace_seconds)

    async def kill(self, name: str) -> None:
        """SIGKILL one process and its children and let the others run, as a crash would."""
        child = self._taken(name)
        child.signal(signal.SIGKILL)
        await child.exited

    def is_running(self, name: str) -> bool:
        """Whether the process was started and has not ended."""
        child = self._children.get(name)
        return child is not None and not child.exited.done()

    def pid(self, name: str) -> int:
        """The process id, which is its group's too; KeyError when it does not run."""
        return self._children[name].pid

    def log_path(self, name: str) -> Path:
        """Where the output of a process goes."""
        return self._log_dir / f"{name}.log"

    def _taken(self, name: str) -> Child:
        """The child, no longer watched: its end is now somebody's wish."""
        if not self.is_running(name):
            raise SupervisorError(f"{name} does not run.")
        return self._children.pop(name)

    async def _spawn(self, name: str) -> None:
        process = self._processes[name]
        if process.port and await _accepts(process.port):
            raise SupervisorError(f"{name}: port {process.port} is in use by another process.")
        if self._guard is None:
            raise SupervisorError("The supervisor is not started.")
        child = await self._guard.spawn(process.argv, process.env, self.log_path(name), process.cwd)
        self._children[name] = child
        child.exited.add_done_callback(lambda ended: self._ended(name, child, ended))

    def _ended(self, name: str, child: Child, exited: asyncio.Task[int]) -> None:
        if self._children.get(name) is not child or self._stopping.is_set():
            return
        self._fail(ProcessFailed(name, f"exited with {exited.result()}", self.log_path(name)))

    def _fail(self, failure: ProcessFailed) -> None:
        self._failure = self._failure or failure
        self._stopping.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _until_ready(self, name: str) -> None:
        process = self._processes[name]
        end = asyncio.get_running_loop().time() + process.ready_seconds
        while process.port and not self._stopping.is_set() and not await _accepts(process.port):
            if asyncio.get_running_loop().time() > end:
                self._fail(
                    ProcessFailed(name, f"was not ready in {process.ready_seconds:.0f} s", self.log_path(name)),
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _until_stopped(self, on_ready: Callable[[], Awaitable[None]] | None) -> None:
        if on_ready is None:
            await self._stopping.wait()
            return
        stopped = asyncio.create_task(self._stopping.wait())
        ready = asyncio.ensure_future(on_ready())
        try:
            await asyncio.wait([ready, stopped], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                await ready
                await stopped
        finally:
            for task in (ready, stopped):
                task.cancel()
            await asyncio.gather(ready, stopped, return_exceptions=True)

    def _interrupted(self) -> None:
        if self._stopping.is_set():
            for child in self._children.values():
                child.signal(signal.SIGKILL)
        self._stopping.set()

    async def _stop_all(self) -> None:
        self._stopping.set()
        try:
            await asyncio.gather(*(child.end(self._grace_seconds) for child in self._children.values()))
        finally:
            if self._guard is not None:
                guard, self._guard = self._guard, None
                await asyncio.to_thread(guard.close)
            await asyncio.gather(*self._tasks)

    async def _follow(self, name: str, colour: int) -> None:
        """Print what a process adds to its log, line by line, until everything has stopped."""
        label = f"{name:<{max(map(len, self._processes))}} | "
        prefix = f"\x1b[{colour}m{label}\x1b[0m" if sys.stdout.isatty() else label
        rest = b""
        with self.log_path(name).open("rb") as log:
            while True:
                finished = self._stopping.is_set() and not self.is_running(name)
                *lines, rest = (rest + log.read()).split(b"\n")
                for line in [*lines, rest] if finished and rest else lines:
                    print(prefix + line.decode(errors="replace"), flush=True)
                if finished:
                    return
                await asyncio.sleep(_POLL_SECONDS)


class SupervisorThread:
    """A supervisor in a thread with an event loop of its own, for code without one."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._call(self.supervisor.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._call(self.supervisor.__aexit__(None, None, None))
        finally:
            self._end()

    def start(self, name: str) -> None:
        """See Supervisor.start."""
        self._call(self.supervisor.start(name))

    def stop(self, name: str) -> int:
        """See Supervisor.stop."""
        return self._call(self.supervisor.stop(name))

    def kill(self, name: str) -> None:
        """See Supervisor.kill."""
        self._call(self.supervisor.kill(name))

    def _call(self, step: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _tail(log: Path) -> str:
    try:
        return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
    except OSError:
        return ""
