"""Snowflake's identifiers: as written when quoted, upper case when not."""

from dataclasses import dataclass

from sqlglot import Expr, exp

from local.snowflake.errors import sql_error


@dataclass(frozen=True)
class QualifiedName:
    """A table, view or stage with its database and schema, resolved."""

    database: str
    schema: str
    name: str

    def sql(self) -> str:
        """For DuckDB, every part quoted."""
        return ".".join(f'"{part.replace(chr(34), chr(34) * 2)}"' for part in (self.database, self.schema, self.name))

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


def folded(identifier: Expr | None) -> str:
    """An identifier as Snowflake stores it; empty for a missing one."""
    if not isinstance(identifier, exp.Identifier):
        return ""
    name: str = identifier.name
    return name if identifier.quoted else name.upper()


def resolve(table: exp.Table, database: str | None, schema: str | None) -> QualifiedName:
    """Complete a table's name from the session. Raises if it has no database or schema to complete it with."""
    catalog = folded(table.args.get("catalog")) or database
    db = folded(table.args.get("db")) or schema
    if not catalog or not db:
        raise sql_error(90105, f"'{table.name}' needs a current database and schema, or a qualified name", "22000")
    return QualifiedName(catalog, db, folded(table.this))
