"""The page on metrics says what the facts' documentation and the extraction say."""

import re
from typing import Any

from shared.sources.incident_io import times
from tests.dbt.project import ROOT, DbtProject


def _table(chapter: str) -> dict[str, list[str]]:
    """The rows of a chapter's table by the column that they define."""
    page = (ROOT / "docs" / "metrics.md").read_text().partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:2] == "| "]
    return {name.strip("`"): rest for name, *rest in cells[1:]}


def _columns(parsed: DbtProject, model: str = "fct_ops__incidents") -> dict[str, str]:
    fact: dict[str, Any] = parsed.manifest()["nodes"][f"model.operational_performance.{model}"]
    return {name: column["description"] for name, column in fact["columns"].items()}


def test_definitions_are_the_columns_descriptions(parsed: DbtProject) -> None:
    documented = {
        name: text for name, text in _columns(parsed).items() if re.fullmatch(r"(time|impact)_\w+_(sec|min)", name)
    }
    assert {name: row[0] for name, row in _table("Incidents").items()} == documented


def test_aliases_name_the_same_time(parsed: DbtProject) -> None:
    aliases = {row[1].strip("`"): name for name, row in _table("Incidents").items() if row[1] != "none"}
    assert set(aliases) == {"ttd_sec", "ttr_sec", "tts_sec"}
    for alias, name in aliases.items():
        assert _columns(parsed)[alias] == f"The same as {name}, computed before the load."


def test_flags_are_those_that_are_raised(parsed: DbtProject) -> None:
    flags = {row[2].strip("`") for row in _table("Incidents").values()}
    model = parsed.manifest()["nodes"]["model.operational_performance.int_ops__incidents_unioned"]
    assert set(re.findall(r"'(\w+)': seconds_from", model["raw_code"])) == flags
    extraction = {
        times.DETECTED_BEFORE_CREATED,
        times.RESOLVED_BEFORE_DETECTED,
        times.RESOLVED_BEFORE_CREATED,
        times.IMPACT_ENDED_BEFORE_START,
    }
    assert extraction < flags


def test_definitions_of_the_ai_tools_are_the_columns_descriptions(parsed: DbtProject) -> None:
    columns = _columns(parsed, "fct_ai_telemetry__tool_daily_metrics")
    table = _table("AI tools")
    assert table == {name: [columns[name]] for name in table}
    figures = re.compile(r"tokens_\w+|cost_\w+|is_(late|restated|deleted)")
    assert {name for name in columns if figures.fullmatch(name)} == set(table)


def test_definitions_of_runs_are_the_columns_descriptions(parsed: DbtProject) -> None:
    columns = _columns(parsed, "fct_ops__pipeline_runs")
    table = _table("Runs")
    assert table == {name: [columns[name]] for name in table}
    assert {name for name in columns if re.fullmatch(r"(records|rows)_\w+", name)} == set(table)


def test_definitions_of_service_levels_and_the_shop_are_the_columns_descriptions(parsed: DbtProject) -> None:
    for chapter, model, figures in (
        ("Service levels", "fct_slo__daily_attainment", r"(window_)?attainment|target|error_budget_\w+|is_met"),
        ("Shop", "fct_ecommerce__order_items", r"(gross|net|cost|margin|margin_after_refunds)_amount|unit_cost"),
    ):
        columns = _columns(parsed, model)
        table = _table(chapter)
        assert table == {name: [columns[name]] for name in table}
        assert {name for name in columns if re.fullmatch(figures, name)} == set(table)
