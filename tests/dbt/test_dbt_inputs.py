"""What dbt is told follows from the registry and the contracts alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts import CONTRACTS, PLATFORM_TABLES
from shared.registry import Registry, registry
from shared.transform.dbt_inputs import (
    EVERY_BUILD,
    PLATFORM_SOURCE,
    SOURCES_FILE,
    dbt_vars,
    main,
    source_selector,
    source_table,
    sources_yaml,
    staging_model,
    write_inputs,
)


def _tables(known: Registry, domain: str) -> dict[str, Any]:
    """The entries of one dbt source by name."""
    (source,) = [s for s in yaml.safe_load(sources_yaml(known, CONTRACTS))["sources"] if s["name"] == domain]
    return {table["name"]: table for table in source["tables"]}


def test_vars_list_the_workspaces_in_order() -> None:
    workspaces = dbt_vars(registry())["incident_io_workspaces"]
    assert [workspace["name"] for workspace in workspaces] == ["companya", "companyb", "companyc"]
    assert workspaces[0]["staging_model"] == "stg_incident_io__companya__incidents"
    assert workspaces[0]["timestamps"]["detected_at"] == "Impact started"
    assert "fixed_at" not in workspaces[2]["timestamps"]
    assert workspaces[1]["temperatures"][0] == {"severity_rank": 1, "temperature": "low"}


def test_vars_list_the_tools_in_order() -> None:
    tools = dbt_vars(registry())["ai_tools"]
    names = [tool["name"] for tool in tools]
    assert names == sorted(names)
    assert len(names) >= 7
    cursor = tools[names.index("cursor")]
    assert cursor["source_table"] == "cursor_daily_metrics"
    assert cursor["staging_model"] == "stg_ai_telemetry__cursor__daily_metrics"
    assert cursor["estimators"][-1]["tokens"] == 15
    assert {"availability_lag_hours", "repull_days"} <= set(cursor)
    claude_code = tools[names.index("claude_code")]
    assert claude_code["estimators"][0] == {"version": "2026-01", "method": "per_request", "tokens": 7500}


def test_vars_list_the_monitors_with_both_of_their_sources() -> None:
    assert dbt_vars(registry())["slo_monitors"] == [
        {
            "name": name,
            "objectives_table": f"{name}_objectives",
            "objectives_model": f"stg_slo__{name}__objectives",
            "measurements_table": f"{name}_measurements",
            "measurements_model": f"stg_slo__{name}__measurements",
        }
        for name in ("oebot", "vantage")
    ]


def test_a_source_without_an_instance_is_named_by_its_entity() -> None:
    source = registry().sources["ai_telemetry_g2_daily_metrics"]
    assert source_selector(source) == "source:ai_telemetry.g2_daily_metrics"
    alone = source.model_copy(update={"domain": "market", "instance": None, "entity": "listings"})
    assert source_table(alone) == "listings"
    assert staging_model(alone) == "stg_market__listings"
    assert source_selector(alone) == "source:market.listings"


def test_the_columns_that_the_loader_keeps_are_told() -> None:
    table = _tables(registry(), "ai_telemetry")["amp_daily_metrics"]
    columns = {column["name"] for column in table["columns"]}
    assert {"_first_window_id", "_restated_at", "_is_deleted"} <= columns
    assert "_first_window_id" in table["data_tests"][0]["columns_not_null"]["arguments"]["columns"]
    columns = {column["name"] for column in _tables(registry(), "incident_io")["companya_incidents"]["columns"]}
    assert "_first_window_id" not in columns


def test_a_disabled_source_keeps_its_history_and_loses_its_freshness() -> None:
    known = registry()
    name = "incident_io_companyb_incidents"
    disabled = known.sources[name].model_copy(update={"enabled": False})
    changed = Registry(known.pipelines, {**known.sources, name: disabled})
    assert dbt_vars(changed) == dbt_vars(known)
    tables = _tables(changed, "incident_io")
    assert tables["companyb_incidents"]["config"]["freshness"] is None
    assert tables["companya_incidents"]["config"]["freshness"]["warn_after"] == {"count": 120, "period": "minute"}


def test_the_platform_s_own_tables_are_described_by_their_definitions() -> None:
    tables = _tables(registry(), PLATFORM_SOURCE)
    assert set(tables) == {table.name.lower() for table in PLATFORM_TABLES}
    for table in PLATFORM_TABLES:
        entry = tables[table.name.lower()]
        assert entry["config"]["tags"] == [EVERY_BUILD]
        assert [column["name"] for column in entry["columns"]] == [column.name for column in table.columns]
        (test,) = entry["data_tests"]
        assert {*table.keys, table.newest} <= set(test["columns_not_null"]["arguments"]["columns"])


def _of_the_registry() -> list[dict[str, Any]]:
    """The dbt sources that the registry's sources make."""
    return [s for s in yaml.safe_load(sources_yaml(registry(), CONTRACTS))["sources"] if s["name"] != PLATFORM_SOURCE]


def test_keys_are_tested_at_the_source() -> None:
    for domain in _of_the_registry():
        for table in domain["tables"]:
            (test,) = table["data_tests"]
            contract = CONTRACTS[table["config"]["meta"]["contract"]]
            assert {*contract.keys, contract.version} <= set(test["columns_not_null"]["arguments"]["columns"])
            assert test["columns_not_null"]["config"]["severity"] == "error"


def test_personal_columns_are_marked() -> None:
    for domain in _of_the_registry():
        for table in domain["tables"]:
            contract = CONTRACTS[table["config"]["meta"]["contract"]]
            marked = {c["name"] for c in table["columns"] if c.get("config", {}).get("meta", {}).get("pii")}
            assert marked == {c.name for c in contract.columns if c.pii}, table["name"]


def test_the_file_is_written_only_when_it_differs(tmp_path: Path) -> None:
    written = write_inputs(tmp_path)
    assert written == tmp_path / SOURCES_FILE
    first = written.stat().st_mtime_ns
    assert write_inputs(tmp_path).stat().st_mtime_ns == first
    written.write_text("something else")
    assert write_inputs(tmp_path).read_text() == sources_yaml(registry(), CONTRACTS)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--vars"]) == 0
    assert json.loads(capsys.readouterr().out) == dbt_vars(registry())
    assert main(["--write", str(tmp_path)]) == 0
    assert (tmp_path / SOURCES_FILE).exists()
    with pytest.raises(SystemExit):
        main([])
