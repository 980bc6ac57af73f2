"""What kind of statement it is: what it locks, and what it does to an open transaction."""

from enum import Enum, auto

from sqlglot import Expr, exp

from local.snowflake.names import resolve


class Kind(Enum):
    """Snowflake's classes of statements, as far as transactions and locks go."""

    READ = auto()  # no lock, no transaction
    DML = auto()  # joins the transaction, or begins one when autocommit is off
    DDL = auto()  # commits the open transaction first, in Snowflake as here
    BEGIN = auto()
    COMMIT = auto()
    ROLLBACK = auto()
    SESSION = auto()  # concerns nobody but this session


_KINDS: dict[type[Expr], Kind] = {
    exp.Transaction: Kind.BEGIN,
    exp.Commit: Kind.COMMIT,
    exp.Rollback: Kind.ROLLBACK,
    exp.Insert: Kind.DML,
    exp.Update: Kind.DML,
    exp.Delete: Kind.DML,
    exp.Merge: Kind.DML,
    exp.Copy: Kind.DML,
    exp.MultitableInserts: Kind.DML,
    exp.Create: Kind.DDL,
    exp.Drop: Kind.DDL,
    exp.Alter: Kind.DDL,
    exp.Comment: Kind.DDL,
    exp.TruncateTable: Kind.DDL,
    exp.Use: Kind.SESSION,
    exp.Set: Kind.SESSION,
}

_COMMANDS = {"SHOW": Kind.READ, "EXPLAIN": Kind.READ, "DESC": Kind.READ, "DESCRIBE": Kind.READ, "CALL": Kind.READ}


def kind_of(statement: Expr) -> Kind:
    """The kind of a parsed Snowflake statement; what the parser only keeps as text counts as DDL, the safe side."""
    if isinstance(statement, exp.Alter) and statement.kind == "SESSION":
        return Kind.SESSION
    if isinstance(statement, exp.Command):
        return _COMMANDS.get(str(statement.this).upper(), Kind.DDL)
    return _KINDS.get(type(statement), Kind.READ)


def written_table(statement: Expr, database: str | None, schema: str | None) -> str | None:
    """The full name of the table that a DML statement changes; None where there is no single one."""
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    if not isinstance(target, exp.Table) or not isinstance(target.this, exp.Identifier):
        return None
    return str(resolve(target, database, schema))
