"""The emulators, started once, and the real clients that talk to them.

`emulators` is shared by all tests of a session; take a bucket or topic of your own (`bucket`, `unique`). A test that
kills an emulator starts its own by `launch_emulators`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1, storage

from local.supervisor import Process, Supervisor, SupervisorThread, free_ports

_T = TypeVar("_T")
PROJECT = "opp-local"
ROOT = Path(__file__).parents[2]


def eventually(probe: Callable[[], _T], seconds: float = 20.0) -> _T:
    """The first true answer of `probe`; fails the test when none comes in time."""
    end = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < end, f"still {answer!r} after {seconds} s"
        time.sleep(0.02)
    return answer


@dataclass(frozen=True)
class Emulators:
    """A running pair of Cloud Storage and Pub/Sub emulators; the names in `stack` are "gcs" and "pubsub"."""

    stack: SupervisorThread
    gcs_url: str
    pubsub_host: str
    data: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find them."""
        return {"STORAGE_EMULATOR_HOST": self.gcs_url, "PUBSUB_EMULATOR_HOST": self.pubsub_host}

    @contextlib.contextmanager
    def in_environment(self) -> Iterator[None]:
        """The clients read the variables when they are made."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield

    def storage(self) -> storage.Client:
        """A new, unmodified Cloud Storage client."""
        with self.in_environment():
            return storage.Client(project=PROJECT, credentials=AnonymousCredentials())

    def publisher(self) -> pubsub_v1.PublisherClient:
        """A new, unmodified publisher."""
        with self.in_environment():
            return pubsub_v1.PublisherClient()

    def subscriber(self) -> pubsub_v1.SubscriberClient:
        """A new, unmodified subscriber."""
        with self.in_environment():
            return pubsub_v1.SubscriberClient()

    def fault(self, *rules: dict[str, Any]) -> None:
        """Replace the faults of the storage emulator."""
        httpx.put(f"{self.gcs_url}/_emulator/faults", json=list(rules)).raise_for_status()

    def notifications_pending(self) -> int:
        """How many notifications wait for Pub/Sub."""
        count: int = httpx.get(f"{self.gcs_url}/_emulator/outbox").json()["pending"]
        return count


@contextlib.contextmanager
def running_emulators(data: Path, *pubsub_flags: str) -> Iterator[Emulators]:
    """Start both emulators over a data directory."""
    gcs, pubsub = free_ports(0, 0)
    host = f"127.0.0.1:{pubsub}"
    python = [sys.executable, "-m"]
    db = str(data / "pubsub.sqlite")
    processes = [
        Process(
            "pubsub", [*python, "local.pubsub", "--db", db, "--port", str(pubsub), *pubsub_flags], pubsub, cwd=ROOT
        ),
        Process(
            "gcs",
            [*python, "local.gcs", "--data", str(data / "gcs"), "--port", str(gcs), "--pubsub", host],
            gcs,
            cwd=ROOT,
        ),
    ]
    with SupervisorThread(Supervisor(processes, data / "logs")) as stack:
        yield Emulators(stack, f"http://127.0.0.1:{gcs}", host, data)


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    with running_emulators(tmp_path_factory.mktemp("emulators")) as pair:
        yield pair


@pytest.fixture
def launch_emulators(tmp_path: Path) -> Iterator[Callable[..., Emulators]]:
    """Start a pair of the test's own; arguments are flags of the Pub/Sub emulator."""
    with contextlib.ExitStack() as stack:
        yield lambda *flags: stack.enter_context(running_emulators(tmp_path, *flags))


_numbers = itertools.count()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A name nobody else uses."""
    return lambda prefix: f"{prefix}-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(scope="session")
def storage_client(emulators: Emulators) -> storage.Client:
    return emulators.storage()


@pytest.fixture
def bucket(emulators: Emulators, storage_client: storage.Client, unique: Callable[[str], str]) -> Iterator[Any]:
    """An empty bucket of the test's own; faults are gone afterwards."""
    yield storage_client.create_bucket(unique("bucket"))
    emulators.fault()


@pytest.fixture(scope="session")
def publisher(emulators: Emulators) -> Iterator[pubsub_v1.PublisherClient]:
    client = emulators.publisher()
    yield client
    client.stop()
    client.transport.close()


@pytest.fixture(scope="session")
def subscriber(emulators: Emulators) -> Iterator[pubsub_v1.SubscriberClient]:
    with emulators.subscriber() as client:
        yield client


@dataclass
class PushEndpoint:
    """A push endpoint that keeps what it got and answers as told: `statuses` in turn, then 200."""

    url: str
    statuses: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    """Answers wait while it is not set; it is set at first."""

    def data(self) -> list[str]:
        """The base64 data of the messages received so far."""
        return [body["message"]["data"] for body in self.received]


@pytest.fixture
def push_endpoint() -> Iterator[Callable[..., PushEndpoint]]:
    """Make push endpoints; the arguments are the first statuses to answer."""
    with contextlib.ExitStack() as stack:

        def make(statuses: Sequence[int] = ()) -> PushEndpoint:
            class Handler(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                    endpoint.headers.append({key.lower(): value for key, value in self.headers.items()})
                    endpoint.received.append(body)
                    status = endpoint.statuses.pop(0) if endpoint.statuses else 200
                    endpoint.gate.wait(30)
                    self.send_response(status)
                    self.send_header("content-length", "0")
                    with contextlib.suppress(OSError):
                        self.end_headers()

                def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads = True
            endpoint = PushEndpoint(f"http://127.0.0.1:{server.server_port}/", list(statuses))
            endpoint.gate.set()
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            stack.callback(endpoint.gate.set)
            return endpoint

        yield make


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """`eventually`, for test modules that cannot import this file."""
    return eventually


def _processes() -> dict[int, str]:
    """Process id → state and command line of everything that runs, without what has ended and waits to be reaped."""
    ps = shutil.which("ps")
    assert ps, "ps is needed to see processes"
    listing = subprocess.run([ps, "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=1) for line in listing.splitlines()]
    return {int(pid): rest for pid, rest in rows if not rest.startswith("Z")}


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Whether a process runs; one that ended and was not waited for does not."""
    return lambda pid: pid in _processes()


@pytest.fixture
def process_list() -> Callable[[], list[str]]:
    """The command lines of everything that runs."""
    return lambda: list(_processes().values())
