"""Joins ports to adapters, once a process, at the first message: importing an entry point opens nothing.

What every entry point needs is here; what only one needs (and its heavy clients) is in the module of its name.
"""

import os
import uuid
from functools import cache

from shared.adapters.clock import SystemClock
from shared.adapters.cloud_run import CloudRunJobs
from shared.adapters.gcs import GcsBucket, storage_client
from shared.adapters.secrets import EnvironmentSecrets, ManagedSecrets
from shared.ports import Bucket, Secrets
from shared.settings import Settings
from shared.state.documents import Documents
from shared.windows.closing import ClosingPorts


def new_token() -> str:
    """A random id: of a run, or of a write's owner."""
    return uuid.uuid4().hex


@cache
def settings() -> Settings:
    """The process's settings."""
    return Settings.from_env(os.environ)


@cache
def bucket(name: str) -> GcsBucket:
    """A bucket of the process's project."""
    return GcsBucket(storage_client(settings().project), name)


@cache
def documents() -> Documents:
    """The state bucket."""
    return Documents(bucket(settings().state_bucket), new_token)


@cache
def secrets() -> Secrets:
    """Secret Manager, or the environment on a developer's machine."""
    if settings().secrets == "environment":
        return EnvironmentSecrets()
    return ManagedSecrets(settings().project, SystemClock())


@cache
def closing_ports() -> ClosingPorts:
    """What closing windows needs."""
    chosen = settings()
    jobs = CloudRunJobs(chosen.project, chosen.region, chosen.run_api)
    return ClosingPorts(documents(), SystemClock(), jobs, chosen.dbt_job, bucket(chosen.spool_bucket))


@cache
def quarantine_bucket() -> Bucket:
    """Where what cannot be loaded is kept."""
    return bucket(settings().quarantine_bucket)
