"""A parse that was made elsewhere serves a job, whatever it connects to."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.adapters.dbt_parse import keep_parse, kept_parse, parse
from shared.registry import registry
from tests.dbt.project import PROJECT, DbtProject, copy_project


def _parsed(project: DbtProject, target_path: Path, begin_from: Path) -> tuple[bool, set[str]]:
    told: list[str] = []
    arguments = [
        *("--quiet", "--log-level", "debug", "--log-level-file", "none", "--no-write-json", "parse"),
        *("--project-dir", str(project.folder), "--profiles-dir", str(project.folder), "--target", "local"),
        *("--target-path", str(target_path), "--vars", json.dumps(project.variables)),
    ]
    result = parse(arguments, target_path, begin_from, [lambda event: told.append(event.info.name)])
    return result.success, set(told)


def test_a_kept_parse_serves_another_folder_connection_and_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, again = (copy_project(tmp_path / name, registry()) for name in ("project", "again"))
    kept = kept_parse(tmp_path, "local")
    monkeypatch.setenv("SNOWFLAKE_PORT", "8084")
    monkeypatch.setenv("DBT_AS_OF", "2026-11-20T07:00:00Z")
    _parsed(project, tmp_path / "first", kept_parse(PROJECT, "local"))
    keep_parse(tmp_path / "first", kept)

    monkeypatch.setenv("SNOWFLAKE_PORT", "9094")
    monkeypatch.setenv("SNOWFLAKE_USER", "somebody")
    monkeypatch.setenv("DBT_AS_OF", "2026-11-20T08:00:00Z")
    succeeded, told = _parsed(again, tmp_path / "second", kept)
    assert succeeded
    assert "PartialParsingSkipParsing" in told, "everything was parsed anew"


def test_a_kept_parse_of_something_else_does_no_harm(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", registry())
    kept = tmp_path / "kept"
    kept.write_bytes(b"no notes of dbt's")
    succeeded, _ = _parsed(project, tmp_path / "target", kept)
    assert succeeded


def test_keeping_is_no_condition(tmp_path: Path) -> None:
    """The image's folder cannot be written to."""
    keep_parse(tmp_path, tmp_path / "absent" / "deeper" / "kept")
    assert not (tmp_path / "absent").exists()


AT_RUN_TIME: Mapping[str, str] = {"use_run_warehouse.sql": "warehouse", "generate_schema_name.sql": "user"}
"""What macros may read of a connection: while a model runs, or for a target that no job has."""


def test_no_model_reads_what_a_parse_does_not_know() -> None:
    found = {
        (path.name, name)
        for path in PROJECT.rglob("*.sql")
        if not {"target", "dbt_packages"} & set(path.relative_to(PROJECT).parts)
        for name in re.findall(
            r"\btarget\.(account|user|role|warehouse|host|port|private_key_path)\b", path.read_text()
        )
    }
    assert found <= set(AT_RUN_TIME.items())
