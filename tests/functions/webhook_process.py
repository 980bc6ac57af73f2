"""The real webhook function as a process over the storage emulator, and requests to it by the byte."""

from __future__ import annotations

import contextlib
import itertools
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from local.stack import local_secrets, webhook_secret
from local.supervisor import Process, Supervisor, SupervisorThread, free_ports
from shared.webhooks.workspaces import read_webhook_secrets
from tests.contract.stack import ROOT
from tests.support.webhooks import Sender

SPOOL = "webhook-spool"
PATH = "/incident-io/companya"

_ids = itertools.count(1)


def sender(workspace: str = "companya") -> Sender:
    """The workspace's own."""
    return Sender(webhook_secret(read_webhook_secrets()[workspace]))


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class WebhookProcess:
    """A running function and its spool."""

    thread: SupervisorThread
    port: int
    gcs_url: str

    def request(
        self,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        target: str = PATH,
        timeout: float = 60,
    ) -> Reply:
        """One request whose target is sent as it is written here; an iterable goes in chunks, without a length."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            if not isinstance(body, bytes):
                connection.putheader("Transfer-Encoding", "chunked")
            elif "content-length" not in {name.lower() for name in headers or {}}:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has all
                connection.send(body if isinstance(body, bytes) else _chunks(body))
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
        finally:
            connection.close()

    def send(self, body: bytes, webhook_id: str | None = None, *, workspace: str = "companya") -> Reply:
        """An event as the sender sends it, now."""
        signed = sender(workspace).headers(webhook_id or new_id(), datetime.now(UTC), body)
        return self.request(body, signed, target=f"/incident-io/{workspace}")

    def raw(self, data: bytes) -> bytes:
        """Whatever bytes; the answer's, until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def objects(self, workspace: str = "companya") -> dict[str, dict[str, Any]]:
        """What is in the spool, by name."""
        answer = httpx.get(f"{self.gcs_url}/storage/v1/b/{SPOOL}/o", params={"prefix": f"{workspace}/"})
        return {item["name"]: item for item in answer.raise_for_status().json().get("items", [])}

    def content(self, name: str) -> bytes:
        """An object's content."""
        url = f"{self.gcs_url}/download/storage/v1/b/{SPOOL}/o/{name.replace('/', '%2F')}"
        return httpx.get(url, params={"alt": "media"}).raise_for_status().content

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the faults of storage."""
        httpx.put(f"{self.gcs_url}/_emulator/faults", json=list(rules)).raise_for_status()

    @property
    def log(self) -> str:
        """Everything that the function has logged."""
        return self.thread.supervisor.log_path("webhook").read_text()

    @property
    def peak_rss_mib(self) -> float:
        """The most memory that the process that answers has held, in MiB."""
        leader = self.thread.supervisor.pid("webhook")
        (worker,) = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        status = Path(f"/proc/{worker}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def new_id() -> str:
    """An id that no other event has."""
    return f"msg_{next(_ids)}x{time.time_ns()}"


def webhook_command(port: int, gcs_url: str, **environment: str) -> Process:
    """The function as the framework serves it."""
    argv = [
        *(sys.executable, "-m", "functions_framework", "--source", "functions/webhook/main.py", "--target", "webhook"),
        *("--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)),
    ]
    settings = {
        "STORAGE_EMULATOR_HOST": gcs_url,
        "OPP_PROJECT": "webhook-tests",
        "OPP_REGION": "europe-west1",
        **{f"OPP_{name}_BUCKET": f"webhook-{name.lower()}" for name in ("LANDING", "STATE", "QUARANTINE", "ARTIFACTS")},
        "OPP_SPOOL_BUCKET": SPOOL,
        "OPP_SECRETS": "environment",
        "PYTHONPATH": str(ROOT),
        "THREADS": "20",
        **local_secrets(),
        **environment,
    }
    return Process("webhook", argv, port, settings, ROOT)


@contextlib.contextmanager
def running_webhook(directory: Path, **environment: str) -> Iterator[WebhookProcess]:
    """Start storage and the function over a directory."""
    gcs, port = free_ports(0, 0)
    url = f"http://127.0.0.1:{gcs}"
    storage = Process(
        "gcs", [sys.executable, "-m", "local.gcs", "--port", str(gcs), "--data", str(directory / "gcs")], gcs, cwd=ROOT
    )
    processes = [storage, webhook_command(port, url, **environment)]
    with SupervisorThread(Supervisor(processes, directory / "logs")) as thread:
        httpx.post(f"{url}/storage/v1/b", params={"project": "p"}, json={"name": SPOOL}).raise_for_status()
        yield WebhookProcess(thread, port, url)


def _chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield b"%x\r\n%s\r\n" % (len(block), block)
    yield b"0\r\n\r\n"
