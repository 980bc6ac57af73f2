"""MERGE by DuckDB's own MERGE INTO.

Gaps: fakesnow imitates MERGE by several statements and a temporary table, which fails inside a transaction, is not
atomic outside one, and updates a row twice without a word when two source rows match it. DuckDB's own is one statement
and refuses the last case, as Snowflake does by default (ERROR_ON_NONDETERMINISTIC_MERGE).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
from fakesnow.transforms.merge import operations
from sqlglot import Expr, exp, parse_one

_ACTIONS = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}


def run_merge(
    duck: duckdb.DuckDBPyConnection, merge: exp.Merge, params: Sequence[Any] | dict[str, Any] | None
) -> tuple[Expr, int]:
    """Run a transformed MERGE. Returns the SELECT of its result row (a count for each operation it names, in
    Snowflake's order) and the number of rows it changed. Raises duckdb.Error."""
    duck.execute(f"{merge.sql(dialect='duckdb')} RETURNING merge_action", params)
    counts: Counter[str] = Counter()
    # in batches: the action of every row of a large MERGE must not be in memory at once
    reader: Any = duck.to_arrow_reader(100_000)
    for batch in reader:
        for entry in batch.column(0).value_counts().to_pylist():
            counts[entry["values"]] += entry["counts"]
    named = [name for name, clauses in operations(merge).items() if clauses]
    columns = ", ".join(f'{counts[_ACTIONS[name]]} AS "number of rows {name}"' for name in named)
    return parse_one(f"SELECT {columns}", read="duckdb"), counts.total()
