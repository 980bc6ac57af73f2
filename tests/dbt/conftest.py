"""One parsed project for the offline tests, one warehouse and one project for those that run on the stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.registry import registry
from tests.dbt.project import DbtProject, copy_project
from tests.dbt.raw import create_tables
from tests.dbt.warehouse import Warehouse
from tests.local.snowflake_fixtures import local_warehouse


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """The project as it is, parsed; no warehouse."""
    project = copy_project(tmp_path_factory.mktemp("dbt_parsed"), registry())
    # what dbt deprecates shows while it parses
    project.run("parse", "--show-all-deprecations", "--no-partial-parse")
    return project


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A stand-in with empty RAW tables."""
    with local_warehouse(Path(tmp_path_factory.mktemp("dbt_warehouse"))) as server:
        connection = server.connect(database="RAW", schema="PUBLIC")
        with connection.cursor() as cursor:
            create_tables(cursor)
            yield Warehouse(server.port, cursor)
        connection.close()


@pytest.fixture(scope="session")
def project(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """The project as it is, pointed at the stand-in."""
    return copy_project(tmp_path_factory.mktemp("dbt_project"), registry(), warehouse.port)
