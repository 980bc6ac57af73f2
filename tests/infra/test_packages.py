"""The deployed entry points, started from the very folders that Terraform packs, by the platform's own conventions.

A clean process in an empty environment: what is not in the archive is not there.
"""

import base64
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from local.supervisor import Process, Supervisor, SupervisorThread, free_ports
from tests.infra.configuration import ROOT, packaged, text_of
from tests.infra.configuration import argument as argument_of
from tests.infra.configuration import block as block_of

PROJECT = "opp-packages"
BUCKETS = {purpose: f"packages-{purpose}" for purpose in ("landing", "state", "spool", "quarantine", "artifacts")}
STARTED_WITHIN = 60.0


@dataclass(frozen=True)
class Storage:
    """The emulator of Cloud Storage."""

    url: str

    def notes(self) -> list[dict[str, Any]]:
        """What is in quarantine."""
        client = storage.Client(
            project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": self.url}
        )
        blobs = client.list_blobs(BUCKETS["quarantine"])
        return [json.loads(blob.download_as_bytes()) for blob in blobs if blob.name.endswith(".json")]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """Cloud Storage with the five buckets."""
    folder = tmp_path_factory.mktemp("packages")
    (port,) = free_ports(0)
    gcs = Process(
        "gcs", [sys.executable, "-m", "local.gcs", "--port", str(port), "--data", str(folder / "gcs")], port, cwd=ROOT
    )
    with SupervisorThread(Supervisor([gcs], folder / "logs")):
        url = f"http://127.0.0.1:{port}"
        client = storage.Client(
            project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
        )
        for name in BUCKETS.values():
            client.create_bucket(name)
        yield Storage(url)


def _unpacked(archive: str, folder: Path) -> Path:
    """The archive made as Terraform makes it, and unpacked as the platform does."""
    file, target = folder / f"{archive}.zip", folder / archive
    with zipfile.ZipFile(file, "w") as packed:
        for name, path in packaged(archive).items():
            packed.writestr(name, path.read_text())
    with zipfile.ZipFile(file) as packed:
        packed.extractall(target)
    return target


def _environment(cloud: Storage) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "STORAGE_EMULATOR_HOST": cloud.url,
        "OPP_PROJECT": PROJECT,
        "OPP_REGION": "europe-west1",
        **{f"OPP_{purpose.upper()}_BUCKET": name for purpose, name in BUCKETS.items()},
        "OPP_SECRETS": "environment",
        "OPP_DBT_JOB": "dbt",
    }


@contextlib.contextmanager
def _served(function: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The functions framework as the platform starts it; every function without a trigger is started as type http."""
    module = block_of(text_of(f"{function}.tf"), f'module "{function}"')
    (port,) = free_ports(0)
    started = {
        **environment,
        "FUNCTION_TARGET": argument_of(module, "entry_point"),
        "FUNCTION_SIGNATURE_TYPE": "http",
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "THREADS": "2",
    }
    log = folder / "log.txt"
    with log.open("wb") as output:
        # the framework's own script: `-m` would put the folder on the path, which the platform does not
        script = Path(sys.executable).with_name("functions-framework")
        process = subprocess.Popen(
            [sys.executable, str(script)], cwd=folder, env=started, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            url, end = f"http://127.0.0.1:{port}", time.monotonic() + STARTED_WITHIN
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(f"{url}/robots.txt", timeout=5)
                    break
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(20)


_ids = itertools.count(1)


def _pushed(
    attributes: dict[str, str], data: dict[str, Any], published: str = "2026-11-20T07:00:00Z"
) -> dict[str, Any]:
    # quarantine keeps one note a message
    number = str(next(_ids))
    message = {
        "attributes": attributes,
        "data": base64.b64encode(json.dumps(data).encode()).decode(),
        "messageId": number,
        "message_id": number,
        "publishTime": published,
        "publish_time": published,
    }
    return {"message": message, "subscription": f"projects/{PROJECT}/subscriptions/s", "deliveryAttempt": 1}


STRANGER: dict[str, Any] = {
    "bucket": BUCKETS["landing"],
    "name": "landing/stranger.parquet",
    "generation": "1",
    "metadata": {},
}

PUSHES = {
    # the registry of the archive is read: it names its sources
    "extract": (_pushed({"source": "nobody"}, {"source": "nobody"}), "incident_io_companya_incidents"),
    "load": (_pushed({"eventType": "OBJECT_FINALIZE", "objectId": STRANGER["name"]}, STRANGER), "stranger.parquet"),
    "sweep": (_pushed({}, {"sweep": "all"}, published="no instant"), "cannot be read"),
}


@pytest.mark.parametrize("function", sorted(PUSHES))
def test_a_packaged_function_answers_a_push(function: str, cloud: Storage, tmp_path: Path) -> None:
    """A message that is none is kept in quarantine with its reason, and acknowledged."""
    body, reason = PUSHES[function]
    folder = _unpacked(function, tmp_path)
    warehouse = {
        f"OPP_SNOWFLAKE_{name}": "unreached" for name in ("ACCOUNT", "USER", "ROLE", "WAREHOUSE") if function == "load"
    }
    with _served(function, folder, {**_environment(cloud), **warehouse}) as url:
        answer = httpx.post(f"{url}/projects/{PROJECT}/topics/{function}", json=body, timeout=60)
    assert answer.status_code in (200, 204), (folder / "log.txt").read_text()
    assert any(reason in note["reason"] for note in cloud.notes())


def test_the_packaged_webhook_knows_its_workspaces_and_refuses_what_is_not_signed(
    cloud: Storage, tmp_path: Path
) -> None:
    """The workspaces are the registry's, which is in the archive."""
    folder = _unpacked("webhook", tmp_path)
    secret = {"OPP_SECRET_INCIDENT_IO_COMPANYA_WEBHOOK": f"whsec_{base64.b64encode(b'k' * 24).decode()}"}
    with _served("webhook", folder, {**_environment(cloud), **secret}) as url:
        statuses = [
            httpx.post(f"{url}/incident-io/{workspace}", json={}, timeout=60).status_code
            for workspace in ("companya", "nobody")
        ]
    assert statuses == [401, 404], (folder / "log.txt").read_text()


def test_an_archive_holds_code_and_registry_and_nothing_else(tmp_path: Path) -> None:
    """No test, no local stack, no cache, no state of a developer's machine."""
    for archive in (*PUSHES, "webhook", "dbt"):
        names = set(packaged(archive))
        assert {"shared/settings.py", "shared/registry/incident_io.yaml", "shared/registry/pipelines.yaml"} <= names
        tops = {name.split("/")[0] for name in names}
        assert tops == ({"shared", "dbt"} if archive == "dbt" else {"shared", "main.py", "requirements.txt"})
        assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".env", ".duckdb"))]
    assert tmp_path.exists()


def test_the_packaged_dbt_job_starts_and_names_what_it_lacks(cloud: Storage, tmp_path: Path) -> None:
    """The image's two steps: dbt's sources are generated, and the entry point runs; without a warehouse it says so."""
    folder = _unpacked("dbt", tmp_path)
    environment = {**_environment(cloud), "PYTHONPATH": str(folder)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    generated = run("-m", "shared.transform.dbt_inputs", "--write", "dbt")
    assert generated.returncode == 0, generated.stderr
    assert list((folder / "dbt" / "models" / "sources").rglob("*.yml"))
    done = run("dbt/job.py")
    assert done.returncode == 2, done.stderr
    assert "OPP_SNOWFLAKE_ACCOUNT is missing" in done.stdout
