"""What a transformation's source says of the nodes that it is for; where it says nothing plain, it is for all."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.variables import Variables
from sqlglot import Expr, exp

from local.snowflake.kinds import kinds_of
from local.snowflake.walk import Chained
from tests.local.test_snowflake_walk import STATEMENTS

MORE = [
    "SHOW TABLES",
    "SHOW PRIMARY KEYS IN TABLE t",
    "SHOW PARAMETERS LIKE 'x'",
    "DROP SCHEMA s",
    "ALTER TABLE t ADD COLUMN b VARCHAR(3)",
    "ALTER TABLE t CLUSTER BY (a)",
    "COMMENT ON TABLE t IS 'told'",
    "CREATE TABLE t (a INT) COMMENT = 'told'",
    "SET chosen = 1",
    "SELECT TRIM(1), SHA2('a'), ARRAY_CONSTRUCT(1, 2), OBJECT_CONSTRUCT('a', 1), TO_TIMESTAMP('2026-01-01'), SUM(a) "
    "FROM t SAMPLE (10)",
    "SELECT DATEADD('day', 1, '2026-01-01'), DATEDIFF('day', '2026-01-01', b), ARRAY_AGG(a) WITHIN GROUP (ORDER BY b) "
    "FROM t JOIN u ON t.a = u.a",
    "SELECT UPPER(v:a), v:a::timestamp_ntz, v[0], TRY_PARSE_JSON('{}'), TO_DATE('2026-01-01'), 1::number(38, 0) FROM t",
]

ANY = exp.Literal | exp.Column


def _asked(node: Expr) -> Expr:
    """With a remark, and a constant of its own."""
    constant = 1
    if isinstance(node, exp.Literal) and node.is_string:
        return exp.Literal.number(constant)
    if isinstance(node, (exp.Column, exp.Star)):
        node.set("quoted", True)
    return node


def _asked_in_branches(node: Expr) -> Expr:
    if isinstance(node, exp.Literal):
        node.set("this", 2)
    elif isinstance(node, exp.Column):
        node.set("this", 1)
    return node


def _sent_away(node: Expr) -> Expr:
    if not isinstance(node, ANY) or node.is_star:
        return node
    return exp.Paren(this=node)


def _sent_away_unless(node: Expr) -> Expr:
    if not (isinstance(node, exp.Literal) and node.is_string):
        return node
    return exp.Paren(this=node)


def _asks_something_else(node: Expr) -> Expr:
    if node.parent is None:
        return exp.Paren(this=node)
    return node


def _either(node: Expr) -> Expr:
    if isinstance(node, exp.Literal) or node.is_star:
        return exp.Paren(this=node)
    return node


def _otherwise(node: Expr) -> Expr:
    if isinstance(node, exp.Literal):
        node.set("this", "1")
    else:
        node.set("quoted", True)
    return node


def _first_changes(node: Expr) -> Expr:
    first = node.pop()
    if isinstance(node, exp.Literal):
        return exp.Paren(this=first)
    return node


def _changes_in_the_end(node: Expr) -> Expr:
    if isinstance(node, exp.Literal):
        return exp.Paren(this=node)
    return node.copy()


def _asks_of_another(node: Expr) -> Expr:
    if isinstance(node.parent, exp.Literal):
        return exp.Paren(this=node)
    return node


@pytest.mark.parametrize(
    ("visit", "kinds"),
    [
        (_asked, (exp.Literal, exp.Column, exp.Star)),
        (_asked_in_branches, (exp.Literal, exp.Column)),
        (_sent_away, (ANY,)),
        (_sent_away_unless, (exp.Literal,)),
    ],
)
def test_kinds_that_are_asked_for(visit: Callable[..., Any], kinds: tuple[Any, ...]) -> None:
    assert kinds_of(visit) == kinds


@pytest.mark.parametrize(
    "visit",
    [_asks_something_else, _either, _otherwise, _first_changes, _changes_in_the_end, _asks_of_another, len, Expr.copy],
)
def test_where_it_cannot_be_told_all_are_shown(visit: Callable[..., Any]) -> None:
    assert kinds_of(visit) is None


def test_most_of_fakesnows_transformations_say_it() -> None:
    """Else a new version of it is written otherwise, and every statement walks eighty times again."""
    told: list[bool] = []

    class Noted(Chained):
        def transform(self, visit: Callable[..., Any], *, copy: bool, **given: Any) -> Chained:
            told.append(kinds_of(visit) is not None)
            return super().transform(visit, copy=copy, **given)

    _chain(Noted(sqlglot.parse_one("SELECT 1", read="snowflake")))
    assert len(told) > 70
    assert sum(told) > len(told) * 0.9


@pytest.mark.parametrize("sql", [*STATEMENTS, *MORE])
def test_the_chain_makes_of_a_statement_what_fakesnow_does(sql: str) -> None:
    chained = Chained(sqlglot.parse_one(sql, read="snowflake"))
    _chain(chained)
    expected = _chain(sqlglot.parse_one(sql, read="snowflake"))
    assert repr(chained.tree) == repr(expected)


def _chain(tree: Any) -> Any:
    """fakesnow's transformations, one after the other."""
    connection = SimpleNamespace(variables=Variables(), database="D", schema="S", db_path=None, table_stages={})
    cursor: Any = SimpleNamespace(_conn=connection, _duck_conn=None)  # as much of one as they ask for
    return FakeSnowflakeCursor._transform(cursor, tree, None)
