"""What dbt is told follows from the registry and the contracts alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts import CONTRACTS
from shared.registry import Registry, registry
from shared.transform.dbt_inputs import SOURCES_FILE, dbt_vars, main, sources_yaml, write_inputs


def _tables(known: Registry, family: str) -> dict[str, Any]:
    """The entries of one dbt source by name."""
    (source,) = [s for s in yaml.safe_load(sources_yaml(known, CONTRACTS))["sources"] if s["name"] == family]
    return {table["name"]: table for table in source["tables"]}


def test_vars_list_the_workspaces_in_order() -> None:
    workspaces = dbt_vars(registry())["incident_io_workspaces"]
    assert [workspace["name"] for workspace in workspaces] == ["companya", "companyb", "companyc"]
    assert workspaces[0]["staging_model"] == "stg_incident_io__companya__incidents"
    assert workspaces[0]["timestamps"]["detected_at"] == "Impact started"
    assert "fixed_at" not in workspaces[2]["timestamps"]
    assert workspaces[1]["temperatures"][0] == {"severity_rank": 1, "temperature": "low"}


def test_a_disabled_source_keeps_its_history_and_loses_its_freshness() -> None:
    known = registry()
    name = "incident_io_companyb_incidents"
    disabled = known.sources[name].model_copy(update={"enabled": False})
    changed = Registry(known.pipelines, {**known.sources, name: disabled})
    assert dbt_vars(changed) == dbt_vars(known)
    tables = _tables(changed, "incident_io")
    assert tables["companyb_incidents"]["config"]["freshness"] is None
    assert tables["companya_incidents"]["config"]["freshness"]["warn_after"] == {"count": 120, "period": "minute"}


def test_keys_are_tested_at_the_source() -> None:
    for family in yaml.safe_load(sources_yaml(registry(), CONTRACTS))["sources"]:
        for table in family["tables"]:
            (test,) = table["data_tests"]
            contract = CONTRACTS[table["config"]["meta"]["contract"]]
            assert {*contract.keys, contract.version} <= set(test["columns_not_null"]["arguments"]["columns"])
            assert test["columns_not_null"]["config"]["severity"] == "error"


def test_personal_columns_are_marked() -> None:
    columns = _tables(registry(), "incident_io")["companya_incidents"]["columns"]
    marked = {column["name"] for column in columns if column.get("config", {}).get("meta", {}).get("pii")}
    assert marked == {c.name for c in CONTRACTS["incidents"].columns if c.pii}


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
