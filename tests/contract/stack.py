"""The emulators that stand for Google Cloud and Snowflake, started together, and the adapters that talk to them."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import snowflake.connector
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1, storage

from local.supervisor import Process, Supervisor, SupervisorThread, free_ports
from shared.adapters.gcs import GcsBucket
from shared.adapters.snowflake import Limits, SnowflakeAccess, SnowflakeWarehouse

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
PROJECT, REGION = "opp-contract", "europe-west1"
LANDING = "contract-landing"
JOBS = {"dbt": [sys.executable, "-c", "print('built')"]}

SHORT = Limits(lock=1, statement=20, network=3, login=3)
"""Limits that let a test see the end of the warehouse's patience."""

AMPLE = Limits(lock=60, statement=60, network=60, login=20)
"""Limits that a busy machine does not reach."""

_numbers = itertools.count()


def eventually(probe: Callable[[], T], seconds: float = 20.0) -> T:
    """The first true answer of `probe`; fails the test when none comes in time."""
    end = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < end, f"still {answer!r} after {seconds} s"
        time.sleep(0.02)
    return answer


@dataclass(frozen=True)
class Stack:
    """Running emulators; the processes are "pubsub", "gcs", "snowflake" and "run_jobs"."""

    thread: SupervisorThread
    gcs_url: str
    pubsub_host: str
    snowflake_port: int
    jobs_url: str
    directory: Path
    _made: list[str] = field(default_factory=list)
    _sessions: list[snowflake.connector.SnowflakeConnection] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the Google clients find the emulators."""
        return {"STORAGE_EMULATOR_HOST": self.gcs_url, "PUBSUB_EMULATOR_HOST": self.pubsub_host}

    @contextlib.contextmanager
    def in_environment(self) -> Iterator[None]:
        """The Google clients read the variables when they are made."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield

    def storage(self) -> storage.Client:
        """An unmodified client of Cloud Storage."""
        return storage_client_at(self.gcs_url)

    def new_bucket(self, prefix: str = "bucket") -> str:
        """The name of a new bucket of the test's own."""
        name = f"{prefix}-{next(_numbers)}"
        self.storage().create_bucket(name)
        return name

    def bucket(self, name: str, *, retry_seconds: float = 20.0) -> GcsBucket:
        """The adapter under test."""
        return GcsBucket(self.storage(), name, retry_seconds=retry_seconds)

    def storage_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the faults of the storage emulator."""
        httpx.put(f"{self.gcs_url}/_emulator/faults", json=list(rules)).raise_for_status()

    def job_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the faults of the jobs emulator."""
        httpx.put(f"{self.jobs_url}/_emulator/faults", json=list(rules)).raise_for_status()

    def executions(self, job: str) -> int:
        """How often the job was started."""
        url = f"{self.jobs_url}/v2/projects/{PROJECT}/locations/{REGION}/jobs/{job}/executions"
        return len(httpx.get(url).raise_for_status().json()["executions"])

    def new_topic(self, prefix: str = "topic") -> tuple[str, str]:
        """A new topic's id, and the path of a subscription to it."""
        topic = f"{prefix}-{next(_numbers)}"
        with self.in_environment():
            publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
        path = subscriber.subscription_path(PROJECT, topic)
        with subscriber:
            publisher.create_topic(name=publisher.topic_path(PROJECT, topic))
            subscriber.create_subscription(name=path, topic=publisher.topic_path(PROJECT, topic))
        publisher.transport.close()
        return topic, path

    def pulled(self, subscription: str, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Attributes and data of `count` messages, once they are there."""
        taken: list[tuple[dict[str, str], bytes]] = []
        with self.in_environment():
            subscriber = pubsub_v1.SubscriberClient()

        def pull() -> bool:
            answer = subscriber.pull(subscription=subscription, max_messages=100, timeout=10)
            messages = [received.message for received in answer.received_messages]
            taken.extend((dict(message.attributes), bytes(message.data)) for message in messages)
            if answer.received_messages:
                ids = [received.ack_id for received in answer.received_messages]
                subscriber.acknowledge(subscription=subscription, ack_ids=ids)
            return len(taken) >= count

        with subscriber:
            eventually(pull)
        return taken

    def connect_options(self) -> dict[str, Any]:
        """Options of the Snowflake connector."""
        return {
            "account": "local",
            "user": "loader",
            "password": "local",
            "host": "127.0.0.1",
            "port": self.snowflake_port,
            "protocol": "http",
            "warehouse": "LOAD_WH",
            "role": "LOADER",
        }

    def sql(self, statement: str, values: Any = None) -> list[dict[str, Any]]:
        """Rows of a statement, in a session that only looks."""
        if not self._sessions:
            parameters = {"TIMEZONE": "UTC"}
            self._sessions.append(
                snowflake.connector.connect(**self.connect_options(), session_parameters=parameters, network_timeout=20)
            )
        with self._sessions[0].cursor(snowflake.connector.DictCursor) as cursor:
            cursor.execute(statement, values)
            return [dict(row) for row in cursor.fetchall()]

    def kill_warehouse(self) -> None:
        """End the warehouse as a crash would."""
        self._sessions.clear()
        self.thread.kill("snowflake")

    def start_warehouse(self) -> None:
        """Start the warehouse again over its files."""
        self.thread.start("snowflake")

    def new_schema(self) -> str:
        """The name of a new schema in RAW with a stage over the landing bucket."""
        schema = f"CONTRACT_{next(_numbers)}"
        if not self._made:
            self.sql("CREATE DATABASE IF NOT EXISTS RAW")
            self.storage().create_bucket(LANDING)
            self._made.append(LANDING)
        self.sql(f"CREATE SCHEMA RAW.{schema}")
        self.sql(f"CREATE STAGE RAW.{schema}.LANDING URL = 'gcs://{LANDING}/landing/' STORAGE_INTEGRATION = GCS")
        return schema

    def warehouse(self, schema: str, *, limits: Limits = AMPLE, stage: str = "LANDING") -> SnowflakeWarehouse:
        """The adapter under test, with a session of its own."""
        return SnowflakeWarehouse(SnowflakeAccess("RAW", schema, stage, lambda _: self.connect_options(), limits))


def storage_client_at(url: str) -> storage.Client:
    """An unmodified client of Cloud Storage that takes `url` for the service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", url)
        return storage.Client(project=PROJECT, credentials=AnonymousCredentials())


@contextlib.contextmanager
def running_stack(directory: Path, *landing_buckets: str) -> Iterator[Stack]:
    """Start the emulators over a directory; the warehouse can read the buckets that are named."""
    gcs, pubsub, warehouse, jobs = free_ports(0, 0, 0, 0)
    host = f"127.0.0.1:{pubsub}"
    roots = [
        argument
        for name in landing_buckets
        for argument in ("--stage-root", f"gcs://{name}={directory / 'gcs' / 'buckets' / name}")
    ]
    commands = {
        "pubsub": (pubsub, ["--db", str(directory / "pubsub.sqlite")]),
        "gcs": (gcs, ["--data", str(directory / "gcs"), "--pubsub", host]),
        "snowflake": (warehouse, ["--db-path", str(directory / "warehouse"), *roots]),
        "run_jobs": (
            jobs,
            [
                "--logs",
                str(directory / "executions"),
                *(arg for name, argv in JOBS.items() for arg in ("--job", f"{name}={shlex.join(argv)}")),
            ],
        ),
    }
    processes = [
        Process(name, [sys.executable, "-m", f"local.{name}", "--port", str(port), *arguments], port, cwd=ROOT)
        for name, (port, arguments) in commands.items()
    ]
    with SupervisorThread(Supervisor(processes, directory / "logs")) as thread:
        yield Stack(thread, f"http://127.0.0.1:{gcs}", host, warehouse, f"http://127.0.0.1:{jobs}", directory)
