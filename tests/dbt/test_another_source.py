"""A workspace, a tool or an SLO monitor more is one block and one staging model a source; nothing else changes."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.registry import Registry, read_registry
from shared.registry.load import REGISTRY_FOLDER
from tests.dbt.project import DbtProject, copy_project

WORKSPACES = ("companya", "companyb", "companyc", "companyd", "companye")
TOOLS = ("amp", "chatgpt", "claude_code", "cursor", "firebender", "g2", "goose")
MONITORS = ("oebot", "vantage", "watcher_c", "watcher_d", "watcher_e")
LOOPS_OF_WORKSPACES = ("instants_agree_with_raw", "incidents_of_raw_are_in_the_mart")
UNION_OF_WORKSPACES = "models/intermediate/int_ops__incidents_unioned.sql"
UNION_OF_TOOLS = "models/intermediate/int_ai_telemetry__tool_daily_metrics.sql"
UNIONS_OF_MONITORS = ("objectives", "measurements")
LOOP_OF_MONITORS = "slo_measurements_of_raw_are_in_the_mart"
ESTIMATES = "models/intermediate/int_ai_telemetry__token_estimates.sql"
FOURTH_WORKSPACE = """
    slug: companyd
    secret: incident-io-companyd
    settings:
      workspace: companyd
      identity: companyd
      webhook_secret: incident-io-companyd-webhook
      modes: [standard]
      timestamps: { detected_at: "Someone's noticed it", resolved_at: All clear }
      temperatures: { 9: critical, 5: low }
"""
EIGHTH_TOOL = """
    family: copilot
    instance: github_copilot
    slug: ai-github-copilot
    base_url: https://api.github.com
    secret: ai-github-copilot
    auth: { header: Authorization, scheme: Bearer }
    page_size: 100
    requests_per_minute: 60
    availability_lag_hours: 48.5
    repull_days: 3
    settings:
      tool: github_copilot
      estimators:
        - { version: "2026-01", method: per_accepted_line, tokens: 15 }
        - { version: "2026-11", method: per_accepted_line, tokens: 12 }
"""


def _edit(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    return document


def _registry(folder: Path, workspaces: tuple[str, ...], tools: tuple[str, ...], monitors: tuple[str, ...]) -> Registry:
    """The shipped registry with these workspaces, tools and monitors in place of its own; some of them may be new."""
    shutil.copytree(REGISTRY_FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    incidents = _edit(folder / "incident_io.yaml")
    added = {name: yaml.safe_load(FOURTH_WORKSPACE.replace("companyd", name)) for name in workspaces[3:]}
    shipped = {name: block for name, block in incidents["instances"].items() if name in workspaces}
    incidents["instances"] = shipped | added
    (folder / "incident_io.yaml").write_text(yaml.safe_dump(incidents, sort_keys=False))
    telemetry = _edit(folder / "ai_tools.yaml")
    shipped = {name: block for name, block in telemetry["sources"].items() if block["instance"] in tools}
    added = {"ai_telemetry_github_copilot_daily_metrics": yaml.safe_load(EIGHTH_TOOL)} if tools[7:] else {}
    telemetry["sources"] = shipped | added
    (folder / "ai_tools.yaml").write_text(yaml.safe_dump(telemetry, sort_keys=False))
    slo = _edit(folder / "slo.yaml")
    like = {entity: slo["sources"][f"slo_oebot_{entity}"] for entity in UNIONS_OF_MONITORS}
    shipped = {name: block for name, block in slo["sources"].items() if block["instance"] in monitors}
    added = {
        f"slo_{name}_{entity}": like[entity]
        | {"instance": name, "slug": f"{name.replace('_', '-')}-{entity[:3]}", "settings": {"monitor": name}}
        for name in monitors[2:]
        for entity in UNIONS_OF_MONITORS
    }
    slo["sources"] = shipped | added
    (folder / "slo.yaml").write_text(yaml.safe_dump(slo, sort_keys=False))
    return read_registry(folder)


def _project(
    tmp_path: Path, workspaces: tuple[str, ...], tools: tuple[str, ...], monitors: tuple[str, ...] = MONITORS[:2]
) -> DbtProject:
    """The project with a staging model for each of these, made from the shipped ones by their names alone."""
    project = copy_project(tmp_path / "dbt", _registry(tmp_path / "registry", workspaces, tools, monitors))
    _stage(project, "incident_io", "incidents", workspaces, shipped=WORKSPACES[:3], like="companyb")
    _stage(project, "ai_telemetry", "daily_metrics", tools, shipped=TOOLS, like="cursor")
    for entity in UNIONS_OF_MONITORS:
        _stage(project, "slo", entity, monitors, shipped=MONITORS[:2], like="oebot")
    return project


def _stage(
    project: DbtProject, domain: str, entity: str, wanted: tuple[str, ...], *, shipped: tuple[str, ...], like: str
) -> None:
    folder = project.folder / "models" / "staging" / domain
    pattern = (folder / f"stg_{domain}__{like}__{entity}.sql").read_text()
    for name in set(shipped) - set(wanted):
        for ending in ("sql", "yml"):
            (folder / f"stg_{domain}__{name}__{entity}.{ending}").unlink()
    for name in set(wanted) - set(shipped):
        (folder / f"stg_{domain}__{name}__{entity}.sql").write_text(pattern.replace(like, name))


def _compile(project: DbtProject) -> None:
    # marts and what reads them ask the warehouse whether they exist, so what stays offline is chosen
    project.run(
        *("compile", "--no-populate-cache", "--no-introspect"),
        *("--select", "staging", "intermediate", "token_estimates_agree_with_raw", *LOOPS_OF_WORKSPACES),
        LOOP_OF_MONITORS,
    )


def _unions(sql: str) -> int:
    return len(re.findall(r"\bunion all\b", sql))


@pytest.mark.parametrize(("count", "tools"), [(1, 1), (5, 8)])
def test_every_loop_follows_the_registry(tmp_path: Path, count: int, tools: int) -> None:
    """One of each kind, and more than there are."""
    wanted_tools = (*TOOLS, "github_copilot")[:tools]
    project = _project(tmp_path, WORKSPACES[:count], wanted_tools, MONITORS[:count])
    _compile(project)

    union = project.compiled(UNION_OF_WORKSPACES)
    read = re.findall(r"from \S+\.(stg_\w+)", union)
    assert read == [f"stg_incident_io__{name}__incidents" for name in WORKSPACES[:count]]
    assert _unions(union) == count - 1
    for test in LOOPS_OF_WORKSPACES:
        assert _unions(project.compiled(f"tests/{test}.sql")) == count - 1, test
    if count > 3:
        assert "when 9 then 'critical'" in union
        staged = project.compiled("models/staging/incident_io/stg_incident_io__companyd__incidents.sql")
        assert "where workspace = 'companyd'" in staged
        assert "workspace_timestamps['Someone''s noticed it']" in staged
        assert re.search(r"cast\(null as timestamp_ntz\)\s+as fixed_at", staged)

    union = project.compiled(UNION_OF_TOOLS)
    read = re.findall(r"from \S+\.(stg_\w+)", union)
    assert sorted(read) == sorted(f"stg_ai_telemetry__{name}__daily_metrics" for name in wanted_tools)
    # the tools' rows, then their constants, of which the eighth has two
    constants = tools + (tools > len(TOOLS))
    assert _unions(union) == tools - 1 + constants - 1
    assert _unions(project.compiled("tests/token_estimates_agree_with_raw.sql")) == tools - 1
    if tools > len(TOOLS):
        _check_the_eighth_tool(project)

    for entity in UNIONS_OF_MONITORS:
        union = project.compiled(f"models/intermediate/int_slo__{entity}.sql")
        read = re.findall(r"from \S+\.(stg_\w+)", union)
        assert read == [f"stg_slo__{name}__{entity}" for name in MONITORS[:count]]
        assert _unions(union) == count - 1
        staged = project.compiled(f"models/staging/slo/stg_slo__{MONITORS[count - 1]}__{entity}.sql")
        assert f"where monitor = '{MONITORS[count - 1]}'" in staged
    assert _unions(project.compiled(f"tests/{LOOP_OF_MONITORS}.sql")) == count - 1


def _check_the_eighth_tool(project: DbtProject) -> None:
    """Its model knows its lag, and the estimates both of its constants."""
    staged = project.compiled("models/staging/ai_telemetry/stg_ai_telemetry__github_copilot__daily_metrics.sql")
    assert "where tool = 'github_copilot'" in staged
    assert f"dateadd('minute', {int((48.5 + 24) * 60)}, dateadd('day', 1, usage_date))" in staged
    versions = re.findall(
        r"'github_copilot' as tool,\s+'(\S+)' as estimator_version,\s+'per_accepted_line' as method,\s+"
        r"(\d+) as tokens_each,\s+(\w+) as is_in_force",
        project.compiled(ESTIMATES),
    )
    assert versions == [("2026-01", "15", "false"), ("2026-11", "12", "true")]


@pytest.mark.parametrize(
    ("path", "call", "message"),
    [
        (
            "incident_io/stg_incident_io__companyb__incidents.sql",
            "incident_io_columns('companyb')",
            "no incident.io workspace named 'elsewhere'",
        ),
        (
            "ai_telemetry/stg_ai_telemetry__cursor__daily_metrics.sql",
            "ai_tool_columns('cursor')",
            "no AI tool named 'elsewhere'",
        ),
    ],
)
def test_a_name_that_the_registry_lacks_stops_dbt(tmp_path: Path, path: str, call: str, message: str) -> None:
    project = _project(tmp_path, WORKSPACES[:3], TOOLS)
    model = project.folder / "models" / "staging" / path
    text = model.read_text()
    assert call in text
    model.write_text(text.replace(call, f"{call.partition('(')[0]}('elsewhere')"))
    done = project.run("parse", succeeds=False)
    assert not done.succeeded
    assert message in done.told
