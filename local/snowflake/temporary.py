"""Temporary tables and views of one session.

Gap: DuckDB keeps temporary objects in its own catalog, so `CREATE TEMPORARY TABLE db.schema.t`, and COPY into such a
table, fail. Here the object lives in DuckDB's temporary catalog under a name made of all three parts, and each
statement of the session that names it is pointed there. So other sessions don't see it, it hides a permanent
table of its name, it needs no writer lock, and it is gone when the session is.
"""

import duckdb
from sqlglot import Expr, exp

from local.snowflake.errors import unsupported
from local.snowflake.names import QualifiedName, resolve

_UNALIASED = (exp.Create, exp.Schema, exp.Drop, exp.Insert, exp.Copy, exp.Describe, exp.TruncateTable, exp.Alter)


class TemporaryObjects:
    """Which names of this session mean a temporary object."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self._duck = duck
        self._names: dict[QualifiedName, str] = {}

    @property
    def names(self) -> list[QualifiedName]:
        """All of them."""
        return list(self._names)

    def __contains__(self, name: QualifiedName) -> bool:
        return name in self._names

    def is_target(self, statement: Expr, database: str | None, schema: str | None) -> bool:
        """Whether a write concerns a temporary object only, so that nobody else has to wait for it."""
        if is_temporary_create(statement):
            return True
        if not self._names:
            return False
        targets = statement.args.get("tables") or [statement.this] if isinstance(statement, exp.Drop) else None
        if targets is None:
            targets = statement.expressions if isinstance(statement, exp.TruncateTable) else [statement.this]
        tables = [t.this if isinstance(t, exp.Schema) else t for t in targets]
        return all(isinstance(t, exp.Table) and self._key(t, database, schema) in self._names for t in tables)

    def redirect(self, statement: Expr, database: str | None, schema: str | None) -> Expr:
        """Point every reference at the temporary object it means; a CREATE TEMPORARY names a new one."""
        created = _created_table(statement) if is_temporary_create(statement) else None
        if created is None and not self._names:
            return statement
        ctes = {cte.alias_or_name.upper() for cte in statement.find_all(exp.CTE)}
        for table in list(statement.find_all(exp.Table)):
            if not isinstance(table.this, exp.Identifier) or (not table.db and table.name.upper() in ctes):
                continue
            key = self._key(table, database, schema)
            if key is None or (table is not created and key not in self._names):
                continue
            if isinstance(statement, exp.Alter) and statement.find(exp.AlterRename):
                raise unsupported("ALTER TABLE … RENAME of a temporary table")
            _point(table, key)
        return statement

    def executed(self, statement: Expr, name: QualifiedName | None) -> None:
        """Take note of what a successful CREATE or DROP of `name` changed."""
        if name is None:
            return
        if is_temporary_create(statement):
            self._names[name] = physical(name)
        elif isinstance(statement, exp.Drop):
            self._names.pop(name, None)

    def named(self, statement: Expr, database: str | None, schema: str | None) -> QualifiedName | None:
        """The temporary object that a CREATE or DROP is about; read it before `redirect`."""
        if is_temporary_create(statement):
            created = _created_table(statement)
            return resolve(created, database, schema) if created is not None else None
        if isinstance(statement, exp.Drop):
            tables = statement.args.get("tables") or [statement.this]
            if isinstance(tables[0], exp.Table) and isinstance(tables[0].this, exp.Identifier):
                key = self._key(tables[0], database, schema)
                return key if key in self._names else None
        return None

    def describe(self, name: QualifiedName) -> str:
        """DuckDB SQL with the columns of DESCRIBE TABLE for a temporary object."""
        rows = self._duck.execute(f'DESCRIBE "{physical(name)}"').fetchall()
        values = ", ".join(
            f"({position}, {_quote(column)}, {_quote(_snowflake_type(kind))}, {_quote('Y' if null == 'YES' else 'N')})"
            for position, (column, kind, null, *_rest) in enumerate(rows)
        )
        return (
            'SELECT name AS "name", type AS "type", \'COLUMN\' AS "kind", nullable AS "null?", '
            'NULL::VARCHAR AS "default", \'N\' AS "primary key", \'N\' AS "unique key", NULL::VARCHAR AS "check", '
            'NULL::VARCHAR AS "expression", NULL::VARCHAR AS "comment", NULL::VARCHAR AS "policy name", '
            f'NULL::JSON AS "privacy domain" FROM (VALUES {values}) t(position, name, type, nullable) ORDER BY position'
        )

    def _key(self, table: exp.Table, database: str | None, schema: str | None) -> QualifiedName | None:
        if not (table.args.get("catalog") or database) or not (table.args.get("db") or schema):
            return None
        return resolve(table, database, schema)


def physical(name: QualifiedName) -> str:
    """The name in DuckDB's temporary catalog."""
    return str(name)


def is_temporary_create(statement: Expr) -> bool:
    """CREATE TEMPORARY TABLE or VIEW."""
    return (
        isinstance(statement, exp.Create)
        and statement.kind in {"TABLE", "VIEW"}
        and any(isinstance(p, exp.TemporaryProperty) for p in _properties(statement))
    )


def _properties(statement: exp.Create) -> list[Expr]:
    properties = statement.args.get("properties")
    return list(properties.expressions) if properties else []


def _created_table(statement: Expr) -> exp.Table | None:
    this = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    return this if isinstance(this, exp.Table) else None


def _point(table: exp.Table, key: QualifiedName) -> None:
    for column in table.root().find_all(exp.Column):
        if column.table.upper() == key.name.upper() and column.args.get("db"):
            column.set("db", None)
            column.set("catalog", None)
    table.set("this", exp.to_identifier(physical(key), quoted=True))
    table.set("db", None)
    table.set("catalog", None)
    if not table.alias and not isinstance(table.parent, _UNALIASED):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(key.name, quoted=True)))


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _snowflake_type(duck_type: str) -> str:
    if duck_type.startswith("DECIMAL"):
        return "NUMBER" + duck_type.removeprefix("DECIMAL")
    return {
        "BIGINT": "NUMBER(38,0)",
        "INTEGER": "NUMBER(38,0)",
        "HUGEINT": "NUMBER(38,0)",
        "VARCHAR": "VARCHAR(16777216)",
        "DOUBLE": "FLOAT",
        "JSON": "VARIANT",
        "TIMESTAMP": "TIMESTAMP_NTZ(9)",
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ(9)",
        "TIME": "TIME(9)",
        "BLOB": "BINARY(8388608)",
    }.get(duck_type, duck_type)
