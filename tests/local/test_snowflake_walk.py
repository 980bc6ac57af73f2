"""The stand-in's walk does to any statement what sqlglot's own does."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlglot
from sqlglot import Expr, exp

from local.snowflake.walk import Chained, transformed

STATEMENTS = [
    "SELECT 1",
    "SELECT a, b AS c, f(a, 1), x:y.z::string FROM t AS t, LATERAL FLATTEN(input => v) f WHERE a IN (1, 2) OR NOT b",
    "WITH w AS (SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) = 1) SELECT * FROM w "
    "LEFT JOIN u USING (a)",
    "MERGE INTO t USING (SELECT a, b FROM s) AS s ON t.a = s.a WHEN MATCHED AND (s.b, 1) >= (t.b, 1) THEN UPDATE SET "
    "t.b = s.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)",
    "CREATE TABLE IF NOT EXISTS d.s.t (a VARCHAR(10) NOT NULL COMMENT 'x', b NUMBER(38, 0)) CLUSTER BY (a)",
    "INSERT INTO t (a, b) SELECT PARSE_JSON(column1), column2 FROM VALUES ('{}', 1), (NULL, 2)",
]


def _wrap_literals(node: Expr) -> Expr:
    """A replacement that holds what it replaces, which must not be visited again."""
    return exp.Paren(this=node.copy()) if isinstance(node, exp.Literal) else node


def _drop_aliases(node: Expr) -> Expr:
    return node.this if isinstance(node, exp.Alias) else node


def _rename_in_place(node: Expr) -> Expr:
    """The same node changed, so that what it holds now is visited."""
    if isinstance(node, exp.Table) and node.name != "renamed":
        node.set("this", exp.to_identifier("renamed"))
    if isinstance(node, exp.Identifier):
        node.set("this", f"{node.name}_")
    return node


def _without_conditions(node: Expr) -> Expr | None:
    return None if isinstance(node, exp.Where | exp.Qualify) else node


def _another_root(node: Expr) -> Expr:
    return exp.Describe(this=node.copy()) if node.parent is None else node


VISITS: list[Callable[[Expr], Any]] = [
    *(_wrap_literals, _drop_aliases, _rename_in_place, _without_conditions, _another_root),
]


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_walk_is_sqlglots(sql: str, visit: Callable[[Expr], Any]) -> None:
    """The same tree comes out, and the same nodes are visited in the same order."""

    def noting(into: list[str]) -> Callable[[Expr], Any]:
        def noted(node: Expr) -> Any:
            into.append(f"{node.key} {node.sql()}")
            return visit(node)

        return noted

    expected_visits: list[str] = []
    visits: list[str] = []
    expected = sqlglot.parse_one(sql, read="snowflake").transform(noting(expected_visits), copy=False)
    assert repr(transformed(sqlglot.parse_one(sql, read="snowflake"), noting(visits))) == repr(expected)
    assert visits == expected_visits


def test_a_chain_goes_on_with_what_came_out() -> None:
    """As fakesnow calls it, arguments included."""

    def add(node: Expr, *, suffix: str) -> Expr:
        return exp.to_identifier(f"{node.name}{suffix}") if isinstance(node, exp.Identifier) else node

    chained = Chained(sqlglot.parse_one("SELECT a FROM t"))
    chained.transform(add, copy=False, suffix="_b").transform(add, copy=False, suffix="_c")
    assert chained.tree.sql() == "SELECT a_b_c FROM t_b_c"
