"""`python -m local`: however it ends, nothing of it is left; what it had done is still there when it starts again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.addresses import REPOSITORY, Folders, read_addresses
from tests.end_to_end.archives import hourly_archive

PATIENCE_SECONDS = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A stack's folder; whatever still runs in it at the end is ended."""
    root = tmp_path / "stack"
    yield root
    for pid in _processes_of(root):
        os.kill(pid, signal.SIGKILL)


def test_ctrl_c_in_the_middle_of_the_demonstration_leaves_no_process(folder: Path, tmp_path: Path) -> None:
    """Windows are under way and dbt may be running: all of it ends, and a new demonstration could begin."""
    archive = tmp_path / "archive.jsonl"
    archive.write_bytes(hourly_archive())
    command = _started(folder, "demo", "--data", str(archive))
    _until("a landed part", lambda: any(folder.rglob("part-00000.parquet")))
    assert len(_processes_of(folder)) > 8

    command.send_signal(signal.SIGINT)

    assert command.wait(PATIENCE_SECONDS) is not None
    _until("no process", lambda: not _processes_of(folder))
    assert read_addresses(Folders(folder)) is None


def test_a_stack_that_was_killed_starts_again_with_what_it_had(folder: Path) -> None:
    """SIGKILL of the supervisor takes everything along; `up` on the same folder goes on, `down` ends it."""
    folder.mkdir()
    Folders(folder).archive.write_bytes(hourly_archive())
    first = _up(folder)
    assert "running already" in _run(folder, "up", code=1)
    _run(folder, "tick", "ops_incidents", "--no-wait", "--window", "2026-01-05T00:00:00Z/2026-01-05T01:00:00Z")
    rows = _rows(folder)
    assert rows > 0
    first.send_signal(signal.SIGKILL)
    first.wait(PATIENCE_SECONDS)
    _until("no process", lambda: not _processes_of(folder))
    assert "No stack is running" in _run(folder, "operate", "status", code=1)

    second = _up(folder)

    assert _rows(folder) == rows
    assert _windows(folder) == {"20260105T0100Z": "complete"}
    _run(folder, "tick", "ops_incidents", "--no-wait", "--window", "2026-01-07T01:00:00Z/2026-01-07T02:00:00Z")
    assert _windows(folder) == {"20260105T0100Z": "complete", "20260107T0200Z": "complete"}
    assert _rows(folder) > rows
    down = _started(folder, "down")  # it waits until the stack is gone, and the stack until we hear of its end
    assert second.wait(PATIENCE_SECONDS) == 0
    assert down.wait(PATIENCE_SECONDS) == 0
    assert _processes_of(folder) == []


def _up(folder: Path) -> subprocess.Popen[bytes]:
    command = _started(folder, "up")
    _until("the stack", lambda: read_addresses(Folders(folder)) is not None)
    return command


def _started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "local", "--folder", str(folder), *arguments]
    return subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _run(folder: Path, *arguments: str, code: int = 0) -> str:
    argv = [sys.executable, "-m", "local", "--folder", str(folder), *arguments]
    done = subprocess.run(
        argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 2, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def _rows(folder: Path) -> int:
    return int(_run(folder, "sql", "select count(*) from raw.public.fact_incidents").split()[-1])


def _windows(folder: Path) -> dict[str, str]:
    picture = json.loads(_run(folder, "operate", "status", "--json"))
    return {w["id"]: w["status"] for w in picture["pipelines"]["ops_incidents"]["windows"]}


def _processes_of(folder: Path) -> list[int]:
    """Every living process that was told of the folder, by its arguments or its environment."""
    wanted = f"{folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if wanted in told and state != "Z" and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def _until(what: str, condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.1)
