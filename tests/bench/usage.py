"""What a process has used so far, by its own account."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Used:
    """CPU seconds (user and system, all threads) and wall seconds of a block; complete once the block has ended."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0


@contextmanager
def used() -> Iterator[Used]:
    """Measure the block."""
    spent = Used()
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield spent
    spent.cpu_seconds, spent.wall_seconds = cpu_seconds() - cpu, time.perf_counter() - wall


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_rss_mib() -> float:
    """The most memory that this process has had resident, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # not ru_maxrss: a process that was just started inherits that of the one which started it
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def process_cpu_seconds(pid: int) -> float | None:
    """User and system time of another process so far; None where the system does not tell."""
    stat = Path("/proc", str(pid), "stat")
    if not stat.exists():
        return None
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def tell(**measured: Any) -> None:
    """Hand measurements to the process that started this one: the last line of standard output."""
    print(json.dumps(measured), flush=True)


def _ticks() -> int:
    import os

    return os.sysconf("SC_CLK_TCK")


_TICKS = _ticks()
