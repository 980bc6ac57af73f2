"""A contract as Snowflake statements: values in, text out. Identifiers are allow-listed and quoted, values bound."""

from collections.abc import Sequence

from shared.contracts.contract import INGESTED_AT, RESTATED_AT, Column, Contract, Kind
from shared.contracts.identifiers import literal, quoted

TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "NUMBER(38,0)",
    Kind.NUMBER: "FLOAT",
    Kind.MONEY: "NUMBER(38,6)",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.INSTANT: "TIMESTAMP_TZ",
    Kind.JSON: "VARIANT",
}
"""A kind's type in a table."""

LEDGER_COLUMNS = ("object_name", "generation", "source", "window_id", "revision", "part", "rows", "run_id", "loaded_at")
"""Columns of a ledger table; one row a landing object and generation."""

_LEDGER_TYPES = {
    "generation": "NUMBER(38,0)",
    "revision": "NUMBER(38,0)",
    "part": "NUMBER(38,0)",
    "rows": "NUMBER(38,0)",
    "loaded_at": "TIMESTAMP_TZ",
}


def create_table(contract: Contract, schema: str) -> str:
    """DDL of the RAW table."""
    columns = ", ".join(_declared(column) for column in contract.stored)
    cluster = f"CAST({quoted(contract.cluster_by)} AS DATE)"
    return f"CREATE TABLE IF NOT EXISTS {_table(schema, contract.table)} ({columns}) CLUSTER BY ({cluster})"


def create_ledger(contract: Contract, schema: str) -> str:
    """DDL of the ledger beside the RAW table."""
    columns = ", ".join(f"{quoted(name)} {_LEDGER_TYPES.get(name, 'VARCHAR')} NOT NULL" for name in LEDGER_COLUMNS)
    return f"CREATE TABLE IF NOT EXISTS {_table(schema, contract.ledger_table)} ({columns})"


def add_column(contract: Contract, schema: str, column: Column) -> str:
    """DDL that adds a column which an older table lacks. Raises ValueError for a required one: old rows have none."""
    if column.required:
        raise ValueError(f"{contract.table}.{column.name} is required and cannot be added to a table with rows")
    # two loaders of a new version may find the column missing at the same time
    added = f"{quoted(column.name)} {TYPES[column.kind]}"
    return f"ALTER TABLE {_table(schema, contract.table)} ADD COLUMN IF NOT EXISTS {added}"


def create_staging(contract: Contract, schema: str, staging: str) -> str:
    """DDL of a temporary table with the Parquet file's columns. Run it before BEGIN: DDL commits."""
    columns = ", ".join(f"{quoted(c.name)} {_staged_type(c)}" for c in contract.landed)
    return f"CREATE TEMPORARY TABLE {_table(schema, staging)} ({columns})"


def drop_staging(schema: str, staging: str) -> str:
    """Takes the temporary table away; run it after the transaction."""
    return f"DROP TABLE IF EXISTS {_table(schema, staging)}"


def count_staged(schema: str, staging: str) -> str:
    """How many rows COPY brought."""
    return f"SELECT COUNT(*) FROM {_table(schema, staging)}"


def create_tables(contract: Contract, schema: str) -> dict[str, str]:
    """DDL of the RAW table and of those beside it, by the table's name."""
    tables = {contract.table: create_table(contract, schema), contract.ledger_table: create_ledger(contract, schema)}
    if contract.scope is not None:
        tables[contract.scopes_table] = create_scopes(contract, schema)
    return tables


def columns_of(database: str, tables: int) -> str:
    """Table and name of each column of `tables` tables, of those that are there; binds the schema and each table."""
    return (
        f"SELECT TABLE_NAME, COLUMN_NAME FROM {quoted(database)}.INFORMATION_SCHEMA.COLUMNS "
        f"WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN ({', '.join(['%s'] * tables)})"
    )


def claim_in_ledger(contract: Contract, schema: str) -> str:
    """The first statement of a load's transaction: takes the ledger's lock and inserts the object once.

    Binds the ledger's columns in order. 0 rows inserted = the object is in the table already.
    """
    table = _table(schema, contract.ledger_table)
    source = ", ".join(f"%s AS {quoted(name)}" for name in LEDGER_COLUMNS)
    names = ", ".join(quoted(name) for name in LEDGER_COLUMNS)
    values = ", ".join(f"s.{quoted(name)}" for name in LEDGER_COLUMNS)
    return (
        f"MERGE INTO {table} AS t USING (SELECT {source}) AS s "
        f'ON t."OBJECT_NAME" = s."OBJECT_NAME" AND t."GENERATION" = s."GENERATION" '
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
    )


def rows_in_ledger(contract: Contract, schema: str) -> str:
    """How many rows of an object the ledger says are loaded; binds its name and generation."""
    table = _table(schema, contract.ledger_table)
    return f'SELECT "ROWS" FROM {table} WHERE "OBJECT_NAME" = %s AND "GENERATION" = %s'


def copy_into_staging(schema: str, staging: str, stage: str, folder: str, file: str) -> str:
    """COPY of one Parquet file below the stage into the staging table, columns matched by name."""
    return (
        f"COPY INTO {_table(schema, staging)} FROM @{_table(schema, stage)}/{_path(folder)}/ FILES = ({literal(file)}) "
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) "
        "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE ON_ERROR = ABORT_STATEMENT"
    )


def merge_from_staging(contract: Contract, schema: str, staging: str, *, compare: bool = False) -> str:
    """MERGE of the staging table into the RAW table; binds the instant of the load.

    The source side holds one row a key (the newest version, then the newest observation), because Snowflake inserts
    unmatched duplicates without a word. An older version never replaces a newer one; the same version observed later
    does; with `compare` (see Contract.compares) only if its content is another.
    """
    keys = ", ".join(quoted(key) for key in contract.keys)
    version, observed = quoted(contract.version), quoted("_observed_at")
    match = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in contract.keys)
    newer = f"(s.{version} > t.{version} OR (s.{version} = t.{version} AND s.{observed} >= t.{observed}))"
    if compare:
        newer += f" AND ({' OR '.join(_changed(contract, column) for column in _content(contract))})"
    updated = [c for c in (*contract.landed, INGESTED_AT) if c.name not in contract.keys]
    updates = ", ".join([*(_update(contract, c.name) for c in updated), *_restatement(contract)])
    names = ", ".join(quoted(c.name) for c in contract.stored)
    values = ", ".join(_inserted(contract, c) for c in contract.stored)
    selected = ", ".join(_from_staging(c) for c in contract.landed)
    return (
        f"MERGE INTO {_table(schema, contract.table)} AS t USING ("
        f"SELECT {selected}, CAST(%s AS TIMESTAMP_TZ) AS {quoted(INGESTED_AT.name)} FROM ("
        f"SELECT *, TRY_PARSE_JSON({_PAYLOAD}) AS {_PARSED} FROM {_table(schema, staging)} "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {version} DESC, {observed} DESC) = 1)"
        f") AS s ON {match} "
        f"WHEN MATCHED AND {newer} THEN UPDATE SET {updates} "
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
    )


def delete_vanished(contract: Contract, schema: str, staging: str, scopes: int) -> str:
    """UPDATE that flags rows of `scopes` whole re-read scopes which the staging table lacks.

    Binds vanished_values. Rows observed later than this extraction are left alone, so files may be loaded in any
    order; see delete_overtaken. A row that is left unchanged keeps the observation that it was written by: of these,
    a scope's own last reading tells what was observed later.
    """
    table, scope = _table(schema, contract.table), _scope(contract, "t")
    match = " AND ".join(f"s.{quoted(key)} = t.{quoted(key)}" for key in contract.keys)
    among = ", ".join(["%s"] * scopes)
    mine = "" if _shared(contract) else 't."_SOURCE" = %s AND '
    unread_since = (
        f"AND NOT EXISTS (SELECT 1 FROM {_table(schema, contract.scopes_table)} AS s WHERE {_same_scope(contract)} "
        'AND s."OBSERVED_AT" > %s) '
    )
    return (
        f'UPDATE {table} AS t SET "_IS_DELETED" = TRUE, "_OBSERVED_AT" = %s, "_INGESTED_AT" = %s, "_RUN_ID" = %s '
        f'WHERE {mine}NOT t."_IS_DELETED" AND t."_OBSERVED_AT" < %s '
        f"{unread_since if contract.leaves_unchanged else ''}"
        f"AND {scope} IN ({among}) "
        f"AND NOT EXISTS (SELECT 1 FROM {_table(schema, staging)} AS s WHERE {match})"
    )


def vanished_values(
    contract: Contract, *, observed_at: object, loaded_at: object, run_id: str, source: str, scopes: Sequence[str]
) -> list[object]:
    """What delete_vanished binds, in its order."""
    again = [observed_at] if contract.leaves_unchanged else []
    return [observed_at, loaded_at, run_id, *scope_values(contract, source), observed_at, *again, *scopes]


def create_scopes(contract: Contract, schema: str) -> str:
    """DDL of the table that says when each scope was last read whole."""
    columns = f'"SOURCE" VARCHAR NOT NULL, "SCOPE" {_scope_type(contract)} NOT NULL, "OBSERVED_AT" TIMESTAMP_TZ'
    return f"CREATE TABLE IF NOT EXISTS {_table(schema, contract.scopes_table)} ({columns} NOT NULL)"


def record_scopes(contract: Contract, schema: str, scopes: int) -> str:
    """MERGE of when `scopes` scopes were read whole; binds source, scope and observation of each. The latest wins."""
    values = ", ".join(["(%s, %s, %s)"] * scopes)
    return (
        f"MERGE INTO {_table(schema, contract.scopes_table)} AS t USING ("
        f'SELECT CAST(column1 AS VARCHAR) AS "SOURCE", CAST(column2 AS {_scope_type(contract)}) AS "SCOPE", '
        f'CAST(column3 AS TIMESTAMP_TZ) AS "OBSERVED_AT" FROM VALUES {values}) AS s '
        'ON t."SOURCE" = s."SOURCE" AND t."SCOPE" = s."SCOPE" '
        'WHEN MATCHED AND s."OBSERVED_AT" > t."OBSERVED_AT" THEN UPDATE SET "OBSERVED_AT" = s."OBSERVED_AT" '
        'WHEN NOT MATCHED THEN INSERT ("SOURCE", "SCOPE", "OBSERVED_AT") '
        'VALUES (s."SOURCE", s."SCOPE", s."OBSERVED_AT")'
    )


def count_newer_scopes(contract: Contract, schema: str) -> str:
    """How many scopes were read whole after an observation; binds the source (unless scopes are shared) and that."""
    mine = "" if _shared(contract) else '"SOURCE" = %s AND '
    return f'SELECT COUNT(*) FROM {_table(schema, contract.scopes_table)} WHERE {mine}"OBSERVED_AT" > %s'


def delete_overtaken(contract: Contract, schema: str) -> str:
    """UPDATE that flags rows which a file brought after a newer whole scope without them was loaded.

    Binds the instant of the load and the file.
    """
    return (
        f'UPDATE {_table(schema, contract.table)} AS t SET "_IS_DELETED" = TRUE, "_INGESTED_AT" = %s '
        'WHERE t."_SOURCE_FILE" = %s AND NOT t."_IS_DELETED" '
        f"AND EXISTS (SELECT 1 FROM {_table(schema, contract.scopes_table)} AS s WHERE {_same_scope(contract)} "
        'AND s."OBSERVED_AT" > t."_OBSERVED_AT")'
    )


def scope_values(contract: Contract, source: str) -> tuple[str, ...]:
    """What is bound for the source whose scopes are meant: nothing where scopes are shared."""
    return () if _shared(contract) else (source,)


def _shared(contract: Contract) -> bool:
    return contract.scope_within is not None


def _same_scope(contract: Contract) -> str:
    mine = "" if _shared(contract) else 's."SOURCE" = t."_SOURCE" AND '
    return f'{mine}s."SCOPE" = {_scope(contract, "t")}'


def _scope_column(contract: Contract) -> Column:
    if contract.scope is None:
        raise ValueError(f"contract {contract.name} has no scope")
    return contract.column(contract.scope)


def _scope_type(contract: Contract) -> str:
    column = _scope_column(contract)
    return "VARCHAR" if _shared(contract) or column.kind is Kind.INSTANT else TYPES[column.kind]


def _scope(contract: Contract, alias: str) -> str:
    """A row's scope as Contract.scope_of has it; NULL, so in no scope, when a part of it is NULL."""
    column = _scope_column(contract)
    value = f"{alias}.{quoted(column.name)}"
    if column.kind is Kind.INSTANT:
        value = f"TO_CHAR(CONVERT_TIMEZONE('UTC', {value}), 'YYYY-MM')"
    narrowed = "".join(f"{alias}.{quoted(name)} || '/' || " for name in contract.scope_within or ())
    return f"{narrowed}{value}"


def _content(contract: Contract) -> list[Column]:
    """What is compared to tell whether a row changed: what the source said, its quality flags, and being there."""
    compared = ("dq_valid", "dq_flags", "_is_deleted")
    said = [column for column in contract.columns if column.name not in contract.keys]
    return said + [contract.column(name) for name in compared]


def _changed(contract: Contract, column: Column) -> str:
    ours, theirs = f"t.{quoted(column.name)}", f"s.{quoted(column.name)}"
    if column.name in contract.kept:
        theirs = f"COALESCE({theirs}, {ours})"
    if column.kind is Kind.JSON:
        ours, theirs = f"TO_JSON({ours})", f"TO_JSON({theirs})"
    return f"{ours} IS DISTINCT FROM {theirs}"


def _inserted(contract: Contract, column: Column) -> str:
    match column.name:
        case "_anchor_at":
            return f"CAST(s.{quoted(contract.anchor)} AS TIMESTAMP_TZ)"
        case "_first_window_id":
            return f"s.{quoted('_window_id')}"
        case "_restated_at":
            return "NULL"
        case name:
            return f"s.{quoted(name)}"


def _update(contract: Contract, name: str) -> str:
    ours, theirs = f"t.{quoted(name)}", f"s.{quoted(name)}"
    return f"{quoted(name)} = " + (f"COALESCE({theirs}, {ours})" if name in contract.kept else theirs)


def _restatement(contract: Contract) -> list[str]:
    if contract.digest is None:
        return []
    digest, restated = quoted(contract.digest), quoted(RESTATED_AT.name)
    changed = f"t.{digest} IS DISTINCT FROM s.{digest}"
    return [f"{restated} = IFF({changed}, s.{quoted(INGESTED_AT.name)}, t.{restated})"]


_PAYLOAD, _PARSED = quoted("payload"), quoted("_parsed")


def _from_staging(column: Column) -> str:
    # the payload is the vendor's text: what the warehouse cannot parse (a key twice, say) is kept as text and flagged,
    # so that one record never blocks the file; every other JSON column was written by the extractor
    name = quoted(column.name)
    match column.name:
        case "payload":
            return f"COALESCE({_PARSED}, TO_VARIANT({_PAYLOAD})) AS {name}"
        case "dq_valid":
            return f"({name} AND {_PARSED} IS NOT NULL) AS {name}"
        case "dq_flags":
            added = f"""'["payload_not_parsed"' || IFF({name} = '[]', ']', ',' || SUBSTR({name}, 2))"""
            return f"PARSE_JSON(IFF({_PARSED} IS NOT NULL, {name}, {added})) AS {name}"
        case _ if column.kind is Kind.JSON:
            return f"PARSE_JSON({name}) AS {name}"
        case _:
            return name


def _declared(column: Column) -> str:
    return f"{quoted(column.name)} {TYPES[column.kind]}{' NOT NULL' if column.required else ''}"


def _staged_type(column: Column) -> str:
    return "VARCHAR" if column.kind is Kind.JSON else TYPES[column.kind]


def _table(schema: str, table: str) -> str:
    return ".".join([*(quoted(part) for part in schema.split(".")), quoted(table)])


def _path(folder: str) -> str:
    return literal(folder)[1:-1].strip("/")
