"""A copy of the dbt project that tests may change, and dbt run on it as a person would run it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.adapters.dbt_parse import kept_parse
from shared.contracts import CONTRACTS
from shared.registry import Registry
from shared.transform.dbt_inputs import SOURCES_FILE, dbt_vars, sources_yaml
from tests.support.dbt import Done, dbt, dbt_as_a_job

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "dbt"
PARTS = ("analyses", "macros", "models", "seeds", "snapshots", "tests", "dbt_project.yml", "profiles.yml")
"""What makes the dbt project; the folder also holds the job that runs it."""

_PARSES: dict[str, bytes] = {}
"""dbt's notes of its last parse, by the vars. Parsing everything is half of a small build; with the notes of another
folder dbt parses what differs from it, as it does after an edit, and everything if the notes are not good for that. The
first of a process begin with the checkout's own, which its jobs leave there."""


@dataclass(frozen=True, slots=True)
class DbtProject:
    """A project folder with its vars. `port` is the stand-in's, or 0 where no warehouse is needed."""

    folder: Path
    variables: Mapping[str, Any]
    port: int = 0

    def run(self, *arguments: str, succeeds: bool = True, environment: Mapping[str, str] | None = None) -> Done:
        """Run dbt with the project's vars; its outcome is asserted unless `succeeds` is False."""
        given = json.dumps(self.variables)
        target = self.folder / "target"
        notes = target / "partial_parse.msgpack"
        if given in _PARSES:
            target.mkdir(exist_ok=True)
            notes.write_bytes(_PARSES[given])
        options = [
            *("--project-dir", str(self.folder), "--profiles-dir", str(self.folder), "--target", "local"),
            *("--target-path", str(target), "--vars", given),
        ]
        connection = {"SNOWFLAKE_PORT": str(self.port or 1), "SNOWFLAKE_HOST": "127.0.0.1", **(environment or {})}
        if arguments[0] == "parse":
            done = dbt([*arguments, *options], connection)
        else:
            done = dbt_as_a_job(arguments, options, connection, target, kept_parse(PROJECT, "local"))
        if notes.exists():
            _PARSES[given] = notes.read_bytes()
        if succeeds:
            assert done.succeeded, done.told
        return done

    def manifest(self) -> dict[str, Any]:
        """The manifest of the last run."""
        manifest: dict[str, Any] = json.loads((self.folder / "target" / "manifest.json").read_text())
        return manifest

    def statuses(self) -> dict[str, str]:
        """What became of each node of the last run, by the node's name."""
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        return {result["unique_id"].split(".")[2]: str(result["status"]) for result in results}

    def compiled(self, path: str) -> str:
        """The compiled SQL of a file of the project, as of the last run."""
        return (self.folder / "target" / "compiled" / "operational_performance" / path).read_text()


def copy_project(folder: Path, known: Registry, port: int = 0) -> DbtProject:
    """The project copied into `folder` with the sources and vars of that registry."""
    for part in PARTS:
        if (PROJECT / part).is_dir():
            shutil.copytree(PROJECT / part, folder / part)
        else:
            shutil.copy(PROJECT / part, folder / part)
    sources = folder / SOURCES_FILE
    sources.parent.mkdir(parents=True, exist_ok=True)
    sources.write_text(sources_yaml(known, CONTRACTS))
    return DbtProject(folder, dbt_vars(known), port)


def models(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The models of a manifest."""
    return (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
