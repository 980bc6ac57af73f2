"""SQL errors with the numbers that Snowflake gives them, so that callers' handling is exercised."""

import duckdb
from snowflake.connector.errors import DatabaseError, ProgrammingError

LOCK_TIMEOUT = 625
CANCELED = 604
STATEMENT_TIMEOUT = 630
NONDETERMINISTIC_MERGE = 100090
BAD_JSON = 100069
FILE_NOT_FOUND = 91016
NOT_SUPPORTED = 9999
DUCKDB_ERROR = 100132

SqlError = ProgrammingError | DatabaseError


def sql_error(errno: int, message: str, sqlstate: str) -> ProgrammingError:
    """A ProgrammingError as the connector raises it; `errno` without leading zeros."""
    return ProgrammingError(msg=message, errno=errno, sqlstate=sqlstate)


def unsupported(what: str) -> ProgrammingError:
    """Snowflake may well do this; the stand-in says that it doesn't, instead of guessing."""
    return sql_error(NOT_SUPPORTED, f"the local stand-in does not support {what}", "0A000")


_BY_TYPE: tuple[tuple[type[duckdb.Error], int, str], ...] = (
    (duckdb.CatalogException, 2003, "42S02"),
    (duckdb.BinderException, 904, "42000"),
    (duckdb.ParserException, 1003, "42000"),
    (duckdb.ConversionException, 100038, "22018"),
    (duckdb.ConstraintException, 100072, "22000"),
    (duckdb.OutOfRangeException, 100039, "22003"),
)


def from_duckdb(error: duckdb.Error) -> ProgrammingError:
    """Translate what DuckDB raised, most specific type first; the text stays DuckDB's own."""
    message = str(error).split("\n\nLINE")[0].strip()
    if isinstance(error, duckdb.InterruptException):
        return sql_error(CANCELED, "SQL execution canceled", "57014")
    if "same target row more than once" in message:
        return sql_error(NONDETERMINISTIC_MERGE, "Duplicate row detected during DML action", "42P18")
    if "Malformed JSON" in message:
        return sql_error(BAD_JSON, f"Error parsing JSON: {message}", "22P02")
    for kind, errno, sqlstate in _BY_TYPE:
        if isinstance(error, kind):
            return sql_error(errno, message, sqlstate)
    return sql_error(DUCKDB_ERROR, f"{type(error).__name__}: {message}", "58000")
