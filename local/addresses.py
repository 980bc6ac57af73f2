"""Where a running stack can be reached: one small file that every local command reads."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.registry import registry

PROJECT, REGION = "opp-local", "local"
BUCKETS = {purpose: f"opp-local-{purpose}" for purpose in ("landing", "state", "spool", "quarantine", "artifacts")}
"""The buckets by purpose, as in production."""

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Folders:
    """What a stack keeps on disk, below one root."""

    root: Path

    @property
    def gcs(self) -> Path:
        """Data of the Cloud Storage emulator; `buckets/<bucket>/<object>` holds the content by name."""
        return self.root / "gcs"

    @property
    def pubsub(self) -> Path:
        """The Pub/Sub emulator's database."""
        return self.root / "pubsub.sqlite"

    @property
    def warehouse(self) -> Path:
        """The warehouse's DuckDB files."""
        return self.root / "warehouse"

    @property
    def dbt_target(self) -> Path:
        """dbt's target folder."""
        return self.root / "dbt-target"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.root / "logs"

    @property
    def archive(self) -> Path:
        """The incidents that the double of incident.io shows."""
        return self.root / "incidents.jsonl"

    @property
    def addresses(self) -> Path:
        """The file of Addresses."""
        return self.root / "stack.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Ports on 127.0.0.1, and the supervisor's process."""

    supervisor_pid: int
    gcs: int
    pubsub: int
    warehouse: int
    sources: int
    jobs: int
    extract: int
    load: int
    sweep: int
    webhook: int

    def environment(self, folders: Folders) -> dict[str, str]:
        """What the platform's own processes are told, as Terraform tells them in the cloud."""
        return {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{self.gcs}",
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{self.pubsub}",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "OPP_PROJECT": PROJECT,
            "OPP_REGION": REGION,
            **{f"OPP_{p.upper()}_BUCKET": BUCKETS[p] for p in BUCKETS},
            "OPP_SECRETS": "environment",
            "OPP_RUN_API": f"http://127.0.0.1:{self.jobs}",
            **self._base_urls(),
            "OPP_LEASE_SECONDS": "15",
            "OPP_SWEEP_GRACE_SECONDS": "20",
            "OPP_SNOWFLAKE_ACCOUNT": "local",
            "OPP_SNOWFLAKE_USER": "loader",
            "OPP_SNOWFLAKE_ROLE": "LOADER",
            "OPP_SNOWFLAKE_WAREHOUSE": "ETL_SMALL",
            "OPP_SNOWFLAKE_HOST": "127.0.0.1",
            "OPP_SNOWFLAKE_PORT": str(self.warehouse),
            "OPP_DBT_TARGET_PATH": str(folders.dbt_target),
            "PYTHONPATH": str(REPOSITORY),
            "THREADS": "8",
        }

    def _base_urls(self) -> dict[str, str]:
        """Every family's double in the one server, and the token endpoint of those that have one elsewhere."""
        urls: dict[str, str] = {}
        for source in registry().sources.values():
            prefix = f"http://127.0.0.1:{self.sources}/{source.family}"
            urls[f"OPP_BASE_URL_{source.family.upper()}"] = prefix
            if source.auth.token_url is not None:
                urls[f"OPP_BASE_URL_{source.family.upper()}_AUTH"] = f"{prefix}{source.auth.token_url.path}"
        return urls


def write_addresses(folders: Folders, addresses: Addresses) -> None:
    """Tell other commands where the stack is."""
    folders.addresses.write_text(json.dumps(asdict(addresses), indent=2) + "\n")


def read_addresses(folders: Folders) -> Addresses | None:
    """Where the running stack is; None when none runs."""
    try:
        addresses = Addresses(**json.loads(folders.addresses.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return addresses if _alive(addresses.supervisor_pid) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
