"""Starting what is measured and what it talks to, each in a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.supervisor import Process, Supervisor, SupervisorThread

ROOT = Path(__file__).resolve().parents[2]


def measured(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None, timeout_seconds: float = 600
) -> dict[str, Any]:
    """Run `python -m tests.bench.<module>`; what it told on its last line. Raises RuntimeError when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@contextlib.contextmanager
def serving(processes: Sequence[Process], logs: Path) -> Iterator[Mapping[str, int]]:
    """Start servers and wait until they listen; their process ids by name. They are stopped on the way out."""
    with SupervisorThread(Supervisor(list(processes), logs)) as thread:
        yield {process.name: thread.supervisor.pid(process.name) for process in processes}


def module(name: str, port: int, *arguments: str, environment: Mapping[str, str] | None = None) -> Process:
    """A server of the local stack: `python -m <name> --port <port> ...`."""
    argv = [sys.executable, "-m", name, "--port", str(port), *arguments]
    return Process(name.rpartition(".")[2], argv, port, environment or {}, ROOT)
