"""Aggregates keep their numbers exact.

Gap: fakesnow wraps the argument of SUM, AVG, MEDIAN … into TRY_CAST(… AS DOUBLE), so that a sum of NUMBER(18,4) is
a float and text that is no number counts as NULL without a word. Taken away again here, except around VARIANT paths:
DuckDB cannot add those up otherwise. (Adding up a text column is then an error; Snowflake would cast it, or fail on a
bad value.)
"""

from sqlglot import Expr, exp

_MARK = "fs_local_uncast"


def mark(statement: Expr) -> None:
    """Before fakesnow: remember which aggregates have an argument without a cast of its own."""
    for aggregate in statement.find_all(exp.AggFunc):
        if isinstance(aggregate.this, Expr) and not isinstance(
            aggregate.this, exp.Cast | exp.TryCast | exp.JSONExtract | exp.JSONExtractScalar
        ):
            aggregate.meta[_MARK] = True


def restore(transformed: Expr) -> None:
    """After fakesnow: take its cast away from those."""
    for aggregate in transformed.find_all(exp.AggFunc):
        if aggregate.meta.get(_MARK) and isinstance(cast := aggregate.this, exp.TryCast):
            cast.replace(cast.this)
