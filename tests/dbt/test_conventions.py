"""The rules of the project, read from its manifest; no warehouse."""

import re
from typing import Any

import pytest

from shared.contracts import CONTRACTS, PLATFORM_TABLES
from shared.contracts.contract import Kind
from shared.registry import registry
from shared.transform.dbt_inputs import EVERY_BUILD, PLATFORM_SOURCE, dbt_vars, source_table, staging_model
from tests.dbt.project import DbtProject, models
from tests.dbt.raw import OWN_NAMES

PREFIXES = {
    "staging": re.compile(r"stg_[a-z0-9]+(_[a-z0-9]+)*(__[a-z0-9]+(_[a-z0-9]+)*){1,2}"),
    "intermediate": re.compile(r"int_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9]+(_[a-z0-9]+)*"),
    "marts": re.compile(r"(fct|dim|bridge)_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9]+(_[a-z0-9]+)*"),
}


@pytest.fixture(scope="module")
def manifest(parsed: DbtProject) -> dict[str, Any]:
    return parsed.manifest()


def _parents(model: dict[str, Any], kind: str) -> list[str]:
    return [parent for parent in model["depends_on"]["nodes"] if parent.startswith(f"{kind}.")]


def _code(model: dict[str, Any]) -> str:
    """A model's text without its comments."""
    return re.sub(r"(?s:\{#.*?#\})|--.*", "", model["raw_code"])


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


def test_a_description_begins_with_its_grain(manifest: dict[str, Any]) -> None:
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed", "snapshot"):
            assert node["description"].startswith("One row per "), node["name"]


def test_every_model_has_a_test(manifest: dict[str, Any]) -> None:
    tested = {
        parent
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        for parent in node["depends_on"]["nodes"]
    }
    assert {model["unique_id"] for model in models(manifest)} <= tested


def test_every_model_belongs_to_a_pipeline(manifest: dict[str, Any]) -> None:
    pipelines = {*registry().pipelines, EVERY_BUILD}
    for model in models(manifest):
        assert pipelines & set(model["config"]["tags"]), model["name"]


def test_every_model_chooses_its_warehouse_at_run_time(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert "use_run_warehouse()" in str(model["config"]["pre-hook"]), model["name"]
        assert model["config"].get("snowflake_warehouse") is None, model["name"]


def test_every_source_has_an_entry_and_a_staging_model(manifest: dict[str, Any]) -> None:
    entries = {(entry["source_name"], entry["name"]): entry for entry in manifest["sources"].values()}
    identifier = {id_: entry["identifier"] for id_, entry in manifest["sources"].items()}
    # sources of one table share its models: a model names one of them
    read = {(model["name"], identifier[parent]) for model in models(manifest) for parent in _parents(model, "source")}
    for source in registry().sources.values():
        entry = entries.pop((source.domain, source_table(source)))
        contract = CONTRACTS[source.contract]
        assert entry["identifier"] == contract.table
        assert entry["config"]["tags"] == [source.pipeline], "freshness and tests are selected by the pipeline's tag"
        assert {name: column["description"] for name, column in entry["columns"].items()} == {
            column.name: column.description for column in contract.stored
        }
        assert entry["freshness"]["warn_after"]["count"] == source.freshness.warn_after_minutes
        assert entry["freshness"]["error_after"]["count"] == source.freshness.error_after_minutes
        assert f"source = '{source.name}'" in entry["loaded_at_query"]
        assert (staging_model(source), contract.table) in read
    for table in PLATFORM_TABLES:
        entry = entries.pop((PLATFORM_SOURCE, table.name.lower()))
        assert (entry["identifier"], entry["config"]["tags"]) == (table.name, [EVERY_BUILD])
        assert set(entry["columns"]) == {column.name for column in table.columns}
        assert (f"stg_{PLATFORM_SOURCE}__{table.name.lower()}", table.name) in read
    assert not entries, "an entry without a source in the registry"


def test_what_every_build_tests_depends_on_what_every_build_builds(manifest: dict[str, Any]) -> None:
    """A test that refers to a pipeline's mart would be skipped, or fail, in the builds of the others."""
    tests = ("records_read_are_accounted_for", "rows_landed_are_loaded", "row_counts_are_usual")
    for name in (*tests, "runs_of_other_pipelines_come_out_even"):
        parents = manifest["nodes"][f"test.operational_performance.{name}"]["depends_on"]["nodes"]
        assert parents
        assert {tag for parent in parents for tag in manifest["nodes"][parent]["config"]["tags"]} == {EVERY_BUILD}


def test_personal_columns_are_hashed_in_staging(manifest: dict[str, Any]) -> None:
    """Staging is the only reader of RAW, so what it does not pass on is nowhere."""
    contract_of = {
        id_: CONTRACTS[entry["meta"]["contract"]]
        for id_, entry in manifest["sources"].items()
        if entry["source_name"] != PLATFORM_SOURCE
    }
    for model in models(manifest):
        for source in set(_parents(model, "source")) & set(contract_of):
            personal = {column.name for column in contract_of[source].columns if column.pii}
            selected = set(re.findall(r"\b\w+\b", re.sub(r"\{[{%].*?[%}]\}", "", _code(model))))
            assert not (personal | {"payload"}) & selected, model["name"]
    macros = manifest["macros"]
    columns = macros["macro.operational_performance.incident_io_columns"]["macro_sql"]
    for name in {c.name for c in CONTRACTS["incidents"].columns if c.pii}:
        assert re.findall(rf".*\b{name}\b.*", columns) == [f"    {{{{ hash_pii('{name}') }}}} as {name}_hash,"]
    columns = macros["macro.operational_performance.ai_tool_columns"]["macro_sql"]
    assert re.findall(r".*\bactor\b.*", columns.partition("%}")[2]) == [
        "    {{ actor_key('actor') }} as actor_key,",
        "    sha2(actor, 256) as actor_spelling_key,",
    ]


def test_personal_columns_of_the_shop_are_hashed_each(manifest: dict[str, Any]) -> None:
    by_name = {model["name"]: model["raw_code"] for model in models(manifest)}
    for source in (source for source in registry().sources.values() if source.domain == "ecommerce"):
        for column in (column for column in CONTRACTS[source.contract].columns if column.pii):
            read = re.findall(rf".*\b{column.name}\b.*", by_name[staging_model(source)])
            assert [line.strip() for line in read] == [f"{{{{ hash_pii('{column.name}') }}}} as {column.name}_hash,"]


def test_personal_columns_of_what_hangs_on_incidents_are_hashed_each(manifest: dict[str, Any]) -> None:
    by_name = {model["name"]: model["raw_code"] for model in models(manifest)}
    sources = [s for s in registry().sources.values() if s.domain == "incident_io" and s.contract != "incidents"]
    for source in sources:
        for column in (column for column in CONTRACTS[source.contract].columns if column.pii):
            read = re.findall(rf".*\b{column.name}\b.*", by_name[staging_model(source)])
            assert [line.strip() for line in read] == [f"{{{{ hash_pii('{column.name}') }}}} as {column.name}_hash,"]


def test_the_list_of_accounts_is_read_through_the_hash_alone(manifest: dict[str, Any]) -> None:
    seed = "seed.operational_performance.seed_engineer_accounts"
    readers = [model for model in models(manifest) if seed in model["depends_on"]["nodes"]]
    assert [model["name"] for model in readers] == ["int_people__engineer_accounts"]
    assert re.findall(r".*\baccount\b.*", _code(readers[0])) == [
        "    select engineer_id, {{ actor_key('account') }} as actor_key"
    ]


def test_a_source_is_staged_by_its_familys_columns(manifest: dict[str, Any]) -> None:
    by_name = {model["name"]: model["raw_code"] for model in models(manifest)}
    for tool in dbt_vars(registry())["ai_tools"]:
        code = by_name[tool["staging_model"]]
        assert f"ai_tool_columns('{tool['name']}')" in code, "another tool's lag would mark its late rows"
        assert f"where tool = '{tool['name']}'" in code


def test_money_is_never_a_float(manifest: dict[str, Any]) -> None:
    columns = manifest["macros"]["macro.operational_performance.ai_tool_columns"]["macro_sql"]
    (union,) = [m["raw_code"] for m in models(manifest) if m["name"] == "int_ai_telemetry__tool_daily_metrics"]
    for name in {c.name for c in CONTRACTS["ai_tool_daily_metrics"].columns if c.kind is Kind.MONEY}:
        assert f"cast({name} as number(38, 6)) as {name}" in columns
        assert f"cast(sum({name}) as number(38, 6)) as {name}" in union
    by_name = {model["name"]: model["raw_code"] for model in models(manifest)}
    for source in (source for source in registry().sources.values() if source.domain == "ecommerce"):
        for column in (column for column in CONTRACTS[source.contract].columns if column.kind is Kind.MONEY):
            assert f"{{{{ money('{column.name}') }}}} as {column.name}" in by_name[staging_model(source)]
    assert (
        "cast({{ amount }} as number(38, 6))" in manifest["macros"]["macro.operational_performance.money"]["macro_sql"]
    )
    objectives = manifest["macros"]["macro.operational_performance.slo_objective_columns"]["macro_sql"]
    assert "cast(target as number(38, 6)) as target" in objectives


def test_a_persons_history_is_dated_by_the_data(manifest: dict[str, Any]) -> None:
    snapshots = [node for node in manifest["nodes"].values() if node["resource_type"] == "snapshot"]
    histories = {"dim_engineer", "dim_github__users", "snp_slo__objectives", "snp_ecommerce__products"}
    assert {node["name"] for node in snapshots} == histories
    # a change of team moves no instant at GitHub
    dated_by = {"dim_github__users": "_observed_at"}
    for node in snapshots:
        assert node["config"]["strategy"] == "dated_check", node["name"]
        assert node["config"]["updated_at"] == dated_by.get(node["name"], "updated_at"), node["name"]


def test_severities(manifest: dict[str, Any]) -> None:
    """Keys and truths of the business stop the build; what may be odd but true warns."""
    severities = {
        node["name"]: node["config"]["severity"].lower()
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    }
    assert {name for name, severity in severities.items() if severity == "warn"} == {
        "actors_are_mapped",
        "fct_ai_telemetry__tool_daily_metrics_not_negative",
        "fct_ecommerce__order_items_order_is_known",
        "fct_market__listings_not_negative",
        "fct_slo__daily_attainment_objective_is_known",
        "int_ops__incidents_unioned_temperature_is_known",
        "bridge_ops__incident_service_incident_is_in_the_fact",
        "net_is_not_above_gross_at_the_source",
        "stg_ecommerce__orders_status_is_known",
        "row_counts_are_usual",
        "runs_of_other_pipelines_come_out_even",
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
