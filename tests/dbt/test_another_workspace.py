"""A workspace more is one block of the registry and one staging model; nothing else changes."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from shared.registry import Registry, read_registry
from shared.registry.load import REGISTRY_FOLDER
from tests.dbt.project import DbtProject, copy_project

NAMES = ("companya", "companyb", "companyc", "companyd", "companye")
LOOPS = ("instants_agree_with_raw", "incidents_of_raw_are_in_the_mart")
FOURTH = """
    slug: inc-companyd
    secret: incident-io-companyd
    settings:
      workspace: companyd
      identity: companyd
      modes: [standard]
      timestamps: { detected_at: "Someone's noticed it", resolved_at: All clear }
      temperatures: { 9: critical, 5: low }
"""


def _registry(folder: Path, count: int) -> Registry:
    shutil.copytree(REGISTRY_FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "incident_io.yaml"
    document = yaml.safe_load(path.read_text())
    blocks = document["sources"]
    for name in NAMES[count:]:
        blocks.pop(f"incident_io_{name}_incidents", None)
    for name in NAMES[3:count]:
        block = yaml.safe_load(FOURTH.replace("companyd", name))
        blocks[f"incident_io_{name}_incidents"] = block
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return read_registry(folder)


def _project(tmp_path: Path, count: int) -> DbtProject:
    project = copy_project(tmp_path / "dbt", _registry(tmp_path / "registry", count))
    staging = project.folder / "models" / "staging" / "incident_io"
    for name in NAMES[count:3]:
        for ending in ("sql", "yml"):
            (staging / f"stg_incident_io__{name}__incidents.{ending}").unlink()
    for name in NAMES[3:count]:
        sql = (staging / "stg_incident_io__companyb__incidents.sql").read_text()
        (staging / f"stg_incident_io__{name}__incidents.sql").write_text(sql.replace("companyb", name))
    return project


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_every_loop_follows_the_registry(tmp_path: Path, count: int) -> None:
    project = _project(tmp_path, count)
    # marts ask the warehouse whether they exist, so what stays offline is chosen
    project.run("compile", "--no-populate-cache", "--no-introspect", "--select", "staging", "intermediate", *LOOPS)

    union = project.compiled("models/intermediate/int_ops__incidents_unioned.sql")
    read = re.findall(r"from \S+\.(stg_\w+)", union)
    assert read == [f"stg_incident_io__{name}__incidents" for name in NAMES[:count]]
    assert len(re.findall(r"\bunion all\b", union)) == count - 1
    for test in LOOPS:
        compiled = project.compiled(f"tests/{test}.sql")
        assert len(re.findall(r"\bunion all\b", compiled)) == count - 1, test
    if count > 3:
        assert "when 9 then 'critical'" in union
        staged = project.compiled("models/staging/incident_io/stg_incident_io__companyd__incidents.sql")
        assert "where workspace = 'companyd'" in staged
        assert "workspace_timestamps['Someone''s noticed it']" in staged
        assert re.search(r"cast\(null as timestamp_ntz\)\s+as fixed_at", staged)


def test_a_workspace_that_the_registry_lacks_stops_dbt(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "dbt", _registry(tmp_path / "registry", 3))
    path = project.folder / "models" / "staging" / "incident_io" / "stg_incident_io__companyb__incidents.sql"
    path.write_text(path.read_text().replace("incident_io_columns('companyb')", "incident_io_columns('elsewhere')"))
    done = project.run("parse", succeeds=False)
    assert done.returncode != 0
    assert "no incident.io workspace named 'elsewhere'" in done.stdout
