"""RAW rows of the AI tools for the dbt tests: uses, summed up and estimated by the extraction's own code.

They are loaded as whole days by the contract's own statements.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from shared.contracts.ai_tool_daily_metrics import AI_TOOL_DAILY_METRICS
from shared.contracts.contract import Kind
from shared.contracts.snowflake import delete_vanished
from shared.instants import to_text
from shared.registry import registry
from shared.sources.ai_tools.rows import rows_of
from shared.sources.ai_tools.tool import settings_of
from shared.sources.ai_tools.usage import ALL_MODELS, ActorKind, Figures, Usage
from shared.windows.window import Window
from tests.dbt.raw import SCHEMA, load

_JSON = {column.name for column in AI_TOOL_DAILY_METRICS.landed if column.kind is Kind.JSON}


def use(actor: str, model: str = ALL_MODELS, kind: ActorKind = "email", **figures: Any) -> Usage:
    """What an actor used; the day is the load's."""
    return Usage(date.min, actor, kind, model, Figures(**figures))


def load_day(cursor: Any, tool: str, day: date, uses: Sequence[Usage], window_end: datetime) -> None:
    """Load one whole day of a tool as the window that ends at `window_end` read it, five minutes after its end."""
    source = registry().source(f"ai_telemetry_{tool}_daily_metrics")
    of_the_day = [(Usage(day, u.actor, u.actor_kind, u.model, u.figures), _record(u)) for u in uses]
    rows = rows_of(settings_of(source), of_the_day, [])
    assert rows.count
    assert not rows.rejections
    observed_at, ingested_at = window_end + timedelta(minutes=1), window_end + timedelta(minutes=5)
    meta = {
        "_is_deleted": False,
        "_source": source.name,
        "_window_id": Window("ai_dx_metrics", window_end - timedelta(days=1), window_end).id,
        "_source_file": "landing/part-00000.parquet",
        "_run_id": f"run {to_text(window_end)}",
        "_observed_at": observed_at,
    }
    landed = [
        {name: json.loads(v) if name in _JSON else v for name, v in zip(rows.columns, row, strict=True)} | meta
        for row in zip(*rows.columns.values(), strict=True)
    ]
    load(cursor, landed, ingested_at=ingested_at, contract=AI_TOOL_DAILY_METRICS)
    values = [to_text(observed_at), to_text(ingested_at), meta["_run_id"], source.name, to_text(observed_at)]
    cursor.execute(delete_vanished(AI_TOOL_DAILY_METRICS, SCHEMA, "STAGED", 1), [*values, day.isoformat()])


def _record(usage: Usage) -> bytes:
    return json.dumps({"model": usage.model, **asdict(usage.figures)}, default=str).encode()
