"""Small rewrites of a parsed Snowflake statement before fakesnow turns it into DuckDB's SQL.

Each function closes the gap in its first line and leaves every other statement as it is.
"""

from collections.abc import Callable

from sqlglot import Dialect, Expr, exp

from local.snowflake.errors import sql_error, unsupported


def raw_strings(statement: Expr) -> None:
    """$$…$$ in a comment or property is not taken for a string."""
    for raw in list(statement.find_all(exp.RawString)):
        raw.replace(exp.Literal.string(raw.name))


def unenforced_keys(statement: Expr) -> None:
    """Snowflake does not enforce primary, unique and foreign keys; DuckDB does, and cannot parse NOT ENFORCED."""
    if not (isinstance(statement, exp.Create) and statement.kind == "TABLE" and isinstance(statement.this, exp.Schema)):
        return
    schema = statement.this
    keys = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.PrimaryKeyColumnConstraint, exp.Reference)
    for key in list(schema.find_all(*keys)):
        owner = key.find_ancestor(exp.Constraint) or key.find_ancestor(exp.ColumnConstraint) or key
        if isinstance(owner, exp.ColumnConstraint) or owner in schema.expressions:
            owner.pop()
    for column in schema.find_all(exp.ColumnDef):
        column.set(
            "constraints", [c for c in column.args.get("constraints") or [] if not isinstance(c.args.get("kind"), keys)]
        )


def unqualified_merge_columns(statement: Expr) -> None:
    """DuckDB's MERGE takes no table name before the column that is set or inserted."""
    if not isinstance(statement, exp.Merge):
        return
    for when in statement.args["whens"].expressions:
        then = when.args.get("then")
        columns: list[Expr] = []
        if isinstance(then, exp.Update):
            columns = [assignment.this for assignment in then.expressions if isinstance(assignment, exp.EQ)]
        elif isinstance(then, exp.Insert) and then.this is not None:
            columns = list(then.this.expressions)
        for column in columns:
            if isinstance(column, exp.Column):
                for part in ("table", "db", "catalog"):
                    column.set(part, None)


def unqualified_update_columns(statement: Expr) -> None:
    """DuckDB's UPDATE takes no table name before the column that is set."""
    if isinstance(statement, exp.Update):
        for assignment in statement.expressions:
            if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
                for part in ("table", "db", "catalog"):
                    assignment.this.set(part, None)


_TRY_TIMESTAMPS = {
    "TRY_TO_TIMESTAMP": "TIMESTAMPNTZ",
    "TRY_TO_TIMESTAMP_NTZ": "TIMESTAMPNTZ",
    "TRY_TO_TIMESTAMP_TZ": "TIMESTAMPTZ",
    "TRY_TO_TIMESTAMP_LTZ": "TIMESTAMPTZ",
}


def tried_timestamps(statement: Expr) -> None:
    """TRY_TO_TIMESTAMP and TRY_CAST to a timestamp fail where they should be NULL."""
    for call in list(statement.find_all(exp.Anonymous)):
        kind = _TRY_TIMESTAMPS.get(call.name.upper())
        if kind and len(call.expressions) == 1:
            call.replace(exp.TryCast(this=call.expressions[0], to=exp.DataType.build(kind)))
    for tried in list(statement.find_all(exp.TryCast)):
        if tried.to.is_type("TIMESTAMP", "TIMESTAMPNTZ"):
            # fakesnow makes a conversion that raises of it; DuckDB's TRY turns that into NULL again
            tried.replace(exp.Anonymous(this="TRY", expressions=[tried.copy()]))


def formatted_instants(statement: Expr) -> None:
    """TO_CHAR of a column drops its format without a word: sqlglot cannot tell whether it is a date's or a number's."""
    for call in list(statement.find_all(exp.ToChar)):
        given = call.args.get("format")
        if given is None:
            continue
        if not given.is_string or set(given.name) & set("09X$"):
            raise unsupported(f"TO_CHAR with the format {given.sql(dialect='snowflake')}")
        shown = Dialect.get_or_raise("snowflake").format_time(given)
        call.replace(exp.TimeToStr(this=call.this.copy(), format=shown))


def code_objects(statement: Expr) -> None:
    """CREATE FUNCTION, PROCEDURE and DYNAMIC TABLE are accepted, and then are something else."""
    if not isinstance(statement, exp.Create):
        return
    if statement.kind in {"FUNCTION", "PROCEDURE"} or statement.find(exp.DynamicProperty):
        raise unsupported(f"CREATE {'DYNAMIC TABLE' if statement.kind == 'TABLE' else statement.kind}")


def flatten_options(statement: Expr) -> None:
    """FLATTEN's OUTER, PATH, RECURSIVE and MODE are ignored: rows are missing without a word."""
    for explode in list(statement.find_all(exp.Explode)):
        options = [argument for argument in explode.expressions if isinstance(argument, exp.Kwarg)]
        for option in options:
            name, wanted = option.this.name.upper(), option.expression
            if name == "OUTER" and isinstance(wanted, exp.Boolean):
                if wanted.this:
                    _outer(explode)
                option.pop()
            elif not (name == "RECURSIVE" and isinstance(wanted, exp.Boolean) and not wanted.this):
                raise unsupported(f"FLATTEN with {name} => {wanted.sql(dialect='snowflake')}")


def _outer(explode: Expr) -> None:
    join = explode.parent.parent if explode.parent is not None else None
    if not isinstance(join, exp.Join):
        raise unsupported("FLATTEN with OUTER => TRUE that is not joined to a table")
    join.set("side", "LEFT")
    join.set("kind", None)
    if not join.args.get("on"):
        join.set("on", exp.true())


def inline_variables(statement: Expr, variables: dict[str, str], parse: Callable[[str], Expr]) -> Expr:
    """fakesnow replaces $name in the statement's text, so a '$' inside a string literal is an error there."""
    known = {name.upper(): value for name, value in variables.items()}
    for parameter in list(statement.find_all(exp.Parameter)):
        name = parameter.name.upper()
        if name.isdigit():
            continue
        if name not in known:
            raise sql_error(2211, f"SQL compilation error: Session variable '${name}' does not exist", "02000")
        parameter.replace(parse(known[name]))
    return statement


REWRITES: tuple[Callable[[Expr], None], ...] = (
    raw_strings,
    unenforced_keys,
    unqualified_merge_columns,
    unqualified_update_columns,
    flatten_options,
    tried_timestamps,
    formatted_instants,
    code_objects,
)
