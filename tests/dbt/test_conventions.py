"""The rules of the project, read from its manifest; no warehouse."""

import re
from typing import Any

import pytest

from shared.contracts import CONTRACTS
from shared.registry import registry
from shared.transform.dbt_inputs import source_table, staging_model
from tests.dbt.project import DbtProject, models
from tests.dbt.raw import OWN_NAMES

PREFIXES = {
    "staging": re.compile(r"stg_[a-z0-9_]+__[a-z0-9]+__[a-z0-9_]+"),
    "intermediate": re.compile(r"int_[a-z0-9]+__[a-z0-9_]+"),
    "marts": re.compile(r"(fct|dim|bridge)_[a-z0-9]+__[a-z0-9_]+"),
}


@pytest.fixture(scope="module")
def manifest(parsed: DbtProject) -> dict[str, Any]:
    return parsed.manifest()


def _parents(model: dict[str, Any], kind: str) -> list[str]:
    return [parent for parent in model["depends_on"]["nodes"] if parent.startswith(f"{kind}.")]


def test_only_staging_reads_sources(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        if model["fqn"][1] == "staging":
            assert len(_parents(model, "source")) == 1, model["name"]
            assert not _parents(model, "model"), f"{model['name']}: staging models do not read each other"
        else:
            assert not _parents(model, "source"), model["name"]


def test_marts_are_not_read_by_earlier_layers(manifest: dict[str, Any]) -> None:
    order = ["staging", "intermediate", "marts"]
    layer = {model["unique_id"]: order.index(model["fqn"][1]) for model in models(manifest)}
    for model in models(manifest):
        for parent in _parents(model, "model"):
            assert layer[parent] <= layer[model["unique_id"]], f"{model['name']} reads {parent}"


def test_a_models_name_tells_its_layer(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert PREFIXES[model["fqn"][1]].fullmatch(model["name"]), model["name"]


def test_a_models_description_begins_with_its_grain(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert model["description"].startswith("One row per "), model["name"]


def test_every_model_has_a_test(manifest: dict[str, Any]) -> None:
    tested = {
        parent
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        for parent in node["depends_on"]["nodes"]
    }
    assert {model["unique_id"] for model in models(manifest)} <= tested


def test_every_model_belongs_to_a_pipeline(manifest: dict[str, Any]) -> None:
    pipelines = set(registry().pipelines)
    for model in models(manifest):
        assert pipelines & set(model["config"]["tags"]), model["name"]


def test_every_model_chooses_its_warehouse_at_run_time(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert "use_run_warehouse()" in str(model["config"]["pre-hook"]), model["name"]
        assert model["config"].get("snowflake_warehouse") is None, model["name"]


def test_every_source_has_an_entry_and_a_staging_model(manifest: dict[str, Any]) -> None:
    entries = {(entry["source_name"], entry["name"]): entry for entry in manifest["sources"].values()}
    read = {parent: model["name"] for model in models(manifest) for parent in _parents(model, "source")}
    for source in registry().sources.values():
        entry = entries.pop((source.family, source_table(source)))
        contract = CONTRACTS[source.contract]
        assert entry["identifier"] == contract.table
        assert entry["config"]["tags"] == [source.pipeline], "freshness and tests are selected by the pipeline's tag"
        assert {name: column["description"] for name, column in entry["columns"].items()} == {
            column.name: column.description for column in contract.stored
        }
        assert entry["freshness"]["warn_after"]["count"] == source.freshness.warn_after_minutes
        assert entry["freshness"]["error_after"]["count"] == source.freshness.error_after_minutes
        assert f"source = '{source.name}'" in entry["loaded_at_query"]
        assert read[entry["unique_id"]] == staging_model(source)
    assert not entries, "an entry without a source in the registry"


def test_personal_columns_are_hashed_in_staging(manifest: dict[str, Any]) -> None:
    personal = {c.name for contract in CONTRACTS.values() for c in contract.columns if c.pii}
    assert personal
    for model in models(manifest):
        selected = set(re.findall(r"\b\w+\b", model["raw_code"]))
        assert not (personal | {"payload"}) & selected, model["name"]
    columns = manifest["macros"]["macro.operational_performance.incident_io_columns"]["macro_sql"]
    for name in personal:
        assert re.findall(rf".*\b{name}\b.*", columns) == [f"    {{{{ hash_pii('{name}') }}}} as {name}_hash,"]


def test_severities(manifest: dict[str, Any]) -> None:
    """Keys and truths of the business stop the build; what may be odd but true warns."""
    severities = {
        node["name"]: node["config"]["severity"].lower()
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    }
    assert {name for name, severity in severities.items() if severity == "warn"} == {
        "int_ops__incidents_unioned_temperature_is_known",
        "bridge_ops__incident_service_incident_is_in_the_fact",
        "weekly_incidents_are_usual",
    }


def test_each_workspaces_instants_have_a_unit_test(manifest: dict[str, Any]) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    assert {f"stg_incident_io__{workspace}__incidents" for workspace in OWN_NAMES} <= tested


def test_dashboards_are_exposed(manifest: dict[str, Any]) -> None:
    exposures = {exposure["label"]: exposure for exposure in manifest["exposures"].values()}
    assert set(exposures) == {"Engineering Health", "AI Adoption", "MTTR Trends"}
    for label, exposure in exposures.items():
        fed = bool(exposure["depends_on"]["nodes"])
        assert fed != ("Not fed yet" in exposure["description"]), label
