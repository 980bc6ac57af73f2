"""What the tests ask of the stand-in."""

from dataclasses import dataclass
from typing import Any

FACT = "ANALYTICS.MARTS.FCT_OPS__INCIDENTS"
BRIDGE = "ANALYTICS.MARTS.BRIDGE_OPS__INCIDENT_SERVICE"
DAILY = "ANALYTICS.MARTS.FCT_AI_TELEMETRY__TOOL_DAILY_METRICS"
ACTORS = "ANALYTICS.MARTS.DIM_AI_TELEMETRY__ACTORS"
WEEKLY = "ANALYTICS.MARTS.FCT_AI_TELEMETRY__WEEKLY_ENG_AI_TOKENS"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A running stand-in: its port for dbt, a cursor for the test."""

    port: int
    cursor: Any

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        self.cursor.execute(sql)
        return [tuple(row) for row in self.cursor.fetchall()]

    def value(self, sql: str) -> Any:
        """The first column of the first row of a query."""
        return self.rows(sql)[0][0]

    def contents(self) -> list[list[tuple[Any, ...]]]:
        """Every row of the incidents' marts, in order."""
        return [sorted(self.rows(f"select * from {table}"), key=repr) for table in (FACT, BRIDGE)]

    def warehouses_used(self, statement: str, since: int) -> set[str]:
        """The warehouses that statements with this beginning ran in, after the first `since` of the history."""
        history = self.rows("select query_text, warehouse_name from _fs_local.query_history order by start_time")
        return {name for text, name in history[since:] if text.strip().lower().startswith(statement)}

    def history_length(self) -> int:
        """How many statements the history holds."""
        return int(self.value("select count(*) from _fs_local.query_history"))
