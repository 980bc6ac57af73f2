"""A contract as an Arrow schema."""

from functools import cache

import pyarrow as pa

from shared.contracts.contract import Contract, Kind

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.MONEY: pa.decimal128(38, 6),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.JSON: pa.string(),
}


@cache
def arrow_schema(contract: Contract) -> pa.Schema:
    """The schema of the contract's Parquet files: explicit, so a NULL in row 1 says nothing about row 2."""
    return pa.schema([pa.field(c.name.upper(), _TYPES[c.kind], nullable=not c.required) for c in contract.landed])
