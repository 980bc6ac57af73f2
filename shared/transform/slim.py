"""Slim CI: what dbt is asked so that a change is built beside production, and everything else read from there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.ports import Bucket

STATE_MANIFEST = "state/manifest.json"
"""The manifest of the last build that succeeded, in the artifacts bucket."""


def fetch_state(artifacts: Bucket, folder: Path) -> bool:
    """Put production's manifest into `folder`; False when nothing was ever built."""
    found = artifacts.read(STATE_MANIFEST)
    if found is None:
        return False
    (folder / "manifest.json").write_bytes(found[0])
    return True


def slim_build(project: Path, target: str, variables: Mapping[str, Any], state: Path | None) -> list[str]:
    """Arguments of dbt that build what differs from `state`, and what depends on it; everything when there is none."""
    command = ["build", *_common(project, target, variables)]
    if state is None:
        return command
    return [*command, "--select", "state:modified+", "--defer", "--favor-state", "--state", str(state)]


def evaluation(evaluator: Path, profiles: Path, target: str, variables: Mapping[str, Any]) -> list[str]:
    """Arguments of dbt that build the evaluator's rules over the project's graph, and none of the project's models."""
    command = ["build", *_common(evaluator, target, variables, profiles)]
    return [*command, "--select", "package:dbt_project_evaluator"]


def drop_schemas(project: Path, target: str, variables: Mapping[str, Any], profiles: Path | None = None) -> list[str]:
    """Arguments of dbt that drop the schemas which the build wrote to."""
    return ["run-operation", "operational_performance.drop_own_schemas", *_common(project, target, variables, profiles)]


def _common(project: Path, target: str, variables: Mapping[str, Any], profiles: Path | None = None) -> list[str]:
    return [
        *("--project-dir", str(project), "--profiles-dir", str(profiles or project), "--target", target),
        *("--vars", json.dumps(dict(variables))),
    ]
