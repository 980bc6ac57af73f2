"""The marts as they are, in the form of `figures`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.end_to_end.figures import Figures, Incident, Service
from tests.end_to_end.running import Running

_FACT = "analytics.marts.fct_ops__incidents"
_BRIDGE = "analytics.marts.bridge_ops__incident_service"
_TIMES = ("detect", "respond", "resolve")


def incidents(stack: Running) -> list[Incident]:
    """The fact's rows."""
    rows = stack.query(f"select {', '.join(Incident._fields)} from {_FACT}")
    return [Incident(*(_value(name, value) for name, value in zip(Incident._fields, row, strict=True))) for row in rows]


def services(stack: Running) -> list[Service]:
    """The bridge's rows, each with its incident's instant of creation."""
    rows = stack.query(
        "select b.workspace, f.created_at, b.service_name "
        f"from {_BRIDGE} as b inner join {_FACT} as f on b.incident_key = f.incident_key"
    )
    return [Service(workspace, _utc(created), name) for workspace, created, name in rows]


def figures(stack: Running) -> dict[tuple[str, str | None, str], Figures]:
    """Median and 90th percentile by workspace, severity and month, as a dashboard asks for them."""
    columns = ", ".join(
        f"median(time_to_{time}_sec), percentile_cont(0.9) within group (order by time_to_{time}_sec)"
        for time in _TIMES
    )
    rows = stack.query(
        f"select workspace, severity_name, to_char(incident_date, 'YYYY-MM'), count(*), {columns} "
        f"from {_FACT} where not is_deleted group by 1, 2, 3"
    )
    return {
        (workspace, severity, month): Figures(
            int(count), *((_number(times[i]), _number(times[i + 1])) for i in (0, 2, 4))
        )
        for workspace, severity, month, count, *times in rows
    }


def _value(name: str, value: Any) -> Any:
    if name == "dq_flags":
        return tuple(sorted(json.loads(value)))
    return _utc(value) if isinstance(value, datetime) else value


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
