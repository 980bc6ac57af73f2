"""Slim CI on the stand-in: what did not change is read from production, what did is built beside it and dropped again.

The tests of this file tell one story on one warehouse, in order. Production is two marts: the project's own of the
listings, and a child of it that only this project's copy has.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from shared.adapters.memory import MemoryCloud
from shared.registry import registry
from shared.transform.slim import STATE_MANIFEST, drop_schemas, fetch_state, slim_build
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.warehouse import Warehouse
from tests.support.dbt import Done, dbt

pytestmark = pytest.mark.emulated

OWN = "CI_0A1B"
MART, CHILD = "fct_market__listings", "fct_market__leaders"
CHILD_SQL = f"""
{{{{ config(tags=['market'], materialized='table') }}}}
select leaders.listing_day_key
from {{{{ ref('{MART}') }}}} as leaders
inner join {{{{ ref('stg_market__coinmarketcap__listings') }}}} as staged on leaders.listing_id = staged.listing_id
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slim")


@pytest.fixture(scope="module")
def mine(warehouse: Warehouse, folder: Path) -> DbtProject:
    """A copy of its own: it is changed."""
    project = copy_project(folder / "project", registry(), warehouse.port)
    (project.folder / "models" / "marts" / "market" / f"{CHILD}.sql").write_text(CHILD_SQL)
    return project


@pytest.fixture(scope="module")
def state(mine: DbtProject, folder: Path) -> Path:
    """Production is built, and its manifest comes out of the bucket again."""
    mine.run("build", "--select", f"+{CHILD}", "--exclude-resource-type", "unit_test")
    artifacts = MemoryCloud().bucket("artifacts")
    known = folder / "state"
    known.mkdir()
    assert not fetch_state(artifacts, known), "nothing was ever built"
    manifest = (mine.folder / "target" / "manifest.json").read_bytes()
    artifacts.create(STATE_MANIFEST, manifest, owner="run")
    assert fetch_state(artifacts, known)
    assert (known / "manifest.json").read_bytes() == manifest
    return known


def _ci(project: DbtProject, arguments: Sequence[str]) -> Done:
    return dbt(arguments, {"SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(project.port), "DBT_SCHEMA": OWN})


def _schemas(warehouse: Warehouse) -> set[str]:
    return {name.upper() for (name,) in warehouse.rows("select schema_name from analytics.information_schema.schemata")}


def _made(warehouse: Warehouse) -> dict[str, set[str]]:
    """The relations of each CI schema."""
    found: dict[str, set[str]] = {}
    for schema, name in warehouse.rows("select table_schema, table_name from analytics.information_schema.tables"):
        if schema.upper().startswith("CI_"):
            found.setdefault(schema.upper(), set()).add(name.lower())
    return found


@pytest.fixture(scope="module")
def production(state: Path, warehouse: Warehouse) -> set[str]:
    """The schemas before anything else is built."""
    return _schemas(warehouse)


def test_an_unchanged_project_builds_nothing(
    production: set[str], mine: DbtProject, state: Path, warehouse: Warehouse
) -> None:
    done = _ci(mine, slim_build(mine.folder, "local_ci", mine.variables, state))
    assert done.succeeded, done.told
    assert "Nothing to do" in done.told
    assert _schemas(warehouse) == production


@pytest.fixture(scope="module")
def changed(production: set[str], mine: DbtProject, state: Path, warehouse: Warehouse) -> Done:
    """The mart gets another line, and is built as CI does it."""
    path = mine.folder / "models" / "marts" / "market" / f"{MART}.sql"
    path.write_text(path.read_text() + "\nwhere true\n")
    return _ci(mine, slim_build(mine.folder, "local_ci", mine.variables, state))


def test_a_changed_mart_is_built_with_its_children_and_nothing_else(
    changed: Done, mine: DbtProject, production: set[str], warehouse: Warehouse
) -> None:
    assert changed.succeeded, changed.told
    assert _made(warehouse) == {f"{OWN}_MARTS": {MART, CHILD}}
    built = {name for name, status in mine.statuses().items() if status == "success"}
    assert {MART, CHILD} <= built
    assert not {name for name in built if name.startswith(("stg_", "int_", "dim_", "bridge_"))}
    assert production <= _schemas(warehouse)


def test_what_did_not_change_is_read_from_production(changed: Done, mine: DbtProject) -> None:
    mart = mine.compiled(f"models/marts/market/{MART}.sql").lower()
    assert "analytics.staging.stg_market__coinmarketcap__listings" in mart
    child = mine.compiled(f"models/marts/market/{CHILD}.sql").lower()
    assert f"analytics.{OWN}_marts.{MART}".lower() in child, "a changed parent is read beside production"
    assert "analytics.staging.stg_market__coinmarketcap__listings" in child


def test_schemas_that_are_not_a_builds_own_are_never_dropped(
    changed: Done, mine: DbtProject, warehouse: Warehouse, tmp_path: Path
) -> None:
    """Asked by mistake with the job's target, and with a build's schema name; the target is the stand-in here."""
    profiles = yaml.safe_load((mine.folder / "profiles.yml").read_text())
    outputs = profiles["operational_performance"]["outputs"]
    outputs["prod"] = outputs["local"]
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profiles))
    before = _schemas(warehouse)
    done = _ci(mine, drop_schemas(mine.folder, "prod", mine.variables, profiles=tmp_path))
    assert not done.succeeded
    assert "only a CI target has schemas of its own, this is prod" in done.told
    assert _schemas(warehouse) == before


def test_a_builds_own_schemas_are_dropped_and_no_other(
    changed: Done, mine: DbtProject, production: set[str], warehouse: Warehouse
) -> None:
    """Another build's has a name that begins alike."""
    other = f"{OWN}9_MARTS"
    warehouse.cursor.execute(f"create schema analytics.{other}")
    warehouse.cursor.execute(f"create table analytics.{other}.{MART} (id int)")
    done = _ci(mine, drop_schemas(mine.folder, "local_ci", mine.variables))
    assert done.succeeded, done.told
    assert _schemas(warehouse) == production | {other}
    assert _made(warehouse) == {other: {MART}}
    warehouse.cursor.execute(f"drop schema analytics.{other}")
