"""The real functions as processes over the emulators, and what a delivery to one of them did."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from google.cloud import pubsub_v1

from local.supervisor import Process, Supervisor, SupervisorThread, free_ports
from shared.adapters.gcs import GcsBucket
from shared.registry import registry
from shared.windows.window import Window
from tests.contract.stack import ROOT, Stack, running_stack
from tests.functions.envelopes import PROJECT, Envelope
from tests.functions.vendor import KEYS

LANDING, STATE, QUARANTINE = "functions-landing", "functions-state", "functions-quarantine"
SPOOL = "functions-spool"
PIPELINE = "ops_incidents"
FUNCTIONS = ("extract", "load", "sweep")
FAMILY = "INCIDENT_IO"

_hours = itertools.count()
_traces = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """What one delivery did: the answer's status, and the log lines that carry its trace."""

    status: int
    lines: list[dict[str, Any]]
    text: str
    """The whole log that was written meanwhile."""

    def line(self, event: str) -> dict[str, Any]:
        """The one line of that event."""
        (found,) = [line for line in self.lines if line["event"] == event]
        return found


@dataclass(frozen=True)
class Platform:
    """Running functions, their buckets, and the stand-ins around them."""

    stack: Stack
    functions: SupervisorThread
    ports: dict[str, int]
    landing: GcsBucket
    """Where parts land; nothing is notified by itself: the tests deliver."""
    state: GcsBucket
    """Markers, leases, windows."""
    quarantine: GcsBucket
    """What could not be loaded."""
    spool: GcsBucket
    """Events that wait."""
    _notes: dict[str, Any] = field(default_factory=dict)

    def deliver(self, function: str, envelope: Envelope, *, trace: str | None = None) -> Outcome:
        """Send an envelope to a function as Pub/Sub would, with a trace of its own."""
        trace = trace or f"{next(_traces):032x}"
        log = self.functions.supervisor.log_path(function)
        start = log.stat().st_size
        answer = httpx.post(
            f"http://127.0.0.1:{self.ports[function]}/projects/{PROJECT}/topics/{function}",
            content=envelope.body,
            headers={**envelope.headers, "X-Cloud-Trace-Context": f"{trace}/123;o=1"},
            timeout=60,
        )
        with log.open("rb") as file:
            file.seek(start)
            text = file.read().decode()
        for key in KEYS.values():
            assert key not in text + answer.text
        name = f"projects/{PROJECT}/traces/{trace}"
        lines = [line for line in _json_lines(text) if line.get("logging.googleapis.com/trace") == name]
        return Outcome(answer.status_code, lines, text)

    def quarantined(self, prefix: str = "") -> dict[str, Any]:
        """The notes in quarantine by name."""
        names = [stored.name for stored in self.quarantine.list(prefix) if stored.name.endswith(".json")]
        for name in names:
            # a note never changes
            if name not in self._notes and (found := self.quarantine.read(name)) is not None:
                self._notes[name] = json.loads(found[0])
        return {name: self._notes[name] for name in names}

    def note_of(self, envelope: Envelope) -> dict[str, Any] | None:
        """The note in quarantine about a message, if there is one."""
        notes: list[dict[str, Any]] = list(self.quarantined("messages/").values())
        for note in notes:
            data = note["message"]["data"]
            message = data.get("message") if isinstance(data, dict) else None
            delivered = message.get("messageId") if isinstance(message, dict) else None
            if envelope.message_id in (note["subject"], delivered):
                return note
        return None

    def rows(self, where: str) -> list[dict[str, Any]]:
        """Rows of FACT_INCIDENTS."""
        return self.stack.sql(f"SELECT * FROM RAW.PUBLIC.FACT_INCIDENTS WHERE {where}")


def new_window() -> Window:
    """An hour that no other test uses; each lies before the one handed out before it."""
    end = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(hours=next(_hours))
    return Window(PIPELINE, end - timedelta(hours=1), end)


@contextlib.contextmanager
def running_platform(directory: Path, vendor_url: str) -> Iterator[Platform]:
    """Start emulators and functions over a directory; the functions read incidents from `vendor_url`."""
    with running_stack(directory, LANDING) as stack:
        _provision(stack)
        ports = dict(zip(FUNCTIONS, free_ports(0, 0, 0), strict=True))
        environment = {
            **stack.environment,
            "OPP_PROJECT": PROJECT,
            "OPP_REGION": "europe-west1",
            "OPP_LANDING_BUCKET": LANDING,
            "OPP_STATE_BUCKET": STATE,
            "OPP_SPOOL_BUCKET": SPOOL,
            "OPP_QUARANTINE_BUCKET": QUARANTINE,
            "OPP_ARTIFACTS_BUCKET": "functions-artifacts",
            "OPP_SECRETS": "environment",
            "OPP_RUN_API": stack.jobs_url,
            f"OPP_BASE_URL_{FAMILY}": vendor_url,
            f"OPP_BASE_URL_{FAMILY}_EVENTS": vendor_url,
            "OPP_LEASE_SECONDS": "5",
            "OPP_SOFT_DEADLINE_SECONDS": "60",
            "OPP_SWEEP_GRACE_SECONDS": "0.001",
            "OPP_SNOWFLAKE_ACCOUNT": "local",
            "OPP_SNOWFLAKE_USER": "loader",
            "OPP_SNOWFLAKE_ROLE": "LOADER",
            "OPP_SNOWFLAKE_WAREHOUSE": "LOAD_WH",
            "OPP_SNOWFLAKE_HOST": "127.0.0.1",
            "OPP_SNOWFLAKE_PORT": str(stack.snowflake_port),
            "PYTHONPATH": str(ROOT),
            "THREADS": "8",
            **{f"OPP_SECRET_{reference.upper().replace('-', '_')}": key for reference, key in KEYS.items()},
        }
        processes = [_function(name, port, environment) for name, port in ports.items()]
        with SupervisorThread(Supervisor(processes, directory / "functions")) as functions:
            yield Platform(
                *(stack, functions, ports, stack.bucket(LANDING), stack.bucket(STATE), stack.bucket(QUARANTINE)),
                stack.bucket(SPOOL),
            )


def _function(name: str, port: int, environment: dict[str, str]) -> Process:
    argv = [
        *(sys.executable, "-m", "functions_framework", "--source", f"functions/{name}/main.py", "--target", name),
        *("--signature-type", "cloudevent", "--host", "127.0.0.1", "--port", str(port)),
    ]
    return Process(name, argv, port, environment, ROOT)


def _provision(stack: Stack) -> None:
    client = stack.storage()
    for name in (LANDING, STATE, QUARANTINE, SPOOL, "functions-artifacts"):
        client.create_bucket(name)
    with stack.in_environment():
        publisher = pubsub_v1.PublisherClient()
    subscriber = _subscriber(stack)
    topics = ["landed", *(source.topic for source in registry().sources.values())]
    for topic in topics:
        path = publisher.topic_path(PROJECT, topic)
        publisher.create_topic(name=path)
        subscriber.create_subscription(name=subscriber.subscription_path(PROJECT, topic), topic=path)
    subscriber.close()
    publisher.transport.close()
    stack.sql("CREATE DATABASE IF NOT EXISTS RAW")
    stack.sql("CREATE SCHEMA IF NOT EXISTS RAW.PUBLIC")
    stack.sql(f"CREATE STAGE RAW.PUBLIC.LANDING URL = 'gcs://{LANDING}/landing/' STORAGE_INTEGRATION = GCS")


def _subscriber(stack: Stack) -> pubsub_v1.SubscriberClient:
    with stack.in_environment():
        return pubsub_v1.SubscriberClient()


def published(platform: Platform, topic: str) -> list[dict[str, Any]]:
    """The messages that wait on a topic, taken: attributes and data."""
    taken: list[dict[str, Any]] = []
    end = time.monotonic() + 5
    with _subscriber(platform.stack) as subscriber:
        path = subscriber.subscription_path(PROJECT, topic)
        while time.monotonic() < end:
            request = {"subscription": path, "max_messages": 100, "return_immediately": True}
            answer = subscriber.pull(request=request, timeout=10)
            if not answer.received_messages:
                break
            messages = [received.message for received in answer.received_messages]
            taken.extend({"attributes": dict(m.attributes), "data": bytes(m.data)} for m in messages)
            subscriber.acknowledge(subscription=path, ack_ids=[r.ack_id for r in answer.received_messages])
    return taken


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found
