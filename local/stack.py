"""The local stack: emulators, the warehouse's stand-in, doubles of the sources, and the real functions."""

import base64
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from local.addresses import BUCKETS, PROJECT, REPOSITORY, Addresses, Folders, write_addresses
from local.sources.ai_tools.amp import CLIENT_ID as AMP_CLIENT
from local.supervisor import Process, free_ports
from shared.adapters.environment import environment
from shared.instants import to_text
from shared.messages import LANDED_TOPIC, SWEEP_TOPIC
from shared.redelivery import dead_topic
from shared.registry import Source, registry
from shared.webhooks.workspaces import read_webhook_secrets

ACK_DEADLINE_SECONDS = 600
MAX_DELIVERY_ATTEMPTS = 20


def local_secrets() -> dict[str, str]:
    """An invented secret for every reference in the registry, as the platform's own processes know it."""
    secrets = {
        _variable(source.secret): f"{AMP_CLIENT}:{_key(source)}"
        if source.auth.kind == "client_credentials"
        else _key(source)
        for source in registry().sources.values()
    }
    for reference in read_webhook_secrets().values():
        secrets[_variable(reference)] = webhook_secret(reference)
    return secrets


def webhook_secret(reference: str) -> str:
    """The invented secret that a workspace's webhooks are signed with here, by its reference."""
    return "whsec_" + base64.b64encode(f"local-key-of-{reference}".encode()).decode()


def double_keys() -> dict[str, str]:
    """The keys inside those secrets, as the doubles know them."""
    return {_variable(source.secret): _key(source) for source in registry().sources.values()}


def _variable(reference: str) -> str:
    return f"OPP_SECRET_{reference.upper().replace('-', '_')}"


def _key(source: Source) -> str:
    return f"local-key-of-{source.secret}"


def plan_addresses() -> Addresses:
    """A free port for every server."""
    gcs, pubsub, warehouse, sources, jobs, extract, load, sweep, webhook = free_ports(
        9023, 8085, 8084, 8090, 8091, 8081, 8082, 8083, 8086
    )
    return Addresses(os.getpid(), gcs, pubsub, warehouse, sources, jobs, extract, load, sweep, webhook)


def processes(
    folders: Folders,
    addresses: Addresses,
    *,
    clock: datetime,
    webhooks: bool = False,
    extra_environment: Mapping[str, str] | None = None,
) -> list[Process]:
    """Every process of the stack.

    The double shows `folders.archive` as of `clock`; with `webhooks` it also sends what changes.
    """
    sends = ["--webhooks", f"http://127.0.0.1:{addresses.webhook}/incident-io"] if webhooks else []
    extra = extra_environment or {}
    environment = {**addresses.environment(folders), **local_secrets(), **extra}
    landing = f"gcs://{BUCKETS['landing']}={folders.gcs / 'buckets' / BUCKETS['landing']}"
    job = f"dbt={sys.executable} {REPOSITORY / 'dbt' / 'job.py'}"
    job_logs = str(folders.logs / "jobs")
    return [
        _module("pubsub", addresses.pubsub, environment, "local.pubsub", "--db", str(folders.pubsub)),
        _module("gcs", addresses.gcs, environment, "local.gcs", "--data", str(folders.gcs)),
        _module(
            "warehouse", addresses.warehouse, environment, "local.snowflake",
            "--db-path", str(folders.warehouse), "--stage-root", landing,
        ),
        _module(
            "sources", addresses.sources, {**environment, **double_keys(), **extra}, "local.sources",
            "--archive", str(folders.archive), "--clock", to_text(clock), *sends,
        ),
        _module("jobs", addresses.jobs, environment, "local.run_jobs", "--logs", job_logs, "--job", job),
        _function("extract", addresses.extract, environment),
        _function("load", addresses.load, environment),
        _function("sweep", addresses.sweep, environment),
        _function("webhook", addresses.webhook, environment, signature_type="http"),
    ]  # fmt: skip


def provision(folders: Folders, addresses: Addresses, *, max_delivery_attempts: int = MAX_DELIVERY_ATTEMPTS) -> None:
    """Create what Terraform creates in the cloud: buckets, topics, subscriptions, notification, databases, stage.

    A message becomes a dead letter after `max_delivery_attempts` (Pub/Sub takes 5 to 100).
    """
    with emulators(addresses):
        _provision_google(addresses, max_delivery_attempts)
    _provision_warehouse(addresses)
    write_addresses(folders, addresses)


@contextlib.contextmanager
def emulators(addresses: Addresses) -> Iterator[None]:
    """Google clients made inside talk to this stack's emulators, whichever the environment names outside."""
    ours = {
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{addresses.gcs}",
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{addresses.pubsub}",
    }
    with environment(ours):
        yield


def _module(name: str, port: int, environment: Mapping[str, str], module: str, *arguments: str) -> Process:
    return Process(name, [sys.executable, "-m", module, "--port", str(port), *arguments], port, environment, REPOSITORY)


def _function(name: str, port: int, environment: Mapping[str, str], *, signature_type: str = "cloudevent") -> Process:
    source = Path("functions", name, "main.py")
    argv = [
        *(sys.executable, "-m", "functions_framework", "--source", str(source), "--target", name),
        *("--signature-type", signature_type, "--host", "127.0.0.1", "--port", str(port)),
    ]
    return Process(name, argv, port, environment, REPOSITORY)


def _provision_google(addresses: Addresses, max_delivery_attempts: int) -> None:
    from google.api_core.exceptions import AlreadyExists, Conflict
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import pubsub_v1, storage
    from google.protobuf.duration_pb2 import Duration
    from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy

    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()

    def topic(name: str) -> str:
        path: str = publisher.topic_path(PROJECT, name)
        with contextlib.suppress(AlreadyExists):
            publisher.create_topic(name=path)
        return path

    def subscription(name: str, **settings: object) -> None:
        request = {"name": subscriber.subscription_path(PROJECT, name), "ack_deadline_seconds": 600, **settings}
        # a new stack has new ports, so an old subscription would push to the wrong address
        try:
            subscriber.create_subscription(request=request)
        except AlreadyExists:
            if "push_config" in settings:
                subscriber.modify_push_config(subscription=request["name"], push_config=settings["push_config"])

    def pushed(topic_name: str, port: int) -> None:
        path, dead = topic(topic_name), topic(dead_topic(topic_name))
        subscription(dead_topic(topic_name), topic=dead)
        subscription(
            topic_name,
            topic=path,
            push_config=PushConfig(push_endpoint=f"http://127.0.0.1:{port}/projects/{PROJECT}/topics/{topic_name}"),
            # a person waits here: a second instead of production's ten
            retry_policy=RetryPolicy(minimum_backoff=Duration(seconds=1), maximum_backoff=Duration(seconds=10)),
            dead_letter_policy=DeadLetterPolicy(dead_letter_topic=dead, max_delivery_attempts=max_delivery_attempts),
        )

    for source in registry().sources.values():
        pushed(source.topic, addresses.extract)
    pushed(LANDED_TOPIC, addresses.load)
    pushed(SWEEP_TOPIC, addresses.sweep)
    client = storage.Client(project=PROJECT, credentials=AnonymousCredentials())
    for name in BUCKETS.values():
        with contextlib.suppress(Conflict):
            client.create_bucket(name)
    landing = client.bucket(BUCKETS["landing"])
    if not list(landing.list_notifications()):
        landing.notification(
            topic_name=LANDED_TOPIC,
            topic_project=PROJECT,
            event_types=["OBJECT_FINALIZE"],
            blob_name_prefix="landing/",
            payload_format="JSON_API_V1",
        ).create()


def _provision_warehouse(addresses: Addresses) -> None:
    from local.warehouse import connect

    with connect(addresses, "RAW") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE IF NOT EXISTS RAW")
        cursor.execute("CREATE DATABASE IF NOT EXISTS ANALYTICS")
        cursor.execute("CREATE SCHEMA IF NOT EXISTS RAW.PUBLIC")
        cursor.execute(f"CREATE STAGE IF NOT EXISTS RAW.PUBLIC.LANDING URL = 'gcs://{BUCKETS['landing']}/landing/'")
