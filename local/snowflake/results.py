"""Results on the wire, in the Arrow form that the connector reads.

Gaps: a NULL timestamp arrives as 1970-01-01 (fakesnow builds the struct without a validity mask), nanosecond
timestamps are read as microseconds, and lists, structs and small integers end in an error.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from fakesnow.arrow import to_ipc, to_sf_schema
from fakesnow.rowtype import ColumnInfo, describe_as_rowtype

Column = tuple[str, str]  # name, DuckDB type

_UTC_OFFSET = 1440  # Snowflake sends a zone as minutes east of UTC, plus 1440
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_INTEGERS = ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "INTEGER", "BIGINT")


def row_type(columns: Sequence[Column]) -> list[ColumnInfo]:
    """The connector's column descriptions for a result's DuckDB types."""
    described = [(name, _described(kind), None, None, None, None) for name, kind in columns]
    return describe_as_rowtype(described)


def encode(table: pa.Table, types: list[ColumnInfo]) -> str:
    """A result as base64 of an Arrow stream."""
    arrays = [_column(column.combine_chunks()) for column in table.columns]
    schema = pa.schema([field.with_type(array.type) for field, array in zip(table.schema, arrays, strict=True)])
    return b64encode(to_ipc(pa.Table.from_arrays(arrays, schema=to_sf_schema(schema, types)))).decode("ascii")


def _described(kind: str) -> str:
    if kind in _INTEGERS:
        return "BIGINT"
    if kind == "FLOAT":
        return "DOUBLE"
    if kind in {"TIMESTAMP_S", "TIMESTAMP_MS"}:
        return "TIMESTAMP"
    if kind == "UUID":
        return "VARCHAR"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return "JSON"
    return kind


def _column(column: Any) -> Any:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_timestamp(kind):
        return timestamps(array)
    if pa.types.is_time(kind):
        return pc.multiply(array.cast(pa.int64()), 1_000_000_000 // _PER_SECOND[kind.unit])
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_nested(kind):
        return pa.array([None if v is None else json.dumps(v, default=str) for v in array.to_pylist()], pa.string())
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_float32(kind):
        return array.cast(pa.float64())
    return array


def timestamps(array: Any) -> Any:
    """Snowflake's struct of whole seconds, nanoseconds (and zone), null where the timestamp is."""
    per_second = _PER_SECOND[array.type.unit]
    ticks = array.cast(pa.int64()).fill_null(0)
    seconds = pc.divide(ticks, per_second)  # towards zero …
    rest = pc.subtract(ticks, pc.multiply(seconds, per_second))
    # … but the fraction of a time before 1970 is positive as well
    seconds = pc.subtract(seconds, pc.less(rest, pa.scalar(0)).cast(pa.int64()))
    rest = pc.subtract(ticks, pc.multiply(seconds, per_second))
    parts = [
        ("epoch", seconds),
        ("fraction", pc.multiply(rest, 1_000_000_000 // per_second).cast(pa.int32())),
    ]
    if array.type.tz:
        parts.append(("timezone", pa.array([_UTC_OFFSET] * len(array), pa.int32())))
    fields = [pa.field(name, values.type, nullable=False) for name, values in parts]
    return pa.StructArray.from_arrays([values for _, values in parts], fields=fields, mask=array.is_null())
