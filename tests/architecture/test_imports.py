"""Who may know whom: vendors' clients in the adapters only, decisions without I/O, nothing opened by an import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENDORS = ("httpx", "google", "snowflake", "requests", "urllib3", "boto3", "aiohttp")
USE_CASES = (
    "extract",
    "load",
    "sweep",
    "transform",
    "webhooks",
    "windows",
    "state",
    "sources",
    "registry",
    "contracts",
)
WIRED = ("wiring", "operate", "adapters")
"""Packages of `shared` that join use cases to the outside; everything else of it is a use case or a rule."""
MAINS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "functions").glob("*/main.py"))


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    """Every module that the file imports anywhere, also inside functions, in full."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _under(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _offenders(files: list[Path], *packages: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in _imports(path)
        if _under(module, *packages)
    ]


def _rules_and_use_cases() -> list[Path]:
    shared = ROOT / "shared"
    return [path for path in _files("shared") if path.relative_to(shared).parts[0] not in WIRED]


def test_the_parts_that_these_tests_speak_of_exist() -> None:
    """A renamed folder must not make a rule empty."""
    for name in (*USE_CASES, "wiring", "adapters"):
        assert _files(f"shared/{name}"), name
    assert MAINS
    assert _offenders(_files("shared/adapters"), *VENDORS)


def test_only_adapters_import_vendors_clients() -> None:
    """Everything else speaks through a port."""
    files = [path for path in _files("shared", "functions") if path.parent != ROOT / "shared" / "adapters"]
    assert _offenders(files, *VENDORS) == []


def test_use_cases_and_rules_know_neither_adapters_nor_wiring_nor_frameworks() -> None:
    """They are given what they need."""
    forbidden = ("shared.adapters", "shared.wiring", "functions_framework", "flask", "cloudevents")
    assert _offenders(_rules_and_use_cases(), *forbidden) == []


def test_nothing_deployed_knows_the_local_stack_or_the_tests() -> None:
    """`local/` is development only."""
    assert _offenders(_files("shared", "functions"), "local", "tests", "fakesnow", "duckdb", "pytest") == []


def test_use_cases_read_no_environment_and_no_clock() -> None:
    """Time, ids and settings come in as arguments."""
    forbidden = ("os", "time", "uuid", "random", "secrets", "socket", "subprocess")
    assert _offenders(_rules_and_use_cases(), *forbidden) == []
    reads_clock = [
        str(path.relative_to(ROOT))
        for path in _rules_and_use_cases()
        if path.name != "logs.py" and ("datetime.now(" in path.read_text() or "utcnow(" in path.read_text())
    ]
    assert reads_clock == []


def test_entry_points_are_thin() -> None:
    """Parse, call one use case, log one summary."""
    for main in MAINS:
        assert len((ROOT / main).read_text().splitlines()) <= 80, main


UNNEEDED = {
    "functions/extract/main.py": ("snowflake.connector",),
    "functions/load/main.py": ("httpx",),
    "functions/sweep/main.py": ("pyarrow", "httpx", "snowflake.connector"),
    "functions/webhook/main.py": (
        *("pyarrow", "httpx", "snowflake.connector", "pydantic", "shared.registry"),
        *("google.cloud.storage", "google.cloud.secretmanager", "google.auth", "grpc"),
    ),
}
"""Clients that an entry point must not pay for: each is a tenth of a second of cold start or more. (Snowflake's
connector takes pyarrow where it finds it; the load function's image has none.)"""


@pytest.mark.parametrize("main", MAINS)
def test_importing_an_entry_point_needs_no_environment_and_opens_nothing(main: str) -> None:
    """In a process of its own without environment; a connection, a thread or an unneeded client is an error."""
    module = main.removesuffix(".py").replace("/", ".")
    code = (
        "import socket, sys, threading\n"
        "def refuse(*args, **kwargs): raise SystemExit('opened a connection at import')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        f"import {module}\n"
        # the Snowflake connector loads its library in a thread that ends at once
        "[t.join(10) for t in threading.enumerate() if t is not threading.main_thread()]\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        f"unneeded = [m for m in {UNNEEDED.get(main, ())!r} if m in sys.modules]\n"
        "assert not unneeded, unneeded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
