"""dbt's own unit tests, of all models: here alone, so that no story's builds run them again.

They read the types of their models' inputs from the warehouse, so everything is built first, over RAW tables that hold
nothing yet: as on the day of the installation.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.registry import registry
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.raw import create_tables
from tests.local.snowflake_fixtures import local_warehouse

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtProject]:
    """The whole project on a stand-in of its own, without its data tests: each story runs those of its pipelines."""
    with local_warehouse(Path(tmp_path_factory.mktemp("unit_warehouse"))) as server:
        with server.connect(database="RAW", schema="PUBLIC") as connection, connection.cursor() as cursor:
            create_tables(cursor)
        project = copy_project(tmp_path_factory.mktemp("unit_project"), registry(), server.port)
        project.run("build", "--exclude-resource-type", "test", succeeds=False)
        yield project


def test_every_unit_test_passes(built: DbtProject) -> None:
    results = json.loads((built.folder / "target" / "run_results.json").read_text())["results"]
    ran = {result["unique_id"]: result["status"] for result in results if result["unique_id"].startswith("unit_test.")}
    assert ran == dict.fromkeys(built.manifest()["unit_tests"], "pass")
    assert ran


def test_everything_is_built_before_the_first_row(built: DbtProject) -> None:
    assert set(built.statuses().values()) <= {"pass", "success", "no-op"}, built.statuses()
