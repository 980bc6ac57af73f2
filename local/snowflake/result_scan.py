"""SELECT … FROM TABLE(RESULT_SCAN('<query id>')).

Gap: fakesnow answers with the earlier result as it was, whatever the SELECT around it says.
"""

from typing import Any

import duckdb
from sqlglot import Expr, exp

from local.snowflake.errors import sql_error


def substitute(statement: Expr, results: dict[str, tuple[Any, ...]], duck: duckdb.DuckDBPyConnection) -> Expr:
    """Put the results that `statement` scans into temporary tables. Raises if one is no longer kept."""
    for node in list(statement.find_all(exp.TableFromRows)):
        call = node.this
        if not isinstance(call, exp.Anonymous) or call.name.upper() != "RESULT_SCAN" or not call.expressions:
            continue
        query_id = call.expressions[0].name
        if query_id not in results:
            raise sql_error(709, f"Statement {query_id} not found", "02000")
        name = f"_FS_LOCAL_RESULT_{query_id}"
        duck.register("_fs_result_arrow", results[query_id][0])
        duck.execute(f'CREATE OR REPLACE TEMPORARY TABLE "{name}" AS SELECT * FROM _fs_result_arrow')
        duck.unregister("_fs_result_arrow")
        table: Expr = exp.to_table(f'"{name}"', dialect="duckdb")
        node.replace(exp.alias_(table, node.alias or "RESULT_SCAN", table=True))
    return statement
