"""What the job tells its dbt process, and what that tells back: two small JSON files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.transform.gate import Freshness
from shared.transform.run import BuildReport


@dataclass(frozen=True, slots=True)
class DbtPlan:
    """What one dbt process does: freshness of `sources`, then build of `select` unless all of them are stale."""

    project: str
    target_path: str
    target: str
    variables: dict[str, Any]
    sources: tuple[str, ...]
    select: tuple[str, ...]
    full_refresh: bool
    report: str

    def write(self, path: Path) -> None:
        """Write the plan."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "DbtPlan":
        """Read a plan."""
        value = json.loads(path.read_text())
        return cls(**{**value, "sources": tuple(value["sources"]), "select": tuple(value["select"])})


def write_report(path: Path, report: BuildReport) -> None:
    """Write what came of a plan."""
    path.write_text(json.dumps(asdict(report)))


def read_report(path: Path) -> BuildReport | None:
    """What came of a plan; None when the process ended before it could tell."""
    if not path.exists():
        return None
    value = json.loads(path.read_text())
    fresh = {name: tuple(names) for name, names in value["freshness"].items()}
    return BuildReport(**{**value, "freshness": Freshness(**fresh), "failures": tuple(value["failures"])})
