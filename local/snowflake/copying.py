"""COPY INTO a table from Parquet files, by column name.

Gaps: fakesnow cannot COPY into a temporary table, rejects PATTERN and INCLUDE_METADATA, reads `a=b` directories as
columns, parses a text column into VARIANT (Snowflake stores it as a string), and reports a missing file otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from glob import escape
from typing import Any

import duckdb
from fakesnow.transforms.file_format import lookup_file_format
from fakesnow.transforms.options import parse_options
from sqlglot import Expr, exp

from local.snowflake.errors import sql_error, unsupported
from local.snowflake.stages import StagedFile, StageRoots

_IGNORED = frozenset({"LOAD_UNCERTAIN_FILES", "RETURN_FAILED_ONLY", "ENFORCE_LENGTH", "TRUNCATECOLUMNS"})


@dataclass
class CopyOptions:
    """The options of one COPY statement."""

    files: list[str] = field(default_factory=list)
    pattern: str | None = None
    file_format: dict[str, Any] = field(default_factory=dict)
    match_by_column_name: str = "NONE"
    metadata: dict[str, str] = field(default_factory=dict)  # table column → METADATA$…
    force: bool = False


@dataclass(frozen=True)
class CopyTarget:
    """The table: its DuckDB name, and where its load history is kept."""

    sql: str
    schema: str
    name: str
    history_sql: str


@dataclass(frozen=True)
class CopiedFile:
    """What became of one file."""

    url: str
    status: str
    rows: int


def source_of(statement: exp.Copy) -> str:
    """`@stage/path` or a URL. Raises for COPY with a query as its source."""
    source = statement.args["files"][0]
    inner = source.this
    if isinstance(source, exp.Subquery) or not isinstance(inner, exp.Var | exp.Literal):
        raise unsupported("COPY from a query over a stage; match columns by name and transform in the MERGE")
    return str(inner.name)


def copy_options(
    statement: exp.Copy, duck: duckdb.DuckDBPyConnection, database: str | None, schema: str | None
) -> CopyOptions:
    """Read the options. Raises for any that would change the result and is not carried out here."""
    options = CopyOptions()
    for parameter in statement.args.get("params") or []:
        name, value = parameter.this.name.upper(), parameter.args.get("expression")
        match name:
            case "FILES":
                options.files = [literal.name for literal in parameter.find_all(exp.Literal)]
            case "PATTERN":
                options.pattern = value.name
            case "FILE_FORMAT":
                given = parse_options(parameter.expressions)
                if named := given.pop("FORMAT_NAME", None):
                    given = {**lookup_file_format(duck, str(named).lstrip("'"), database, schema), **given}
                options.file_format = given
            case "MATCH_BY_COLUMN_NAME":
                options.match_by_column_name = value.name.upper()
            case "INCLUDE_METADATA":
                options.metadata = {
                    pair.this.name.upper(): pair.expression.name.upper() for pair in parameter.find_all(exp.EQ)
                }
            case "FORCE":
                options.force = _true(value)
            case "ON_ERROR":
                if value.name.upper() != "ABORT_STATEMENT":
                    raise unsupported(f"ON_ERROR = {value.name}")
            case "PURGE":
                if _true(value):
                    raise unsupported("PURGE = TRUE")
            case _ if name not in _IGNORED:
                raise unsupported(f"COPY option {name}")
    return options


def is_parquet(options: CopyOptions) -> bool:
    """Whether this module can do it; CSV and JSON stay with fakesnow."""
    return str(options.file_format.get("TYPE", "CSV")).upper() == "PARQUET"


def copy_parquet(
    duck: duckdb.DuckDBPyConnection, target: CopyTarget, source: str, roots: StageRoots, options: CopyOptions,
    database: str | None, schema: str | None,
) -> list[CopiedFile]:  # fmt: skip
    """Insert each file's rows. Columns the file lacks become NULL, columns the table lacks are ignored; a file that
    this table has loaded before is skipped unless FORCE. Raises duckdb.Error or ProgrammingError."""
    if options.match_by_column_name not in {"CASE_INSENSITIVE", "CASE_SENSITIVE"}:
        raise unsupported("COPY of Parquet without MATCH_BY_COLUMN_NAME")
    location = roots.locate(source, duck, database, schema)
    files = location.named(options.files) if options.files else location.matching(options.pattern)
    copied = []
    for file in files:
        if not options.force and _loaded_before(duck, target, file):
            copied.append(CopiedFile(file.url, "LOAD_SKIPPED", 0))
            continue
        rows = _insert(duck, target, file, options)
        duck.execute(
            f"INSERT INTO {target.history_sql} (SCHEMA_NAME, FILE_NAME, TABLE_NAME, LAST_LOAD_TIME, STATUS, ROW_COUNT, "
            "ROW_PARSED, ERROR_COUNT, ERROR_LIMIT) VALUES (?, ?, ?, ?, 'LOADED', ?, ?, 0, 1)",
            [target.schema, file.url, target.name, datetime.now(UTC), rows, rows],
        )
        copied.append(CopiedFile(file.url, "LOADED", rows))
    return copied


def result_sql(copied: Sequence[CopiedFile]) -> str:
    """DuckDB SQL of COPY's result: one row a file, with Snowflake's columns."""
    if not copied:
        return "SELECT 'Copy executed with 0 files processed.' AS status"
    rows = ", ".join(
        f"('{file.url.replace(chr(39), chr(39) * 2)}', '{file.status}', {file.rows}, {file.rows}, 1, "
        f"{0 if file.status == 'LOADED' else 1}, "
        f"{'NULL' if file.status == 'LOADED' else chr(39) + 'File was loaded before.' + chr(39)})"
        for file in copied
    )
    return (
        "SELECT file, status, rows_parsed::BIGINT AS rows_parsed, rows_loaded::BIGINT AS rows_loaded, error_limit, "
        "errors_seen, first_error::VARCHAR AS first_error, NULL::BIGINT AS first_error_line, "
        "NULL::BIGINT AS first_error_character, NULL::VARCHAR AS first_error_column_name "
        f"FROM (VALUES {rows}) t(file, status, rows_parsed, rows_loaded, error_limit, errors_seen, first_error)"
    )


def _loaded_before(duck: duckdb.DuckDBPyConnection, target: CopyTarget, file: StagedFile) -> bool:
    found = duck.execute(
        f"SELECT 1 FROM {target.history_sql} WHERE FILE_NAME = ? AND TABLE_NAME = ? AND SCHEMA_NAME = ? LIMIT 1",
        [file.url, target.name, target.schema],
    ).fetchone()
    return found is not None


def _insert(duck: duckdb.DuckDBPyConnection, target: CopyTarget, file: StagedFile, options: CopyOptions) -> int:
    path = escape(str(file.path)).replace("'", "''")
    # no hive_partitioning: DuckDB would take a directory named a=b for a column
    read = f"read_parquet('{path}', hive_partitioning = false, file_row_number = true)"
    table_columns = _columns(duck, target.sql)
    file_columns = _columns(duck, read)
    fold = str.upper if options.match_by_column_name == "CASE_INSENSITIVE" else str
    by_name = {fold(name): (name, kind) for name, kind in file_columns.items() if name != "file_row_number"}
    names, values = [], []
    for column, kind in table_columns.items():
        if wanted := options.metadata.get(column.upper()):
            value = _metadata(wanted, file)
        elif found := by_name.get(fold(column)):
            value = _value(found[0], found[1], kind)
        else:
            # also where the column has a default, as Snowflake does
            value = "NULL"
        names.append(_identifier(column))
        values.append(value)
    duck.execute(f"INSERT INTO {target.sql} ({', '.join(names)}) SELECT {', '.join(values)} FROM {read}")
    return sum(int(count) for (count,) in duck.fetchall())


def _columns(duck: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    description = duck.execute(f"SELECT * FROM {relation} LIMIT 0").description or []
    return {column[0]: str(column[1]) for column in description}


def _value(column: str, file_type: str, table_type: str) -> str:
    name = _identifier(column)
    if table_type == "JSON" and file_type != "JSON":
        return f"CASE WHEN {name} IS NOT NULL THEN to_json({name}) END"
    return name


def _metadata(wanted: str, file: StagedFile) -> str:
    match wanted:
        case "METADATA$FILENAME":
            return "'" + file.object_name.replace("'", "''") + "'"
        case "METADATA$FILE_ROW_NUMBER":
            return "file_row_number + 1"
        case "METADATA$FILE_LAST_MODIFIED":
            return f"to_timestamp({file.path.stat().st_mtime})::TIMESTAMP"
        case "METADATA$START_SCAN_TIME":
            return "now()"
    raise unsupported(f"INCLUDE_METADATA with {wanted}")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _true(value: Expr | None) -> bool:
    if isinstance(value, exp.Boolean):
        return bool(value.this)
    if isinstance(value, exp.Var):
        return value.name.upper() == "TRUE"
    raise sql_error(1008, "invalid value for a COPY option", "22023")
