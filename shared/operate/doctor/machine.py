"""Whether this machine can run the local stack and the tests."""

import importlib
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from shared.operate.doctor.check import Check, Looks, ok, warning, wrong

OLDEST_PYTHON = (3, 11)
_FREE_GIB = 2.0
PACKAGES = ("fakesnow", "duckdb", "snowflake.connector", "google.cloud.storage", "google.cloud.pubsub_v1", "pyarrow")
LOCAL_PORTS = (9023, 8085, 8084, 8090, 8091, 8081, 8082, 8083)


def looks(repository: Path) -> list[tuple[str, Looks]]:
    """Everything that is looked at on this machine."""
    return [
        ("Python", lambda: python_version(sys.version_info[:3])),
        ("virtual environment", lambda: environment(repository)),
        ("packages", lambda: packages(PACKAGES)),
        ("disk", lambda: disk(repository, shutil.disk_usage(repository).free)),
        ("ports", lambda: ports(LOCAL_PORTS)),
    ]


def python_version(version: Sequence[int]) -> Iterator[Check]:
    """New enough."""
    text = ".".join(map(str, version))
    if tuple(version) >= OLDEST_PYTHON:
        yield ok("Python", text)
    else:
        yield wrong("Python", text, "install Python 3.11 or newer, then: make clean setup PYTHON=python3.11")


def environment(repository: Path) -> Iterator[Check]:
    """There, and not older than what it is made from."""
    stamp, locked = repository / ".venv" / ".installed", repository / "requirements" / "dev.txt"
    if not stamp.exists():
        yield wrong("virtual environment", "not installed", "make setup")
    elif stamp.stat().st_mtime < locked.stat().st_mtime:
        yield warning("virtual environment", "older than requirements/dev.txt", "make setup")
    else:
        yield ok("virtual environment", ".venv is up to date")


def packages(names: Iterable[str]) -> Iterator[Check]:
    """Importable: a half-finished installation shows here."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as exc:
            yield wrong(f"package {name}", str(exc), "rm -rf .venv && make setup")
        else:
            yield ok(f"package {name}", "imports")


def disk(folder: Path, free_bytes: int) -> Iterator[Check]:
    """Room for the stack's data and dbt's artifacts."""
    free = free_bytes / 2**30
    seen = f"{free:.1f} GiB free at {folder}"
    yield ok("disk", seen) if free >= _FREE_GIB else warning("disk", seen, "free some space: make clean")


def ports(numbers: Iterable[int]) -> Iterator[Check]:
    """Free; the stack takes others where they are not."""
    busy = [number for number in numbers if not _free(number)]
    if busy:
        remedy = "nothing, unless you need these numbers: the stack takes others; make down ends a running stack"
        yield warning("ports", f"in use: {', '.join(map(str, busy))}", remedy)
    else:
        yield ok("ports", "the usual ones are free")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
