"""Comments on columns, as dbt's persist_docs writes them.

Gaps: `ALTER TABLE t ALTER "a" COMMENT $$…$$, "b" COMMENT $$…$$` is not parsed (DuckDB keeps a comment a column, so it
becomes one COMMENT ON COLUMN each); DESCRIBE TABLE and a comment with an apostrophe failed on their own.
"""

import sqlglot
from sqlglot import Expr, exp
from sqlglot.tokenizer_core import Token, TokenType

_STRINGS = (TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING)


def column_comments(statement: Expr) -> list[exp.Comment] | None:
    """The comments that an unparsed ALTER TABLE sets, one statement each; None if it is another statement."""
    if not (isinstance(statement, exp.Command) and str(statement.this).upper() == "ALTER"):
        return None
    text = str(statement.expression)
    tokens = sqlglot.tokenize(text, read="snowflake")
    if len(tokens) < 5 or tokens[0].text.upper() not in {"TABLE", "VIEW"}:
        return None
    start = next((i for i, token in enumerate(tokens) if token.text.upper() in {"ALTER", "MODIFY"}), None)
    if start is None:
        return None
    table = exp.to_table(text[tokens[1].start : tokens[start].start].strip(), dialect="snowflake")
    comments = []
    rest = tokens[start + 1 :]
    while rest:
        if rest[0].token_type in (TokenType.COMMA, TokenType.COLUMN) or rest[0].text.upper() == "COLUMN":
            rest = rest[1:]
            continue
        if len(rest) < 3 or rest[1].text.upper() != "COMMENT" or rest[2].token_type not in _STRINGS:
            return None
        comments.append(_comment(table, rest[0], rest[2].text))
        rest = rest[3:]
    return comments


def _comment(table: exp.Table, column: Token, text: str) -> exp.Comment:
    named = exp.column(
        exp.to_identifier(column.text, quoted=column.token_type == TokenType.IDENTIFIER),
        table=table.this.copy(),
        db=table.args["db"].copy() if table.args.get("db") else None,
        catalog=table.args["catalog"].copy() if table.args.get("catalog") else None,
    )
    return exp.Comment(this=named, kind="COLUMN", expression=exp.Literal.string(text), exists=False)
