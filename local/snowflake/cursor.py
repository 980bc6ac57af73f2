"""From a statement's text to its result: what the session answers itself, the lock, fakesnow's translation, DuckDB.

Gap: fakesnow parses each statement twice, describes each result by a third query, and raises errors that its server
turns into HTTP 500, which the connector retries for ever.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import duckdb
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse, parse_one
from fakesnow.statement_type import statement_type_id
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from local.snowflake import aggregates, result_scan
from local.snowflake.comments import column_comments
from local.snowflake.copying import CopyTarget, copy_options, copy_parquet, is_parquet, result_sql, source_of
from local.snowflake.describe import describe_elsewhere
from local.snowflake.errors import from_duckdb, sql_error, unsupported
from local.snowflake.merge import run_merge
from local.snowflake.names import resolve
from local.snowflake.parameters import alter_session
from local.snowflake.results import Column
from local.snowflake.rewrites import REWRITES, inline_variables
from local.snowflake.statements import Kind, kind_of, written_table
from local.snowflake.temporary import is_temporary_create, physical
from local.snowflake.walk import Chained

if TYPE_CHECKING:
    from local.snowflake.session import Session

_SUCCESS = sqlglot.parse_one("SELECT 'Statement executed successfully.' AS \"status\"", read="duckdb")
_TEMPORARY_HISTORY = "_FS_TEMPORARY_LOAD_HISTORY"


class Cursor(FakeSnowflakeCursor):
    """Runs statements for one session."""

    _conn: "Session"

    def __init__(self, session: "Session", duck: duckdb.DuckDBPyConnection) -> None:
        super().__init__(session, duck)
        self.columns: list[Column] = []
        self.statement_type_id = 0
        self.statement_kind = "UNKNOWN"
        self._changed_rows: int | None = None

    @property
    def rowcount(self) -> int | None:
        """Rows of the result, or rows that a DML statement changed."""
        return self._rowcount if self._changed_rows is None else self._changed_rows

    @property
    def upload(self) -> Any:
        """What a PUT asks the client to upload; None for every other statement."""
        last = self._last_transformed
        return last.args.get("put_stage_data") if last is not None else None

    @property
    def last_statement(self) -> Expr | None:
        """The last statement, as DuckDB got it."""
        return self._last_transformed

    def result(self) -> Any:
        """The result as an Arrow table."""
        return self._arrow_table

    def describe_only(self, sql: str) -> list[Column] | None:
        """The result's columns without running it; None where that is not possible."""
        described = self._describe_only(sql)
        return None if described is None else [(row[0], row[1]) for row in described]

    def execute(
        self, command: str, params: Sequence[Any] | dict[Any, Any] | None = None, *_: Any, **kwargs: Any
    ) -> "Cursor":
        """Run one statement. Raises ProgrammingError (or fakesnow's DatabaseError) for what Snowflake would reject."""
        bound = kwargs.get("binding_params") or params
        try:
            # fakesnow takes used-up placeholders out of the list
            self._run(command, bound if bound is None or isinstance(bound, dict) else list(bound))
        except duckdb.Error as error:
            raise from_duckdb(error) from error
        except NotImplementedError as error:
            raise unsupported(str(error)) from error
        except SqlglotError as error:
            raise sql_error(1003, f"SQL compilation error: {error}", "42000") from error
        return self

    def _run(self, command: str, params: list[Any] | dict[Any, Any] | None) -> None:
        session = self._conn
        statement = _only_statement(command)
        if "$" in command:
            statement = inline_variables(statement, session.variables._variables, parse_one)  # noqa: SLF001 - fakesnow has no other way in
        self.statement_type_id = statement_type_id(statement)
        self.statement_kind = statement.key.upper()
        kind = kind_of(statement)
        if (answer := self._transaction_control(kind)) is None:
            answer = self._session_answer(statement)
        if answer is not None:
            self._execute(answer)
            return
        self.check_db_and_schema(statement)
        with _Locked(session, statement, kind):
            self._translate_and_execute(statement, command, kind, params)

    def _transaction_control(self, kind: Kind) -> Expr | None:
        transaction = self._conn.transaction
        if kind is Kind.BEGIN:
            transaction.begin()
        elif kind is Kind.COMMIT:
            transaction.commit()
        elif kind is Kind.ROLLBACK:
            transaction.rollback()
        else:
            transaction.check()
            return None
        return _SUCCESS.copy()

    def _session_answer(self, statement: Expr) -> Expr | None:
        """The result of what needs no DuckDB; None for every other statement."""
        session = self._conn
        if isinstance(statement, exp.Alter) and (parameters := statement.find(exp.AlterSession)):
            for name, value in alter_session(parameters).items():
                session.set_parameter(name, value)
            return _SUCCESS.copy()
        if session.context.use(statement):
            return _SUCCESS.copy()
        if isinstance(statement, exp.Command) and show_parameters_like(statement) is not None:
            return session.parameters.show(show_parameters_like(statement) or None)
        if isinstance(statement, exp.Describe) and isinstance(table := statement.this, exp.Table):
            described = bool(table.db or session.schema_set) and resolve(table, session.database, session.schema)
            if described and described in session.temporary:
                return sqlglot.parse_one(session.temporary.describe(described), read="duckdb")
            if described and described.database != session.database and described.schema != "INFORMATION_SCHEMA":
                return sqlglot.parse_one(describe_elsewhere(described), read="duckdb")
        if isinstance(statement, exp.ListStage):
            return self._list_stage(statement)
        return None

    def _list_stage(self, statement: exp.ListStage) -> Expr | None:
        session = self._conn
        source = statement.this.name.strip("'")
        if "%" in source or source.startswith("@~"):
            return None
        location = session.stages.locate(source, self._duck_conn, session.database, session.schema)
        pattern = statement.args.get("pattern")
        rows = [
            (f.url, f.path.stat().st_size, "", str(int(f.path.stat().st_mtime)))
            for f in location.matching(pattern.name if pattern else None)
        ]
        columns = ("name", "size", "md5", "last_modified")
        picked = [exp.alias_(exp.column(c), c, quoted=True) for c in columns]
        values = exp.values(rows or [("", 0, "", "")], alias="t", columns=columns)
        return exp.select(*picked).from_(values).where(exp.true() if rows else exp.false())

    def _translate_and_execute(
        self, statement: Expr, command: str, kind: Kind, params: list[Any] | dict[Any, Any] | None
    ) -> None:
        session = self._conn
        if (comments := column_comments(statement)) is not None:
            for comment in comments:
                self._duck_conn.execute(self._transform(comment, None).sql(dialect="duckdb"))
            self._execute(_SUCCESS.copy())
            return
        for rewrite in REWRITES:
            rewrite(statement)
        aggregates.mark(statement)
        name = session.temporary.named(statement, session.database, session.schema)
        statement = session.temporary.redirect(statement, session.database, session.schema)
        statement = session.context.fill_in(statement)
        if "QUERY_HISTORY" in command.upper():
            statement = session.history.substitute(statement, self._duck_conn)
        statement = result_scan.substitute(statement, session.results_cache, self._duck_conn)
        if (database := _dropped_database(statement)) is not None:
            self._drop_database(database, if_exists=bool(statement.args.get("exists")))
            return
        parts = self._transform_explode(statement)
        if len(parts) > 1 and kind is Kind.DML and not session.transaction.writing:
            # fakesnow makes INSERT OVERWRITE two statements; Snowflake's is one, so both or none
            with self._atomic():
                self._execute_parts(parts, params)
        else:
            self._execute_parts(parts, params)
        session.temporary.executed(statement, name)

    def _drop_database(self, database: str, *, if_exists: bool) -> None:
        """DuckDB has no DROP DATABASE: detach it and remove its file."""
        session = self._conn
        if database == session.database:
            self._duck_conn.execute("SET schema = 'memory.main'")
            session.database, session._schema = None, None  # noqa: SLF001 - as fakesnow does
            session.database_set = session.schema_set = False
        self._duck_conn.execute(f'DETACH DATABASE {"IF EXISTS " if if_exists else ""}"{database}"')
        session.store.forget(database)
        dropped = exp.Literal.string(f"{database} successfully dropped.")
        self._execute(exp.select(exp.alias_(dropped, "status", quoted=True)))

    def _execute_parts(self, parts: list[Expr], params: list[Any] | dict[Any, Any] | None) -> None:
        for part in parts:
            transformed = self._transform(part, params)
            aggregates.restore(transformed)
            self._execute(transformed, params if transformed.find(exp.Placeholder) else None)

    def _atomic(self) -> "_Atomic":
        return _Atomic(self._duck_conn)

    def _transform(self, expression: Expr, params: Any) -> Expr:
        chained = Chained(expression)
        super()._transform(cast("Expr", chained), params)
        return chained.tree

    def _transform_explode(self, expression: Expr) -> list[Expr]:
        # DuckDB's own MERGE is one statement, see merge.py
        return [expression] if isinstance(expression, exp.Merge) else super()._transform_explode(expression)

    def _execute(self, transformed: Expr, params: Any = None) -> None:
        if isinstance(transformed, exp.Merge):
            result, rows = run_merge(self._duck_conn, transformed, params)
            super()._execute(result)
            self._changed_rows = rows
        elif isinstance(transformed, exp.Copy):
            self._copy(transformed, params)
        elif is_temporary_create(transformed):
            # past fakesnow's bookkeeping, which looks the table up in the current database
            self._duck_conn.execute(transformed.sql(dialect="duckdb"), params)
            created = f"{transformed.args['kind'].title()} {_name(transformed)} successfully created."
            super()._execute(exp.select(exp.alias_(exp.Literal.string(created), "status", quoted=True)))
        else:
            if isinstance(transformed, exp.TruncateTable):
                self._forget_loads(transformed)
            _quote_comment(transformed)
            super()._execute(transformed, params)
        self.columns = [(column[0], str(column[1])) for column in self._duck_conn.description or []]

    def _copy(self, statement: exp.Copy, params: Any) -> None:
        session = self._conn
        options = copy_options(statement, self._duck_conn, session.database, session.schema)
        source = source_of(statement)
        if not is_parquet(options):
            location = session.stages.locate(source, self._duck_conn, session.database, session.schema)
            files = location.named(options.files) if options.files else location.matching(options.pattern)
            if not files:
                super()._execute(sqlglot.parse_one(result_sql([]), read="duckdb"))
                return
            super()._execute(_local_files(statement, [str(f.path) for f in files]), params)
            return
        copied = copy_parquet(
            self._duck_conn, self._copy_target(statement), source, session.stages, options,
            session.database, session.schema,
        )  # fmt: skip
        super()._execute(sqlglot.parse_one(result_sql(copied), read="duckdb"))

    def _forget_loads(self, statement: exp.TruncateTable) -> None:
        """TRUNCATE also deletes what COPY remembers of the table, in Snowflake."""
        for table in statement.expressions:
            target = self._copy_target(exp.Copy(this=table))
            self._duck_conn.execute(
                f"DELETE FROM {target.history_sql} WHERE TABLE_NAME = ? AND SCHEMA_NAME = ?",
                [target.name, target.schema],
            )

    def _copy_target(self, statement: exp.Copy) -> CopyTarget:
        if not isinstance(table := statement.this, exp.Table):
            raise unsupported("COPY by column name with a column list")
        session = self._conn
        if table.name in {physical(name) for name in session.temporary.names} and not table.db:
            self._duck_conn.execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {_TEMPORARY_HISTORY} AS "
                f'SELECT * FROM "{session.database}"._fs_information_schema._fs_load_history LIMIT 0'
            )
            # by its number, so that a table created again under the same name has loaded nothing
            [(oid,)] = self._duck_conn.execute(
                "SELECT table_oid FROM duckdb_tables() WHERE temporary AND table_name = ?", [table.name]
            ).fetchall()
            return CopyTarget(f'"{table.name}"', "", str(oid), _TEMPORARY_HISTORY)
        name = resolve(table, session.database, session.schema)
        history = f'"{name.database}"._fs_information_schema._fs_load_history'
        return CopyTarget(name.sql(), name.schema, name.name, history)


class _Locked:
    """The writer lock and the implicit commit around one statement, as its kind needs them."""

    def __init__(self, session: "Session", statement: Expr, kind: Kind) -> None:
        self._session = session
        self._kind = kind
        self._private = kind in {Kind.DML, Kind.DDL} and session.temporary.is_target(
            statement, session.database, session.schema
        )
        self._table = written_table(statement, session.database, session.schema) if kind is Kind.DML else None
        self._taken = False

    def __enter__(self) -> None:
        transaction = self._session.transaction
        alone = transaction.autocommit and not transaction.declared
        if self._kind is Kind.DML and not (self._private and alone):
            self._taken = transaction.before_write(self._table, self._session.parameters.seconds("LOCK_TIMEOUT"))
        elif self._kind is Kind.DDL:
            self._taken = transaction.before_ddl(locked=not self._private)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        transaction = self._session.transaction
        if kind is not None:
            transaction.after_failure()
        if self._taken:
            transaction.release()


class _Atomic:
    """A DuckDB transaction around several statements that Snowflake runs as one."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self._duck = duck

    def __enter__(self) -> None:
        self._duck.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._duck.commit()
        else:
            self._duck.rollback()


def _only_statement(command: str) -> Expr:
    statements = [s for s in parse(command) if s is not None and not isinstance(s, exp.Semicolon)]
    if not statements:
        raise sql_error(900, "SQL compilation error: Empty SQL statement.", "42601")
    if len(statements) > 1:
        raise sql_error(
            8, f"Actual statement count {len(statements)} did not match the desired statement count 1.", "0A000"
        )
    return statements[0]


def show_parameters_like(statement: exp.Command) -> str | None:
    """The pattern of SHOW PARAMETERS (empty without LIKE); None for another statement."""
    if str(statement.this).upper() != "SHOW":
        return None
    tokens = sqlglot.tokenize(str(statement.expression), read="snowflake")
    if not tokens or tokens[0].text.upper() != "PARAMETERS":
        return None
    return next((t.text for t in tokens if t.token_type in (TokenType.STRING, TokenType.RAW_STRING)), "")


def _name(statement: Expr) -> str:
    table = statement.find(exp.Table)
    return table.name.rpartition(".")[2] if table is not None else ""


def _quote_comment(transformed: Expr) -> None:
    """fakesnow puts a table's comment between apostrophes as it is, and 'None' where there is no comment."""
    if table_comment := transformed.args.get("table_comment"):
        table, comment = table_comment
        if comment is None:
            transformed.args.pop("table_comment")
        else:
            transformed.args["table_comment"] = (table, str(comment).replace("'", "''"))


def _dropped_database(statement: Expr) -> str | None:
    if isinstance(statement, exp.Drop) and statement.kind == "DATABASE":
        name = statement.find(exp.Identifier)
        return (name.name if name.quoted else name.name.upper()) if name else None
    return None


def _local_files(statement: exp.Copy, paths: list[str]) -> exp.Copy:
    """COPY of CSV or JSON by fakesnow's own code: plain file URLs, without the options it does not know."""
    local = statement.copy()
    local.set("files", [exp.Table(this=exp.Literal.string("file:///"))])
    kept = [p for p in local.args["params"] if p.this.name.upper() not in {"FILES", "PATTERN"}]
    names = exp.Tuple(expressions=[exp.Literal.string(path.lstrip("/")) for path in paths])
    local.set("params", [*kept, exp.CopyParameter(this=exp.var("FILES"), expression=names)])
    return local
