"""The doctor's look at the warehouse, over the real connector and its stand-in."""

from typing import Any

import pytest

from shared.adapters.snowflake_probe import ConnectorProbe
from shared.errors import WarehouseRefused, WarehouseUnavailable
from shared.operate.doctor.check import Verdict
from shared.operate.doctor.snowflake import examine_snowflake
from shared.settings import SnowflakeSettings
from tests.contract.servers import closed_port
from tests.contract.stack import Stack


def _settings(schema: str) -> SnowflakeSettings:
    return SnowflakeSettings("local", "loader", "LOADER", "LOAD_WH", "RAW", schema, "LANDING", None, None, None)


@pytest.mark.emulated
def test_a_session_says_who_it_is_and_what_it_may_not(stack: Stack) -> None:
    schema = stack.new_schema()
    probe = ConnectorProbe(stack.connect_options)
    login, *trials = examine_snowflake(_settings(schema), probe)
    assert "LOAD_WH" in login.seen
    assert [(check.name, check.seen) for check in trials if check.verdict is not Verdict.OK] == []
    problem = probe.try_out('SELECT 1 FROM "RAW"."NO_SUCH_SCHEMA"."X"')
    assert problem is not None
    assert "NO_SUCH_SCHEMA" in problem


def test_a_warehouse_that_is_down_is_an_error_of_the_platform(stack: Stack) -> None:
    options: dict[str, Any] = {**stack.connect_options(), "port": closed_port()}
    with pytest.raises((WarehouseUnavailable, WarehouseRefused)):
        ConnectorProbe(lambda: options, timeout_seconds=2).login()
