"""The page on metrics says what the fact's documentation and the extraction say."""

import re
from typing import Any

from shared.sources.incident_io import times
from tests.dbt.project import ROOT, DbtProject


def _table() -> dict[str, list[str]]:
    page = (ROOT / "docs" / "metrics.md").read_text()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:2] == "| "]
    return {name.strip("`"): rest for name, *rest in cells[1:]}


def _columns(parsed: DbtProject) -> dict[str, str]:
    fact: dict[str, Any] = parsed.manifest()["nodes"]["model.operational_performance.fct_ops__incidents"]
    return {name: column["description"] for name, column in fact["columns"].items()}


def test_definitions_are_the_columns_descriptions(parsed: DbtProject) -> None:
    documented = {
        name: text for name, text in _columns(parsed).items() if re.fullmatch(r"(time|impact)_\w+_(sec|min)", name)
    }
    assert {name: row[0] for name, row in _table().items()} == documented


def test_aliases_name_the_same_time(parsed: DbtProject) -> None:
    aliases = {row[1].strip("`"): name for name, row in _table().items() if row[1] != "none"}
    assert set(aliases) == {"ttd_sec", "ttr_sec", "tts_sec"}
    for alias, name in aliases.items():
        assert _columns(parsed)[alias] == f"The same as {name}, computed before the load."


def test_flags_are_those_that_are_raised(parsed: DbtProject) -> None:
    flags = {row[2].strip("`") for row in _table().values()}
    model = parsed.manifest()["nodes"]["model.operational_performance.int_ops__incidents_unioned"]
    assert set(re.findall(r"'(\w+)': seconds_from", model["raw_code"])) == flags
    extraction = {
        times.DETECTED_BEFORE_CREATED,
        times.RESOLVED_BEFORE_DETECTED,
        times.RESOLVED_BEFORE_CREATED,
        times.IMPACT_ENDED_BEFORE_START,
    }
    assert extraction < flags
