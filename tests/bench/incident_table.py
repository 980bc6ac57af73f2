"""Incidents in bulk as landing objects, made column by column: the rows of a table that has grown for years."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shared.contracts.arrow import arrow_schema
from shared.contracts.incidents import INCIDENTS
from shared.instants import to_text
from shared.ports import LandedPart

FIRST_CREATED = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS_BETWEEN = 120
SOURCE, WINDOW, PIPELINE = "incident_io_companya_incidents", "20261120T1200Z", "ops_incidents"


def write_part(landing: Path, number: int, start: int, count: int, *, version: int) -> LandedPart:
    """A landing object with the incidents from the `start`-th on, in their `version`-th version."""
    name = f"landing/{SOURCE}/{WINDOW}/r0/part-{number:05d}.parquet"
    path = landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(_incidents(range(start, start + count), name, version), path, compression="zstd")
    return LandedPart(name, 1, PIPELINE, SOURCE, WINDOW, 0, number, count, "bench", FIRST_CREATED)


def _incidents(numbers: range, object_name: str, version: int) -> pa.Table:
    created = [FIRST_CREATED + timedelta(seconds=SECONDS_BETWEEN * number) for number in numbers]
    updated = [instant + timedelta(days=1, minutes=version) for instant in created]
    stamps = [f'{{"Impact started":"{text}","Resolved at":"{text}"}}' for text in map(to_text, created)]
    columns: dict[str, list[Any]] = {
        "workspace": ["companya"] * len(numbers),
        "incident_id": [f"01INCIDENT{number:016d}" for number in numbers],
        "reference": [f"INC-{number}" for number in numbers],
        "name": [f"Incident {number}, version {version}" for number in numbers],
        "mode": ["standard"] * len(numbers),
        "visibility": ["public"] * len(numbers),
        "severity_rank": [number % 4 + 1 for number in numbers],
        "created_at": created,
        "updated_at": updated,
        "impact_started_at": created,
        "detected_at": created,
        "resolved_at": created,
        "workspace_timestamps": stamps,
        "affected_services": ['[{"id":"checkout","name":"Checkout"}]'] * len(numbers),
        # a tenth of a real one: half a million of those would measure the disk
        "payload": [f'{{"id":"01INCIDENT{number:016d}","summary":"{"x" * 400}"}}' for number in numbers],
        "dq_valid": [True] * len(numbers),
        "dq_flags": ["[]"] * len(numbers),
        "_is_deleted": [False] * len(numbers),
        "_source": [SOURCE] * len(numbers),
        "_window_id": [WINDOW] * len(numbers),
        "_source_file": [object_name] * len(numbers),
        "_run_id": ["bench"] * len(numbers),
        "_observed_at": updated,
    }
    schema = arrow_schema(INCIDENTS)
    nothing = [None] * len(numbers)
    return pa.table([pa.array(columns.get(f.name.lower(), nothing), f.type) for f in schema], schema=schema)
