"""What receiving a webhook costs beside serving anything at all: the same requests to it and to an empty function."""

import contextlib
import json
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from local.stack import local_secrets, webhook_secret
from local.supervisor import Process, free_ports
from shared.webhooks.signature import parse_keys, sign
from shared.webhooks.workspaces import read_webhook_secrets
from tests.bench.children import ROOT, serving
from tests.bench.report import Figure
from tests.bench.sizes import Sizes

LEAST_RATIO = 0.8
WORKSPACE = "companya"
_FIXTURE = ROOT / "tests" / "fixtures" / "incident_io" / "incidents_page.json"
_WARM_UP = 20
_TYPE = "public_incident.incident_updated_v2"


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Requests a second, one after the other, to both functions in turn; medians, which a stall does not move."""
    empty, webhook = free_ports(0, 0)
    processes = [_function("empty", "empty_function", empty), _function("webhook", "webhook_function", webhook)]
    incident = json.loads(_FIXTURE.read_text())["incidents"][0]
    body = json.dumps({"event_type": _TYPE, _TYPE: incident}).encode()
    plain, signed = [], []
    with serving(processes, folder / "logs"), _connected(empty) as to_empty, _connected(webhook) as to_webhook:
        for number in range(_WARM_UP + sizes.webhook_requests):
            request = _request(f"msg_{number}", body)
            took = _seconds(to_empty, request), _seconds(to_webhook, request)
            if number >= _WARM_UP:
                plain.append(took[0])
                signed.append(took[1])
    ratio = statistics.median(plain) / statistics.median(signed)
    return [
        Figure("webhook, write stubbed: requests a second on one connection", f"{1 / statistics.median(signed):,.0f}"),
        Figure(
            "webhook, write stubbed: requests a second against an empty function",
            f"{ratio:.2f} x",
            f">= {LEAST_RATIO} x",
            ratio >= LEAST_RATIO,
        ),
    ]


def _function(target: str, module: str, port: int) -> Process:
    argv = [
        *(sys.executable, "-m", "functions_framework", "--source", str(ROOT / "tests" / "bench" / f"{module}.py")),
        *("--target", target, "--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)),
    ]
    purposes = ("LANDING", "STATE", "SPOOL", "QUARANTINE", "ARTIFACTS")
    environment = {
        "OPP_PROJECT": "bench",
        "OPP_REGION": "local",
        **{f"OPP_{purpose}_BUCKET": purpose.lower() for purpose in purposes},
        "OPP_SECRETS": "environment",
        "PYTHONPATH": str(ROOT),
        "THREADS": "8",
        **local_secrets(),
    }
    return Process(target, argv, port, environment, ROOT)


def _request(webhook_id: str, body: bytes) -> bytes:
    (key,), _ = parse_keys(webhook_secret(read_webhook_secrets()[WORKSPACE]))
    timestamp = str(int(datetime.now(UTC).timestamp()))
    head = (
        f"POST /incident-io/{WORKSPACE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nwebhook-id: {webhook_id}\r\nwebhook-timestamp: {timestamp}\r\n"
        f"webhook-signature: {sign(key, webhook_id, timestamp, body)}\r\n\r\n"
    )
    return head.encode() + body


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def _seconds(connection: socket.socket, request: bytes) -> float:
    started = time.perf_counter()
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        block = connection.recv(65536)
        if not block:
            raise RuntimeError(f"the function hung up after {answer!r}")
        answer += block
    took = time.perf_counter() - started
    if not answer.startswith(b"HTTP/1.1 204"):
        raise RuntimeError(f"the function answered {answer.splitlines()[0]!r}")
    return took
