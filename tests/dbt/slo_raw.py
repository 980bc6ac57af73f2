"""RAW rows of the SLO monitors for the dbt tests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts.slo_measurements import SLO_MEASUREMENTS
from shared.contracts.slo_objectives import SLO_OBJECTIVES
from shared.instants import to_text
from tests.dbt.raw import load

_SET_UP = datetime(2026, 1, 1, tzinfo=UTC)


def objective(
    slo_id: str, service: str, target: str, *, updated_at: datetime = _SET_UP, **values: Any
) -> dict[str, Any]:
    """An objective of OEBOT over 28 rolling days, unless the values say otherwise."""
    return {
        "monitor": "oebot",
        "slo_id": slo_id,
        "name": f"{service} {slo_id}",
        "service": service,
        "team": "search",
        "indicator": "availability",
        "target": target,
        "window_kind": "rolling",
        "window_days": 28,
        "is_retired": False,
        "created_at": _SET_UP,
        "updated_at": updated_at,
        **values,
    }


def hour(slo_id: str, start: datetime, good: int, total: int, **values: Any) -> dict[str, Any]:
    """An hour of an objective of OEBOT, reported ten minutes after it."""
    return {
        "monitor": "oebot",
        "slo_id": slo_id,
        "hour_start_at": start,
        "good_events": good,
        "total_events": total,
        "reported_at": start + timedelta(minutes=70),
        "is_restated": False,
        **values,
    }


def load_objectives(cursor: Any, objectives: Sequence[Mapping[str, Any]], ingested_at: datetime) -> None:
    """Load objectives as one load at that instant."""
    rows = [_landed(row, "objectives", ingested_at) for row in objectives]
    load(cursor, rows, ingested_at=ingested_at, contract=SLO_OBJECTIVES)


def load_hours(cursor: Any, hours: Sequence[Mapping[str, Any]], ingested_at: datetime) -> None:
    """Load measured hours as one load at that instant."""
    rows = [_landed(row, "measurements", ingested_at) for row in hours]
    load(cursor, rows, ingested_at=ingested_at, contract=SLO_MEASUREMENTS)


def _landed(row: Mapping[str, Any], entity: str, ingested_at: datetime) -> dict[str, Any]:
    return {
        "payload": {"id": row["slo_id"]},
        "dq_valid": True,
        "dq_flags": [],
        "_is_deleted": False,
        "_source": f"slo_{row['monitor']}_{entity}",
        "_window_id": f"{ingested_at:%Y%m%dT%H%MZ}",
        "_source_file": "landing/part-00000.parquet",
        "_run_id": f"run {to_text(ingested_at)}",
        "_observed_at": ingested_at - timedelta(minutes=5),
        **row,
    }
