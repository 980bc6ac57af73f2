"""Children that outlive nobody: each leads a process group of its own, which ends with its leader, and which the guard
(supervisor_guard) ends when this process is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local import supervisor_guard
from local.supervisor_guard import end_group

_POLL_SECONDS = 0.01
_GONE_SECONDS = 2.0


class Guard:
    """The process that ends registered children if this one is killed. Used by everything that starts children here."""

    def __init__(self, grace_seconds: float = 2.0) -> None:
        reader, self.descriptor = os.pipe()
        try:
            self._process = subprocess.Popen(
                [*self._script("watch"), str(reader), str(grace_seconds)],
                pass_fds=[reader],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        finally:
            os.close(reader)

    @staticmethod
    def _script(role: str) -> list[str]:
        return [sys.executable, "-I", "-S", supervisor_guard.__file__, role]

    async def spawn(self, argv: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path | None = None) -> Child:
        """Start a command in a group of its own, its output appended to `log`; `env` is added to this process's."""
        with log.open("ab") as output:
            handle = await asyncio.create_subprocess_exec(
                *self._script("exec"),
                str(self.descriptor),
                *argv,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[self.descriptor],
            )
        return Child(self, handle)

    def forget(self, group: int) -> None:
        """A group has ended: its number may soon be another's."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.descriptor, f"-{group}\n".encode())

    def close(self) -> None:
        """End the guard, and with it whatever was not forgotten."""
        os.close(self.descriptor)
        self._process.wait()


class Child:
    """A started command and its process group."""

    def __init__(self, guard: Guard, handle: asyncio.subprocess.Process) -> None:
        self._guard = guard
        self.pid = handle.pid
        self.exited = asyncio.create_task(self._exit(handle))
        """Ends with the return code, after the whole group is gone."""

    async def _exit(self, handle: asyncio.subprocess.Process) -> int:
        code = await handle.wait()
        end_group(self.pid, signal.SIGKILL)
        await self._group_gone()
        self._guard.forget(self.pid)
        return code

    async def _group_gone(self) -> None:
        # a killed worker holds its port until the kernel has cleared it away
        end = asyncio.get_running_loop().time() + _GONE_SECONDS
        while group_lives(self.pid) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_POLL_SECONDS)

    def signal(self, number: int) -> None:
        """Signal the whole group, if it is still there."""
        if not self.exited.done():
            end_group(self.pid, number)

    async def end(self, grace_seconds: float) -> int:
        """SIGTERM, after the grace SIGKILL; returns the return code."""
        self.signal(signal.SIGTERM)
        await asyncio.wait([self.exited], timeout=max(0.0, grace_seconds))
        self.signal(signal.SIGKILL)
        return await self.exited


def group_lives(group: int) -> bool:
    """Whether a process of the group may hold anything still, a port say.

    One that has ended with all of its threads does not, though it waits to be reaped: for seconds or for ever where the
    first process is no init. Without a /proc to look at, it counts as living.
    """
    if not end_group(group, 0):
        return False
    members = list(_members(group))
    return not members or any(state not in "ZX" or threads > 1 for state, threads in members)


def _members(group: int) -> Iterator[tuple[str, int]]:
    """State and number of threads of each process: the first thread is a zombie while others are still ending."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it is gone meanwhile
            # the command may hold anything: what is asked for follows its last parenthesis
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                yield fields[0], int(fields[17])
