"""A whole local stack in a folder of its own, and what a story asks of it and does to it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1, storage

from local.addresses import BUCKETS, PROJECT, REGION, REPOSITORY, Addresses, Folders
from local.scheduler import move_clock
from local.stack import emulators, local_secrets, processes, provision
from local.supervisor import Supervisor, SupervisorThread, free_ports
from local.warehouse import query
from local.watch import builds_held, nothing_pending, wait_for
from shared.adapters.gcs import GcsBucket
from shared.adapters.pubsub import PubSubPublisher
from shared.landing import PartName
from shared.messages import SWEEP_TOPIC, ExtractMessage
from shared.operate.replay import ReplayPorts, replay
from shared.operate.status import StatusPorts, status
from shared.registry import registry
from shared.state import layout
from shared.state.documents import Documents
from shared.windows.window import Window

PIPELINE = "ops_incidents"
SOURCES = {name: f"incident_io_{name}_incidents" for name in ("companya", "companyb", "companyc")}
ASKED = [source.name for source in registry().enabled(PIPELINE)]
"""Every source of a window: incidents and follow-ups of each workspace."""
"""The registry's source of each workspace."""
HOUR = timedelta(hours=1)

WINDOW_SECONDS, DBT_SECONDS = 60.0, 120.0
"""Patience on a busy machine; both take a few seconds on an idle one."""

Row = tuple[Any, ...]
Event = dict[str, Any]


def new_token() -> str:
    """A random id."""
    return uuid.uuid4().hex


@dataclass
class Running:
    """A running stack with the processes of `local.stack`; `at` is the end of the last window that a story took."""

    folders: Folders
    addresses: Addresses
    supervisor: SupervisorThread
    documents: Documents
    landing: GcsBucket
    quarantine: GcsBucket
    artifacts: GcsBucket
    publisher: PubSubPublisher
    at: datetime

    # windows

    def take_window(self) -> Window:
        """The next hourly window; no story takes one that another had."""
        window = Window(PIPELINE, self.at, self.at + HOUR)
        self.at = window.end
        return window

    def tick(self, window: Window) -> None:
        """What the scheduler does for a window: the clock of the sources reaches its end, every source is asked."""
        move_clock(self.addresses, window.end)
        for source in registry().enabled(window.pipeline):
            self.publisher.publish(source.topic, ExtractMessage(source.name, window.interval).attributes())

    def run_window(self, window: Window) -> dict[str, Any]:
        """Tick the window and wait until it is closed; how it closed."""
        self.tick(window)
        return self.closed(window)

    def closed(self, window: Window, status: str | None = None) -> dict[str, Any]:
        """How the window closed, once it has (with that status, where one is named)."""

        def probe() -> bool:
            value = self.closed_now(window)
            return value is not None and status in (None, value["status"])

        wait_for(f"window {window.id} closed {status or ''}", probe, WINDOW_SECONDS)
        return self.closed_now(window) or {}

    def closed_now(self, window: Window) -> dict[str, Any] | None:
        """How the window closed; None while it is open."""
        document = self.documents.get(layout.closed(window.pipeline, window.id))
        return None if document is None else dict(document.value)

    def sweep(self) -> None:
        """Let the sweep's schedule tick, and wait until that round is over."""
        before = self._count("sweep", "run.finished")
        self.publisher.publish(SWEEP_TOPIC, {"tick": "1"})
        wait_for("the sweep", lambda: self._count("sweep", "run.finished") > before, WINDOW_SECONDS)

    def pass_deadline(self, window: Window) -> None:
        """Move the window's frozen deadline into the past: a story cannot wait for 45 minutes."""
        name = layout.expected(window)
        wait_for(f"{name} frozen", lambda: self.documents.exists(name), WINDOW_SECONDS)
        document = self.documents.get(name)
        assert document is not None
        self.documents.replace(document, {**document.value, "deadline_at": "2000-01-01T00:00:00Z"})

    def replay(self, source: str, window: Window) -> ExtractMessage:
        """What `make replay` does."""
        return replay(ReplayPorts(registry(), self.documents, self.landing, self.publisher), source, window.id)

    # dbt

    def builds_held(self) -> contextlib.AbstractContextManager[None]:
        """Inside, windows close and none is built: their requests wait, also afterwards, for the next one."""
        return builds_held(self.documents)

    def rest(self) -> list[Event]:
        """Have built what waits, until no job runs any more; the reports of every dbt run so far, oldest first."""
        if any(self.documents.names(layout.REQUESTS)) and not self._jobs_running():
            self.sweep()
        wait_for("nothing to build", lambda: nothing_pending(self.documents), DBT_SECONDS, every=0.3)
        return self.reports()

    def reports(self) -> list[Event]:
        """The reports of every dbt run so far, oldest first, once no job runs."""
        wait_for("dbt's rest", lambda: not self._jobs_running(), DBT_SECONDS, every=0.3)
        names = [stored for stored in self.artifacts.list("runs/") if stored.name.endswith("/report.json")]
        return [self.artifact(stored.name) for stored in sorted(names, key=lambda stored: stored.generation)]

    def artifact(self, name: str) -> Any:
        """A JSON artifact of a dbt run."""
        found = self.artifacts.read(name)
        assert found is not None
        return json.loads(found[0])

    def built(self, window: Window) -> dict[str, Any] | None:
        """What is remembered of the build of the window's present outcome; None when it was not built."""
        closed = self.closed_now(window)
        document = self.documents.get(layout.built(window.pipeline, closed["digest"])) if closed else None
        return None if document is None else dict(document.value)

    def _jobs_running(self) -> bool:
        jobs = f"http://127.0.0.1:{self.addresses.jobs}/v2/projects/{PROJECT}/locations/{REGION}/jobs/dbt/executions"
        executions = httpx.get(jobs, timeout=30).raise_for_status().json()["executions"]
        return any("completionTime" not in execution or not execution["completionTime"] for execution in executions)

    def watermarks(self) -> list[tuple[str, Mapping[str, Any]]]:
        """How far every source is."""
        return [(document.name, document.value) for document in self.documents.under("watermarks/")]

    # the warehouse

    def query(self, statement: str) -> list[Row]:
        """The rows of a statement's result."""
        return query(self.addresses, statement)[1]

    def raw_rows(self) -> list[Row]:
        """Every RAW row, whole."""
        return self.query("select * from raw.public.fact_incidents")

    def ledger_rows(self, part: PartName) -> int:
        """How often the ledger has a landing object."""
        statement = f"select count(*) from raw.public.fact_incidents__ledger where object_name = '{part.object_name}'"
        return int(self.query(statement)[0][0])

    def raw_keys_twice(self) -> int:
        """How many keys of RAW have more than one row."""
        statement = (
            "select count(*) from (select 1 from raw.public.fact_incidents group by workspace, incident_id "
            "having count(*) > 1)"
        )
        return int(self.query(statement)[0][0])

    # messages

    def notification(self, part: PartName) -> tuple[dict[str, str], bytes]:
        """Attributes and data of Cloud Storage's notification that the part was finalised."""
        stored = self.landing.stat(part.object_name)
        assert stored is not None
        attributes = {
            "eventType": "OBJECT_FINALIZE",
            "payloadFormat": "JSON_API_V1",
            "bucketId": self.landing.name,
            "objectId": stored.name,
            "objectGeneration": str(stored.generation),
        }
        resource = {
            "kind": "storage#object",
            "bucket": self.landing.name,
            "name": stored.name,
            "generation": str(stored.generation),
            "crc32c": stored.crc32c,
            "metadata": dict(stored.metadata),
        }
        return attributes, json.dumps(resource).encode()

    def push(self, function: str, topic: str, attributes: Mapping[str, str], data: bytes) -> httpx.Response:
        """Deliver a message as a push subscription does; the function's answer."""
        port = {"extract": self.addresses.extract, "load": self.addresses.load, "sweep": self.addresses.sweep}[function]
        message = {
            "data": base64.b64encode(data).decode(),
            "attributes": dict(attributes),
            "messageId": new_token(),
            "publishTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        body = {"message": message, "subscription": f"projects/{PROJECT}/subscriptions/{topic}"}
        return httpx.post(f"http://127.0.0.1:{port}/projects/{PROJECT}/topics/{topic}", json=body, timeout=120)

    def dead_letters(self, topic: str) -> list[dict[str, str]]:
        """Attributes of the messages that wait in a topic's dead letter subscription; they stay there."""
        with emulators(self.addresses):
            subscriber = pubsub_v1.SubscriberClient()
        with subscriber:
            path = subscriber.subscription_path(PROJECT, f"{topic}-dead")
            answer = subscriber.pull(subscription=path, max_messages=100, return_immediately=True, timeout=30)
            ids = [received.ack_id for received in answer.received_messages]
            if ids:
                subscriber.modify_ack_deadline(subscription=path, ack_ids=ids, ack_deadline_seconds=0)
            return [dict(received.message.attributes) for received in answer.received_messages]

    # faults

    def source_faults(self, *rules: Mapping[str, Any]) -> None:
        """Replace the faults of the double of incident.io."""
        url = f"http://127.0.0.1:{self.addresses.sources}/_double/faults"
        httpx.put(url, json=list(rules), timeout=30).raise_for_status()

    def storage_faults(self, *rules: Mapping[str, Any]) -> None:
        """Replace the faults of Cloud Storage's emulator."""
        url = f"http://127.0.0.1:{self.addresses.gcs}/_emulator/faults"
        httpx.put(url, json=list(rules), timeout=30).raise_for_status()

    def lose_notification(self, of: PartName) -> None:
        """Let Cloud Storage tell nobody when this part is uploaded."""
        rule = {
            "action": "drop_notification",
            "method": "POST",
            "path_contains": "/upload/",
            "name_contains": of.folder,
        }
        self.storage_faults(rule)

    def list_requests(self, workspace: str) -> int:
        """How many pages of incidents the double was asked for."""
        stats = httpx.get(f"http://127.0.0.1:{self.addresses.sources}/_double/stats", timeout=30).json()
        return int(stats["incident_io"]["requests"].get(workspace, {}).get("/v2/incidents", 0))

    def freeze(self, process: str) -> None:
        """Stop a process where it is, with its connections open; it goes on with `revive`, or is killed."""
        os.killpg(self.supervisor.supervisor.pid(process), signal.SIGSTOP)

    def revive(self, process: str) -> None:
        """Let a frozen process go on, start one that was killed."""
        if self.supervisor.supervisor.is_running(process):
            os.killpg(self.supervisor.supervisor.pid(process), signal.SIGCONT)
        else:
            self.supervisor.start(process)

    # what a person looks at

    def status(self) -> dict[str, Any]:
        """What `make status ARGS=--json` shows, read in this process."""
        return status(StatusPorts(registry(), self.documents, self.quarantine), datetime.now(UTC), windows=200)

    def window_status(self, window: Window) -> dict[str, Any]:
        """The window as status shows it."""
        found: list[dict[str, Any]] = [
            w for w in self.status()["pipelines"][PIPELINE]["windows"] if w["id"] == window.id
        ]
        assert found, f"status does not show window {window.id}"
        return found[0]

    def command(self, *arguments: str) -> str:
        """Standard output of `python -m local`; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "local", "--folder", str(self.folders.root), *arguments],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def events(self, process: str, event: str | None = None, **fields: object) -> list[Event]:
        """The process's log lines of that event with these fields, oldest first."""
        found: list[Event] = []
        for line in (self.folders.logs / f"{process}.log").read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict) and event in (None, value.get("event")):
                    found.append(value)
        return [value for value in found if all(value.get(name) == wanted for name, wanted in fields.items())]

    def logged(self, process: str, event: str, **fields: object) -> list[Event]:
        """The same, once there is at least one."""
        self.wait(f"{event} of {process} with {fields}", lambda: self.events(process, event, **fields))
        return self.events(process, event, **fields)

    def wait(self, what: str, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        wait_for(what, lambda: bool(condition()), WINDOW_SECONDS)

    def _count(self, process: str, event: str) -> int:
        return len(self.events(process, event))


def part(source: str, window: Window, *, revision: int = 0, number: int = 0) -> PartName:
    """A part's name."""
    return PartName(source, window.id, revision, number)


def window(start: datetime, end: datetime) -> Window:
    """A window of the incidents' pipeline."""
    return Window(PIPELINE, start, end)


@contextlib.contextmanager
def running(
    folder: Path,
    archive: bytes,
    clock: datetime,
    *,
    environment: Mapping[str, str] | None = None,
    max_delivery_attempts: int = 20,
) -> Iterator[Running]:
    """Start a stack that shows the archive's lines as of the clock; stopped on the way out."""
    folders = Folders(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folders.archive.write_bytes(archive)
    addresses = Addresses(os.getpid(), *free_ports(*[0] * (len(fields(Addresses)) - 1)))
    extra = {"OPP_SWEEP_GRACE_SECONDS": "1", **(environment or {})}
    commands = processes(folders, addresses, clock=clock, extra_environment=extra)
    with SupervisorThread(Supervisor(commands, folders.logs)) as supervisor:
        provision(folders, addresses, max_delivery_attempts=max_delivery_attempts)
        with emulators(addresses):
            client = storage.Client(project=PROJECT, credentials=AnonymousCredentials())
            publisher = PubSubPublisher(PROJECT)
        bucket = {purpose: GcsBucket(client, name) for purpose, name in BUCKETS.items()}
        yield Running(
            folders, addresses, supervisor, Documents(bucket["state"], new_token), bucket["landing"],
            bucket["quarantine"], bucket["artifacts"], publisher, clock,
        )  # fmt: skip


def canary_secrets(token: str) -> dict[str, str]:
    """A key for every secret of the registry that contains `token`, so that a leak of one is found by a search."""
    return {name: f"{token}-{number}" for number, name in enumerate(sorted(local_secrets()))}


def lines(archived: Sequence[Mapping[str, Any]]) -> bytes:
    """Incidents as an archive."""
    return b"".join(json.dumps(incident).encode() + b"\n" for incident in archived)
