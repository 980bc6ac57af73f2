"""The loader's path: COPY INTO staging, MERGE and ledger in one transaction, over the real connector."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

from tests.local.snowflake_fixtures import BUCKET, LocalWarehouse, local_warehouse, rows

Connection = snowflake.connector.SnowflakeConnection
AT = dt.datetime(2026, 11, 20, 7, 0, 0, 123456, tzinfo=dt.UTC)
FIELDS: list[tuple[str, Any]] = [
    ("id", pa.string()),
    ("updated_at", pa.timestamp("us", tz="UTC")),
    ("observed_at", pa.timestamp("us", tz="UTC")),
    ("payload", pa.string()),
    ("ok", pa.bool_()),
    ("n", pa.int64()),
    ("x", pa.float64()),
    ("day", pa.date32()),
    ("amount", pa.decimal128(18, 4)),
    ("unknown_to_the_table", pa.string()),
]
SCHEMA = pa.schema(FIELDS)
OPTIONS = (
    "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE "
    "ON_ERROR = ABORT_STATEMENT"
)
COLUMNS = (
    '"ID" VARCHAR, "UPDATED_AT" TIMESTAMP_TZ, "OBSERVED_AT" TIMESTAMP_NTZ, "PAYLOAD" VARCHAR, "OK" BOOLEAN, '
    '"N" NUMBER(38,0), "X" FLOAT, "DAY" DATE, "AMOUNT" NUMBER(18,4), "NOT_IN_THE_FILE" VARCHAR'
)
MERGE = """
MERGE INTO "OPP"."RAW"."FACT" AS t USING (
  SELECT "ID", "UPDATED_AT", "OBSERVED_AT", TRY_PARSE_JSON("PAYLOAD") AS "PAYLOAD",
         ("PAYLOAD" IS NOT NULL AND TRY_PARSE_JSON("PAYLOAD") IS NULL) AS "BAD_PAYLOAD"
  FROM "OPP"."RAW"."STG"
  QUALIFY ROW_NUMBER() OVER (PARTITION BY "ID" ORDER BY "UPDATED_AT" DESC, "OBSERVED_AT" DESC) = 1
) AS s ON t."ID" = s."ID"
WHEN MATCHED AND (s."UPDATED_AT" > t."UPDATED_AT"
                  OR (s."UPDATED_AT" = t."UPDATED_AT" AND s."OBSERVED_AT" >= t."OBSERVED_AT"))
  THEN UPDATE SET "UPDATED_AT" = s."UPDATED_AT", "OBSERVED_AT" = s."OBSERVED_AT", "PAYLOAD" = s."PAYLOAD",
                  "BAD_PAYLOAD" = s."BAD_PAYLOAD"
WHEN NOT MATCHED THEN INSERT ("ID", "UPDATED_AT", "OBSERVED_AT", "PAYLOAD", "BAD_PAYLOAD")
  VALUES (s."ID", s."UPDATED_AT", s."OBSERVED_AT", s."PAYLOAD", s."BAD_PAYLOAD")
"""
LEDGER = """
MERGE INTO "OPP"."RAW"."FACT_LEDGER" AS t USING (SELECT %s AS "OBJECT_NAME", %s AS "GENERATION") AS s
ON t."OBJECT_NAME" = s."OBJECT_NAME" AND t."GENERATION" = s."GENERATION"
WHEN NOT MATCHED THEN INSERT ("OBJECT_NAME", "GENERATION") VALUES (s."OBJECT_NAME", s."GENERATION")
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    with local_warehouse(tmp_path_factory.mktemp("copy")) as running:
        yield running


@pytest.fixture
def connection(warehouse: LocalWarehouse) -> Iterator[Connection]:
    with warehouse.connect(session_parameters={"TIMEZONE": "UTC", "LOCK_TIMEOUT": 10}) as opened:
        rows(opened, f"create stage if not exists LANDING url = 'gcs://{BUCKET}/landing/' storage_integration = GCS")
        rows(opened, f'create or replace temporary table "OPP"."RAW"."STG" ({COLUMNS})')
        yield opened


def write(warehouse: LocalWarehouse, name: str, *records: dict[str, Any]) -> None:
    path = warehouse.bucket_dir / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    full = [{**dict.fromkeys(SCHEMA.names), **record} for record in records]
    pq.write_table(pa.Table.from_pylist(full, schema=SCHEMA), path, compression="zstd")


def copy(connection: Connection, path: str, name: str, table: str = "STG") -> list[Any]:
    into = f'"OPP"."RAW"."{table}"'
    return rows(connection, f"COPY INTO {into} FROM @OPP.RAW.LANDING/{path} FILES = ('{name}') {OPTIONS}")


def test_every_arrow_type_arrives_as_the_same_value(warehouse: LocalWarehouse, connection: Connection) -> None:
    record = {
        "id": "it's", "updated_at": AT, "observed_at": AT, "payload": '{"a": 1}', "ok": True, "n": 2**53 + 1,
        "x": 0.1, "day": dt.date(2026, 11, 20), "amount": Decimal("12345.6789"), "unknown_to_the_table": "dropped",
    }  # fmt: skip
    write(warehouse, "types/a.parquet", record, {"id": "all null"})
    result = copy(connection, "types/", "a.parquet")
    assert [r[:4] for r in result] == [(f"gcs://{BUCKET}/landing/types/a.parquet", "LOADED", 2, 2)]
    assert rows(connection, "select * from STG order by id desc") == [
        (
            "it's", AT, AT.replace(tzinfo=None), '{"a": 1}', True, 2**53 + 1, 0.1, dt.date(2026, 11, 20),
            Decimal("12345.6789"), None,
        ),
        ("all null", *[None] * 9),
    ]  # fmt: skip


def test_copy_merge_and_ledger_are_one_transaction(warehouse: LocalWarehouse, connection: Connection) -> None:
    """Delivered three times: once rolled back, once committed, once found in the ledger."""
    rows(connection, "create or replace table FACT (id varchar, updated_at timestamp_tz, observed_at timestamp_ntz, "
                     "payload variant, bad_payload boolean)")  # fmt: skip
    rows(connection, "create or replace table FACT_LEDGER (object_name varchar, generation number)")
    older, newer = AT - dt.timedelta(minutes=1), AT
    write(
        warehouse,
        "companya/part-00000.parquet",
        {"id": "1", "updated_at": older, "observed_at": AT, "payload": '{"state": "old"}'},
        {"id": "1", "updated_at": newer, "observed_at": AT, "payload": '{"state": {"name": "new"}}'},
        {"id": "2", "updated_at": newer, "observed_at": AT, "payload": '{"cut": '},
    )
    write(warehouse, "companya/late.parquet", {"id": "1", "updated_at": older, "observed_at": AT, "payload": "{}"})

    def load(name: str, *, commit: bool = True) -> list[Any]:
        rows(connection, 'create or replace temporary table "OPP"."RAW"."STG" (' + COLUMNS + ")")
        rows(connection, "BEGIN")
        [(inserted,)] = rows(connection, LEDGER, (f"landing/companya/{name}", 1732092000000001))
        if not inserted:
            rows(connection, "ROLLBACK")
            return []
        copy(connection, "companya/", name)
        merged = rows(connection, MERGE)
        rows(connection, "COMMIT" if commit else "ROLLBACK")
        return merged

    assert load("part-00000.parquet", commit=False) == [(2, 0)]
    assert rows(connection, "select count(*) from FACT") == [(0,)]
    assert load("part-00000.parquet") == [(2, 0)]
    assert load("part-00000.parquet") == []
    assert load("late.parquet") == [(0, 0)]
    assert rows(
        connection,
        "select id, updated_at, payload:state.name::string, payload is null, bad_payload from FACT order by id",
    ) == [("1", newer, "new", False, False), ("2", newer, None, True, True)]
    assert rows(connection, "select count(*) from FACT_LEDGER") == [(2,)]
    rows(connection, "update FACT set bad_payload = null where id = %s", ("2",))
    assert rows(connection, "delete from FACT where bad_payload is null") == [(1,)]


def test_a_missing_file_is_an_error_and_not_zero_rows(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="was not found") as caught:
        copy(connection, "types/", "nothing.parquet")
    assert caught.value.errno == 91016
    with pytest.raises(ProgrammingError, match="was not found"):
        copy(connection, "types/", "../../../../etc/passwd")


def test_without_files_a_path_is_a_prefix_and_pattern_filters(
    warehouse: LocalWarehouse, connection: Connection
) -> None:
    for name in ("p/day=1/a.parquet", "p/day=2/b.parquet", "p/other.txt.parquet"):
        write(warehouse, name, {"id": name})
    copied = rows(connection, f"COPY INTO STG FROM @LANDING/p/ PATTERN = '.*day=[0-9]/.*[.]parquet' {OPTIONS}")
    assert [r[0].rpartition("/landing/")[2] for r in copied] == ["p/day=1/a.parquet", "p/day=2/b.parquet"]
    assert rows(connection, f"COPY INTO STG FROM @LANDING/none/ {OPTIONS}") == [
        ("Copy executed with 0 files processed.",)
    ]
    assert sorted(r[0] for r in rows(connection, "LIST @LANDING/p/day")) == [
        f"gcs://{BUCKET}/landing/p/day=1/a.parquet",
        f"gcs://{BUCKET}/landing/p/day=2/b.parquet",
    ]


def test_a_file_is_loaded_once_into_a_table_unless_forced(warehouse: LocalWarehouse, connection: Connection) -> None:
    write(warehouse, "once/a.parquet", {"id": "1"})
    rows(connection, "create or replace table ONCE (id varchar)")
    assert [r[1] for r in copy(connection, "once/", "a.parquet", "ONCE")] == ["LOADED"]
    assert [r[1:4:2] for r in copy(connection, "once/", "a.parquet", "ONCE")] == [("LOAD_SKIPPED", 0)]
    rows(connection, f"COPY INTO ONCE FROM @LANDING/once/ FORCE = TRUE {OPTIONS}")
    assert rows(connection, "select count(*) from ONCE") == [(2,)]


@pytest.mark.parametrize("kind", ["table", "temporary table"])
def test_a_table_made_again_or_truncated_has_loaded_nothing(
    warehouse: LocalWarehouse, connection: Connection, kind: str
) -> None:
    write(warehouse, "again/a.parquet", {"id": "1"})
    for statement in (f"create or replace {kind} AGAIN (id varchar)",) * 2 + ("truncate table AGAIN",):
        rows(connection, statement)
        copy(connection, "again/", "a.parquet", "AGAIN")
        assert rows(connection, "select count(*) from AGAIN") == [(1,)]
    rows(connection, "drop table AGAIN")


def test_metadata_columns_and_text_into_variant(warehouse: LocalWarehouse, connection: Connection) -> None:
    """A text column stays one string in a VARIANT, as in Snowflake: only PARSE_JSON makes an object of it."""
    write(warehouse, "meta/a.parquet", {"payload": '{"a": 1}'}, {"payload": None})
    rows(connection, "create or replace temporary table META (payload variant, file varchar, line number)")
    rows(
        connection,
        f"COPY INTO META FROM @LANDING/meta/ {OPTIONS} "
        "INCLUDE_METADATA = (file = METADATA$FILENAME, line = METADATA$FILE_ROW_NUMBER)",
    )
    assert rows(connection, "select payload, payload:a, file, line from META order by line") == [
        ('"{\\"a\\": 1}"', None, "landing/meta/a.parquet", 1),
        (None, None, "landing/meta/a.parquet", 2),
    ]


def test_a_bad_value_fails_the_whole_copy(warehouse: LocalWarehouse, connection: Connection) -> None:
    write(warehouse, "bad/a.parquet", {"id": "1"}, {"id": "not a number"})
    rows(connection, "create or replace temporary table NUMBERS (id number)")
    with pytest.raises(ProgrammingError) as caught:
        copy(connection, "bad/", "a.parquet", "NUMBERS")
    assert caught.value.errno == 100038
    assert rows(connection, "select count(*) from NUMBERS") == [(0,)]


def test_csv_is_copied_too(warehouse: LocalWarehouse, connection: Connection) -> None:
    path: Path = warehouse.bucket_dir / "landing" / "csv" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text("1,x\n2,y\n")
    rows(connection, "create or replace table FROM_CSV (a int, b varchar)")
    rows(connection, "COPY INTO FROM_CSV FROM @LANDING/csv/ FILES = ('a.csv') FILE_FORMAT = (TYPE = CSV)")
    assert rows(connection, "select * from FROM_CSV order by a") == [(1, "x"), (2, "y")]
    with pytest.raises(ProgrammingError, match="--stage-root"):
        rows(connection, f"COPY INTO FROM_CSV FROM 'gcs://elsewhere/a/' FILES = ('a.csv') {OPTIONS}")


def test_put_uploads_to_an_internal_stage(warehouse: LocalWarehouse, connection: Connection, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1", "2"]}), tmp_path / "a.parquet")
    rows(connection, "create or replace stage UPLOADS")
    rows(connection, "create or replace table UPLOADED (id varchar)")
    rows(connection, f"put file://{tmp_path}/a.parquet @UPLOADS auto_compress = false")
    copied = rows(connection, f"COPY INTO UPLOADED FROM @UPLOADS {OPTIONS}")
    assert [r[1:4] for r in copied] == [("LOADED", 2, 2)]
