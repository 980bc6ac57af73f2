"""RAW rows for the dbt tests, brought in through the contract's own staging table and MERGE."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts import CONTRACTS, PLATFORM_TABLES
from shared.contracts.contract import Contract, Kind
from shared.contracts.incidents import INCIDENTS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.contracts.platform_table import PlatformTable, upsert
from shared.contracts.platform_table import create_table as create_platform_table
from shared.contracts.snowflake import create_staging, create_table, merge_from_staging
from shared.instants import to_text
from shared.ports import PipelineRun, WindowState
from shared.registry import registry
from shared.sources.incident_io.times import incident_times

SCHEMA = "RAW.PUBLIC"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""The instant that the tests call now."""

OWN_NAMES: dict[str, Mapping[str, str]] = {
    str(source.settings["workspace"]): source.settings["timestamps"]
    for source in registry().sources.values()
    if source.family == "incident_io"
}
"""By workspace, the names that its instants have there."""


def incident(
    incident_id: str,
    *,
    workspace: str = "companya",
    created_at: datetime = NOON - timedelta(days=1),
    updated_at: datetime | None = None,
    services: Sequence[str] = (),
    **values: Any,
) -> dict[str, Any]:
    """A row as extraction would land it: stamps under the workspace's own names too, the aliases computed."""
    own = OWN_NAMES[workspace]
    stamps: dict[str, datetime] = {
        "impact_started_at": created_at,
        "detected_at": created_at,
        "responded_at": created_at + timedelta(minutes=5),
        "fixed_at": created_at + timedelta(minutes=45, milliseconds=900),
        "resolved_at": created_at + timedelta(hours=1),
    }
    by_own_name = {own[name]: values.pop(name, at) for name, at in stamps.items() if name in own}
    stamps = {name: by_own_name[own_name] for name, own_name in own.items()}
    times = incident_times(
        created_at,
        stamps["impact_started_at"],
        stamps["detected_at"],
        stamps.get("fixed_at"),
        stamps["resolved_at"],
    )
    return {
        "workspace": workspace,
        "incident_id": incident_id,
        "reference": f"INC-{incident_id}",
        "name": f"Incident {incident_id}",
        "mode": "standard",
        "severity_rank": 4,
        "severity_name": "Critical",
        "creator_email": "Ada@Example.com",
        "created_at": created_at,
        "updated_at": updated_at or created_at,
        **stamps,
        "ttd_sec": times.ttd_sec,
        "ttr_sec": times.ttr_sec,
        "tts_sec": times.tts_sec,
        "impact_duration_sec": times.impact_duration_sec,
        "workspace_timestamps": {own_name: to_text(at) for own_name, at in by_own_name.items()},
        "affected_services": [{"id": service, "name": service.title()} for service in services],
        "payload": {"id": incident_id},
        "dq_valid": not times.flags,
        "dq_flags": list(times.flags),
        "_is_deleted": False,
        "_source": f"incident_io_{workspace}_incidents",
        "_window_id": "20261120T1200Z",
        "_source_file": "landing/part-00000.parquet",
        "_run_id": "run",
        "_observed_at": updated_at or created_at,
        **values,
    }


def create_tables(cursor: Any) -> None:
    """The RAW tables, empty."""
    cursor.execute("create database if not exists RAW")
    cursor.execute("create database if not exists ANALYTICS")
    cursor.execute(f"create schema if not exists {SCHEMA}")
    for contract in CONTRACTS.values():
        cursor.execute(create_table(contract, SCHEMA))
    for table in PLATFORM_TABLES:
        cursor.execute(create_platform_table(table, SCHEMA))


def load(
    cursor: Any, rows: Sequence[Mapping[str, Any]], *, ingested_at: datetime, contract: Contract = INCIDENTS
) -> None:
    """Merge the rows into RAW as one load at `ingested_at`; they stay in the staging table `STAGED`."""
    cursor.execute("use schema RAW.PUBLIC")
    cursor.execute(f"drop table if exists {SCHEMA}.STAGED")
    cursor.execute(create_staging(contract, SCHEMA, "STAGED"))
    landed = contract.landed
    values = [[_bound(row.get(column.name), column.kind) for column in landed] for row in rows]
    markers = ", ".join(["(" + ", ".join(["%s"] * len(landed)) + ")"] * len(values))
    cursor.execute(f"insert into {SCHEMA}.STAGED values {markers}", [value for row in values for value in row])
    cursor.execute(merge_from_staging(contract, SCHEMA, "STAGED"), [to_text(ingested_at)])


def close_window(cursor: Any, source: str, end: datetime, status: str) -> None:
    """Record the source's hourly window that ends at `end`."""
    record(
        cursor,
        PIPELINE_WINDOWS,
        WindowState("ops_incidents", to_text(end), source, end - timedelta(hours=1), end, status, 0, 0, end),
    )


def record(cursor: Any, table: PlatformTable, *rows: WindowState | PipelineRun) -> None:
    """Upsert rows of a table of the platform's own."""
    values = [to_text(v) if isinstance(v, datetime) else v for row in rows for v in table.values_of(row)]
    cursor.execute(upsert(table, SCHEMA, len(rows)), values)


def _bound(value: object, kind: Kind) -> object:
    if value is None:
        return None
    if kind is Kind.JSON:
        return json.dumps(value, separators=(",", ":"))
    return to_text(value) if isinstance(value, datetime) else value
