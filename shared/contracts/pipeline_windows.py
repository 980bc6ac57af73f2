"""`PIPELINE_WINDOWS`: the state of every closed window by source, zero-row windows too; dbt's freshness reads it."""

from shared.contracts.identifiers import quoted

TABLE = "PIPELINE_WINDOWS"

COLUMNS = {
    "pipeline": "VARCHAR NOT NULL",
    "window_id": "VARCHAR NOT NULL",
    "source": "VARCHAR NOT NULL",
    "window_start": "TIMESTAMP_TZ NOT NULL",
    "window_end": "TIMESTAMP_TZ NOT NULL",
    "status": "VARCHAR NOT NULL",
    "rows_landed": "NUMBER(38,0) NOT NULL",
    "rows_rejected": "NUMBER(38,0) NOT NULL",
    "closed_at": "TIMESTAMP_TZ NOT NULL",
}
"""One row a pipeline, window and source; `status` is complete, missing (at the deadline) or superseded."""

_KEYS = ("pipeline", "window_id", "source")


def create_table(schema: str) -> str:
    """DDL of the table."""
    return f"CREATE TABLE IF NOT EXISTS {_name(schema)} ({', '.join(f'{quoted(n)} {t}' for n, t in COLUMNS.items())})"


def upsert(schema: str, rows: int) -> str:
    """MERGE of `rows` rows, each bound in the columns' order. The later `closed_at` wins."""
    values = ", ".join(f"({', '.join(['%s'] * len(COLUMNS))})" for _ in range(rows))
    names = [quoted(name) for name in COLUMNS]
    typed = ", ".join(
        f"CAST(column{i} AS {kind.removesuffix(' NOT NULL')}) AS {quoted(name)}"
        for i, (name, kind) in enumerate(COLUMNS.items(), start=1)
    )
    match = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in _KEYS)
    updates = ", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in COLUMNS if name not in _KEYS)
    return (
        f"MERGE INTO {_name(schema)} AS t USING (SELECT {typed} FROM VALUES {values}) AS s ON {match} "
        f'WHEN MATCHED AND s."CLOSED_AT" >= t."CLOSED_AT" THEN UPDATE SET {updates} '
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({', '.join(f's.{n}' for n in names)})"
    )


def _name(schema: str) -> str:
    return ".".join([*(quoted(part) for part in schema.split(".")), quoted(TABLE)])
