"""What dbt is told about the sources: its vars and its sources file, both derived from the registry and the contracts.

`python -m shared.transform.dbt_inputs --vars` prints the vars as JSON for `dbt --vars`;
`python -m shared.transform.dbt_inputs --write dbt` writes the sources file into that dbt project.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from shared.contracts import CONTRACTS, PLATFORM_TABLES
from shared.contracts.contract import FIRST_WINDOW_ID, Column, Contract, Kind
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.contracts.platform_table import PlatformTable
from shared.registry import Registry, Source, registry
from shared.registry.ai_tools import AiToolSettings
from shared.registry.incident_io import IncidentIoSettings
from shared.registry.slo import SloSettings

LOOKBACK_DAYS = 7
"""How far behind the newest load a mart looks again: transactions commit out of order, a part may be replayed late."""

EVERY_BUILD = "every_build"
"""The tag of what every dbt run builds and tests, whichever pipelines it is for: what the platform tells of itself."""

PLATFORM_SOURCE = "ops"
"""What dbt calls the source of the platform's own tables."""

SOURCES_FILE = Path("models", "sources", "generated", "_sources.yml")
"""Where the sources file belongs inside the dbt project; it is generated, so git ignores it."""

_DATABASE, _SCHEMA = "{{ var('raw_database', 'RAW') }}", "{{ var('raw_schema', 'PUBLIC') }}"

# The age is measured against the window being built, not against the clock, so that a replayed month is as fresh as it
# was; dbt compares with the clock, hence the shift. A source without any complete window answers NULL, the oldest age.
# The instant is a variable of the environment and no var: changed vars make dbt parse everything anew, this only the
# sources file.
_LOADED_AT = """\
select dateadd('second', -datediff('second', max(window_end), {as_of}), current_timestamp()) as loaded_at
from {database}.{schema}.{table}
where source = '{source}'
  and status in ('complete', 'superseded')
"""

_AS_OF = (
    "{% set as_of = env_var('DBT_AS_OF', '') -%}"
    "{{ \"to_timestamp_tz('\" ~ as_of ~ \"')\" if as_of else 'current_timestamp()' }}"
)


def dbt_vars(known: Registry) -> dict[str, Any]:
    """The vars that every dbt command of the project needs.

    The instant that freshness is measured from is the caller's to add: DBT_AS_OF in the environment, else the clock.
    `incident_io_workspaces` and `ai_tools` list workspaces and tools by name, disabled ones too: their history stays in
    the marts. A tool's `estimators` are all versions, oldest first, the last one in force. `slo_monitors` lists the SLO
    monitors with what stages their objectives and their measurements.
    """
    sources = known.sources.values()
    return {
        "lookback_days": LOOKBACK_DAYS,
        "raw_database": "RAW",
        "raw_schema": "PUBLIC",
        "incident_io_workspaces": _by_name(_workspace(source) for source in sources if _stands_for_workspace(source)),
        "ai_tools": _by_name(_ai_tool(source) for source in sources if source.contract == "ai_tool_daily_metrics"),
        "slo_monitors": _slo_monitors(sources),
    }


def sources_yaml(known: Registry, contracts: Mapping[str, Contract]) -> str:
    """The text of dbt's sources file: one table entry a registry source, documented and tested by its contract, and one
    for each table of the platform's own.

    Raises KeyError when a source refers to a contract that is not in `contracts`.
    """
    domains: dict[str, list[Source]] = {}
    for _, source in sorted(known.sources.items()):
        domains.setdefault(source.domain, []).append(source)
    document = {
        "version": 2,
        "sources": [
            {
                "name": domain,
                "description": f"RAW rows of the {domain} sources, generated from the registry and the contracts.",
                "database": _DATABASE,
                "schema": _SCHEMA,
                "tables": [_table(source, contracts[source.contract]) for source in sources],
            }
            for domain, sources in domains.items()
        ]
        + [
            {
                "name": PLATFORM_SOURCE,
                "description": "What the platform tells about itself, generated from its tables' definitions.",
                "database": _DATABASE,
                "schema": _SCHEMA,
                "tables": [_platform_table(table) for table in PLATFORM_TABLES],
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False, width=120)


def source_table(source: Source) -> str:
    """The name of a source inside its dbt source: `incident_io_companya_incidents` is `companya_incidents`."""
    return "_".join(part for part in (source.instance, source.entity) if part)


def source_selector(source: Source) -> str:
    """How `dbt --select` names a source: `source:ai_telemetry.g2_daily_metrics`."""
    return f"source:{source.domain}.{source_table(source)}"


def staging_model(source: Source) -> str:
    """The name of the one staging model that brings a source's rows: `stg_incident_io__companya__incidents`.

    Of incident.io, whoever brings incidents of a workspace brings them to the model of its incidents, which knows what
    the workspace's own names mean; the other tables mean the same in every workspace and are staged for all at once.
    """
    if source.domain == "incident_io":
        own = source.instance if source.contract == "incidents" else None
        return "__".join(part for part in ("stg_incident_io", own, source.contract) if part)
    return "__".join(part for part in (f"stg_{source.domain}", source.instance, source.entity) if part)


def write_inputs(project: Path) -> Path:
    """Write the sources file into the dbt project folder, only when it differs: dbt re-parses what has changed."""
    target = project / SOURCES_FILE
    text = sources_yaml(registry(), CONTRACTS)
    if not target.exists() or target.read_text() != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.transform.dbt_inputs", description=main.__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--vars", action="store_true", help="print the vars as one line of JSON")
    action.add_argument("--write", type=Path, metavar="PROJECT", help="write the sources file into this dbt project")
    chosen = parser.parse_args(arguments)
    if chosen.vars:
        sys.stdout.write(json.dumps(dbt_vars(registry())) + "\n")
    else:
        sys.stdout.write(f"{write_inputs(chosen.write)}\n")
    return 0


def _by_name(blocks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(blocks, key=lambda block: str(block["name"]))


def _stands_for_workspace(source: Source) -> bool:
    # several entities of a workspace bring incidents; the one of that name is there in every workspace
    return source.family == "incident_io" and source.entity == "incidents"


def _workspace(source: Source) -> dict[str, Any]:
    settings = IncidentIoSettings.model_validate(source.settings)
    return {
        "name": settings.workspace,
        "source": source.name,
        "source_table": source_table(source),
        "staging_model": staging_model(source),
        "timestamps": dict(settings.timestamps),
        "temperatures": [
            {"severity_rank": rank, "temperature": temperature}
            for rank, temperature in sorted(settings.temperatures.items())
        ],
    }


def _ai_tool(source: Source) -> dict[str, Any]:
    settings = AiToolSettings.model_validate(source.settings)
    return {
        "name": settings.tool,
        "source": source.name,
        "source_table": source_table(source),
        "staging_model": staging_model(source),
        "estimators": [estimator.model_dump() for estimator in settings.estimators],
        "availability_lag_hours": source.availability_lag_hours,
        "repull_days": source.repull_days,
    }


def _slo_monitors(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """One block a monitor, of its two sources: `objectives_table`, `objectives_model`, `measurements_table`, …."""
    monitors: dict[str, dict[str, Any]] = {}
    for source in sources:
        if source.contract not in ("slo_objectives", "slo_measurements"):
            continue
        name = SloSettings.model_validate(source.settings).monitor
        kind = source.contract.removeprefix("slo_")
        block = monitors.setdefault(name, {"name": name})
        block |= {f"{kind}_table": source_table(source), f"{kind}_model": staging_model(source)}
    return _by_name(monitors.values())


def _table(source: Source, contract: Contract) -> dict[str, Any]:
    kept = [FIRST_WINDOW_ID.name] if contract.digest else []
    relied_on = list(dict.fromkeys([*contract.keys, contract.version, "_ingested_at", "_anchor_at", *kept]))
    return {
        "name": source_table(source),
        "identifier": contract.table,
        "description": f"{contract.grain} Rows of {source.name} only are meant.",
        "config": {
            "tags": [source.pipeline],
            "meta": {"registry_source": source.name, "contract": contract.name},
            "freshness": _freshness(source),
            "loaded_at_query": _LOADED_AT.format(
                as_of=_AS_OF, database=_DATABASE, schema=_SCHEMA, table=PIPELINE_WINDOWS.name, source=source.name
            ),
        },
        "data_tests": [
            _not_null(f"source_{source.name}_columns_not_null", relied_on, where=f"_source = '{source.name}'")
        ],
        "columns": [_column(column) for column in contract.stored],
    }


def _platform_table(table: PlatformTable) -> dict[str, Any]:
    name = table.name.lower()
    required = [column.name for column in table.columns if column.required]
    return {
        "name": name,
        "identifier": table.name,
        "description": table.grain,
        "config": {"tags": [EVERY_BUILD]},
        "data_tests": [_not_null(f"source_{PLATFORM_SOURCE}_{name}_columns_not_null", required)],
        "columns": [_column(column) for column in table.columns],
    }


def _not_null(name: str, columns: Sequence[str], **config: str) -> dict[str, Any]:
    arguments = {"columns": list(columns)}
    return {
        "columns_not_null": {"name": name, "arguments": arguments, "config": {"severity": "error", **config}},
    }


def _freshness(source: Source) -> dict[str, Any] | None:
    if not source.enabled:
        return None  # nobody extracts it, so it cannot be late
    return {
        f"{level}_after": {"count": minutes, "period": "minute"}
        for level, minutes in (
            ("warn", source.freshness.warn_after_minutes),
            ("error", source.freshness.error_after_minutes),
        )
    }


def _column(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name, "description": column.description}
    if column.pii:
        entry["config"] = {"meta": {"pii": True}}
    if column.kind is Kind.JSON:
        entry["data_type"] = "variant"
    return entry


if __name__ == "__main__":
    sys.exit(main())
