"""Joins ports to adapters, once a process, at the first message: importing an entry point opens nothing.

What several entry points need is here, its clients imported where they are made: not all of them need all of it. What
only one needs is in the module of its name.
"""

from __future__ import annotations

import os
import uuid
from functools import cache
from typing import TYPE_CHECKING

from shared.adapters.clock import SystemClock
from shared.adapters.secrets import EnvironmentSecrets, ManagedSecrets
from shared.ports import Bucket, Secrets
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.adapters.gcs import GcsBucket
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
    from shared.adapters.gcs import GcsBucket, storage_client

    return GcsBucket(storage_client(settings().project), name)


@cache
def documents() -> Documents:
    """The state bucket."""
    from shared.state.documents import Documents

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
    from shared.adapters.cloud_run import CloudRunJobs
    from shared.windows.closing import ClosingPorts

    chosen = settings()
    jobs = CloudRunJobs(chosen.project, chosen.region, chosen.run_api)
    return ClosingPorts(documents(), SystemClock(), jobs, chosen.dbt_job, bucket(chosen.spool_bucket))


@cache
def quarantine_bucket() -> Bucket:
    """Where what cannot be loaded is kept."""
    return bucket(settings().quarantine_bucket)
