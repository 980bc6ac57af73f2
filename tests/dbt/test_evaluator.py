"""The evaluator's project without the evaluator: its rules come from dbt's hub, which tests do not reach."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from shared.registry import registry
from shared.transform.slim import evaluation
from tests.dbt.project import PROJECT, ROOT, copy_project
from tests.support.dbt import dbt

EVALUATOR = PROJECT / "evaluator"


def test_packages_are_pinned_and_the_project_is_one_of_them() -> None:
    """No lock is kept, so a range would be another package one day."""
    packages = yaml.safe_load((EVALUATOR / "packages.yml").read_text())["packages"]
    assert [package["local"] for package in packages if "local" in package] == ["../"]
    versions = {package["package"]: package["version"] for package in packages if "package" in package}
    assert "dbt-labs/dbt_project_evaluator" in versions
    assert all(isinstance(version, str) and version.replace(".", "").isdigit() for version in versions.values())


def test_the_project_is_a_package_of_the_evaluators(tmp_path: Path) -> None:
    """Its models are in the graph that the rules ask, under the profile and vars of the project."""
    project = copy_project(tmp_path / "dbt", registry())
    evaluator = project.folder / "evaluator"
    evaluator.mkdir()
    content = yaml.safe_load((EVALUATOR / "dbt_project.yml").read_text())
    # what only the hub's package has
    del content["on-run-end"], content["dispatch"]
    (evaluator / "dbt_project.yml").write_text(yaml.safe_dump(content))
    (evaluator / "packages.yml").write_text(yaml.safe_dump({"packages": [{"local": "../"}]}))
    environment = {"SNOWFLAKE_PORT": "1", "DBT_SCHEMA": "CI_E"}
    folders = ["--project-dir", str(evaluator), "--profiles-dir", str(project.folder)]
    installed = dbt(["deps", *folders], environment)
    assert installed.succeeded, installed.told
    _, *common = evaluation(evaluator, project.folder, "local_ci", project.variables)
    parsed = dbt(["parse", *common[: common.index("--select")]], environment)
    assert parsed.succeeded, parsed.told
    manifest = json.loads((evaluator / "target" / "manifest.json").read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert {node["package_name"] for node in models} == {"operational_performance"}
    assert len(models) > 20
    assert all(node["schema"].lower().startswith("ci_e_") for node in models), (
        "a rule's schema would be dropped, not these"
    )


def test_without_the_hub_it_says_so_and_fails(tmp_path: Path) -> None:
    """As where only the package registries can be reached."""
    shutil.copytree(EVALUATOR, tmp_path / "dbt" / "evaluator", ignore=shutil.ignore_patterns("dbt_packages", "target"))
    for name in ("dbt_project.yml", "profiles.yml", "evaluate.py"):
        shutil.copy(PROJECT / name, tmp_path / "dbt" / name)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "dbt" / "evaluate.py"), "--target", "local_ci"],
        # nothing listens on port 1
        env={**os.environ, "PYTHONPATH": str(ROOT), "DBT_PACKAGE_HUB_URL": "http://127.0.0.1:1/"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout
    assert "package hub" in done.stderr
    assert "test_conventions.py" in done.stderr
