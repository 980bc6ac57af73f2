"""A contract's SQL: what keeps a load right is in the text, and nothing hostile gets into it."""

import dataclasses
import re
from dataclasses import replace
from typing import get_args, get_type_hints

import pyarrow as pa
import pytest

from shared.contracts import CONTRACTS, PLATFORM_TABLES
from shared.contracts import snowflake as sql
from shared.contracts.arrow import arrow_schema
from shared.contracts.contract import Column, Contract, Kind
from shared.contracts.github_users import GITHUB_USERS
from shared.contracts.identifiers import literal, quoted
from shared.contracts.incident_updates import INCIDENT_UPDATES
from shared.contracts.incidents import INCIDENTS
from shared.contracts.pipeline_runs import PIPELINE_RUNS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.contracts.platform_table import PlatformTable, upsert
from shared.ports import PipelineRun, WindowState
from shared.sources.incident_io.rows import COLUMNS

SCHEMA = "RAW.PUBLIC"

HOSTILE = ['A"B', "A'B", "A;B", "A B", "A.B", "A\\B", "1A", "", "A\n", "A-B", "Ａ", "A\u0301", "É", "A" * 101, "ſ"]  # noqa: RUF001 - lookalikes


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_ledger_is_claimed_by_a_merge() -> None:
    """A MERGE takes the ledger's lock, a SELECT would lock nothing; the key is object and generation."""
    text = sql.claim_in_ledger(INCIDENTS, SCHEMA)
    assert text.startswith('MERGE INTO "RAW"."PUBLIC"."FACT_INCIDENTS__LEDGER" AS t USING (SELECT %s AS "OBJECT_NAME"')
    assert 'ON t."OBJECT_NAME" = s."OBJECT_NAME" AND t."GENERATION" = s."GENERATION"' in text
    assert "WHEN NOT MATCHED THEN INSERT" in text
    assert "WHEN MATCHED" not in text
    assert text.count("%s") == len(sql.LEDGER_COLUMNS)


def test_the_merge_deduplicates_its_source_side() -> None:
    """One row a key: the newest version, then the newest observation."""
    text = _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X"))
    assert (
        'QUALIFY ROW_NUMBER() OVER (PARTITION BY "WORKSPACE", "INCIDENT_ID" '
        'ORDER BY "UPDATED_AT" DESC, "_OBSERVED_AT" DESC) = 1'
    ) in text
    assert 'ON t."WORKSPACE" = s."WORKSPACE" AND t."INCIDENT_ID" = s."INCIDENT_ID"' in text


def test_the_merge_never_replaces_a_newer_version() -> None:
    """An equal version observed later does replace: deletions and corrections carry no new version."""
    newer = (
        'WHEN MATCHED AND (s."UPDATED_AT" > t."UPDATED_AT" OR (s."UPDATED_AT" = t."UPDATED_AT" '
        'AND s."_OBSERVED_AT" >= t."_OBSERVED_AT"))'
    )
    assert f"{newer} THEN UPDATE SET" in _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X"))
    assert f"{newer} AND (" in _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X", compare=True))


def test_the_merge_compares_all_that_the_source_says_before_it_writes() -> None:
    """Not who read it, when and in which run."""
    text = _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X", compare=True))
    compared = text.partition("WHEN MATCHED AND ")[2].partition(" THEN UPDATE SET ")[0]
    names = [column.name.upper() for column in INCIDENTS.columns if column.name not in INCIDENTS.keys]
    for name in (*names, "DQ_VALID", "DQ_FLAGS", "_IS_DELETED"):
        assert re.search(rf't\."{name}"\)? IS DISTINCT FROM (TO_JSON\()?s\."{name}"', compared), name
    assert compared.count("IS DISTINCT FROM") == len(names) + 3
    assert "IS DISTINCT FROM" not in sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X")


def test_what_is_read_whole_is_compared_and_a_small_delta_written() -> None:
    """Tables of whole days are written again in any case, for their observation."""
    assert INCIDENTS.compares(["companya/standard/public/2026-11"])
    assert not INCIDENTS.compares([])
    assert INCIDENT_UPDATES.compares([])
    assert not GITHUB_USERS.compares(["an organisation"])


def test_the_merge_never_moves_keys_or_the_anchor() -> None:
    """What marts prune by must not change under them."""
    updates = _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X"))
    updates = updates.partition("THEN UPDATE SET ")[2].partition(" WHEN NOT MATCHED")[0]
    for name in ("WORKSPACE", "INCIDENT_ID", "_ANCHOR_AT"):
        assert f'"{name}" = s.' not in updates
    assert '"_INGESTED_AT" = s."_INGESTED_AT"' in updates
    assert '"CREATED_AT" = s."CREATED_AT"' in updates


def test_a_new_row_takes_its_anchor_from_the_record() -> None:
    """The first created_at that was seen."""
    text = _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X"))
    names, _, values = text.partition("THEN INSERT (")[2].partition(") VALUES (")
    by_name = dict(zip(names.split(", "), values.removesuffix(")").split(", "), strict=True))
    assert by_name['"_ANCHOR_AT"'] == 'CAST(s."CREATED_AT" AS TIMESTAMP_TZ)'
    assert by_name['"_INGESTED_AT"'] == 's."_INGESTED_AT"'
    assert len(by_name) == len(INCIDENTS.stored)


def test_a_payload_that_is_not_parsed_blocks_nothing() -> None:
    """TRY_PARSE_JSON, the text kept, the row flagged."""
    text = _flat(sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGE_X"))
    assert 'TRY_PARSE_JSON("PAYLOAD") AS "_PARSED"' in text
    assert 'COALESCE("_PARSED", TO_VARIANT("PAYLOAD")) AS "PAYLOAD"' in text
    assert '("DQ_VALID" AND "_PARSED" IS NOT NULL) AS "DQ_VALID"' in text
    assert "payload_not_parsed" in text


def test_copy_names_one_file_and_matches_columns_by_name() -> None:
    """Logical types on, an error stops the load."""
    text = sql.copy_into_staging(SCHEMA, "STAGE_X", "LANDING", "landing/a/20261120T0700Z/r0", "part-00000.parquet")
    assert text.startswith('COPY INTO "RAW"."PUBLIC"."STAGE_X" FROM @"RAW"."PUBLIC"."LANDING"/landing/a/')
    assert "FILES = ('part-00000.parquet')" in text
    assert "USE_LOGICAL_TYPE = TRUE" in text
    assert "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE ON_ERROR = ABORT_STATEMENT" in text


def test_staging_holds_json_as_text_and_lives_as_long_as_the_session() -> None:
    """COPY needs no transformation."""
    text = sql.create_staging(INCIDENTS, SCHEMA, "STAGE_X")
    assert text.startswith("CREATE TEMPORARY TABLE ")
    assert '"PAYLOAD" VARCHAR' in text
    assert "VARIANT" not in text
    assert '"_INGESTED_AT"' not in text


def test_the_tables_declare_what_the_contract_requires() -> None:
    """Types, NOT NULL, and the cluster key by day."""
    text = sql.create_table(INCIDENTS, SCHEMA)
    for part in (
        '"WORKSPACE" VARCHAR NOT NULL',
        '"UPDATED_AT" TIMESTAMP_TZ NOT NULL',
        '"DETECTED_AT" TIMESTAMP_TZ,',
        '"PAYLOAD" VARIANT NOT NULL',
        '"TTD_SEC" NUMBER(38,0)',
        '"_ANCHOR_AT" TIMESTAMP_TZ NOT NULL',
        'CLUSTER BY (CAST("CREATED_AT" AS DATE))',
    ):
        assert part in text
    assert '"GENERATION" NUMBER(38,0) NOT NULL' in sql.create_ledger(INCIDENTS, SCHEMA)


def test_only_a_column_that_may_be_empty_can_be_added() -> None:
    """The rows that are there have no value for it."""
    added = Column("colour", Kind.TEXT, "New.")
    assert sql.add_column(INCIDENTS, SCHEMA, added).endswith('ADD COLUMN IF NOT EXISTS "COLOUR" VARCHAR')
    with pytest.raises(ValueError, match=r"colour is required"):
        sql.add_column(INCIDENTS, SCHEMA, replace(added, required=True))


def test_the_window_table_is_merged_by_its_key_and_the_later_closing_wins() -> None:
    """All values bound."""
    text = upsert(PIPELINE_WINDOWS, SCHEMA, 2)
    assert text.count("%s") == 2 * len(PIPELINE_WINDOWS.columns)
    assert 't."PIPELINE" = s."PIPELINE" AND t."WINDOW_ID" = s."WINDOW_ID" AND t."SOURCE" = s."SOURCE"' in text
    assert 'WHEN MATCHED AND s."CLOSED_AT" >= t."CLOSED_AT" THEN UPDATE' in text


@pytest.mark.parametrize(("table", "row"), [(PIPELINE_WINDOWS, WindowState), (PIPELINE_RUNS, PipelineRun)])
def test_a_row_of_a_table_of_the_platform_s_own_has_an_attribute_a_column(table: PlatformTable, row: type) -> None:
    """In the same order, NULL only where the column takes it."""
    assert table in PLATFORM_TABLES
    assert [field.name for field in dataclasses.fields(row)] == [column.name for column in table.columns]
    optional = {name for name, hint in get_type_hints(row).items() if type(None) in get_args(hint)}
    assert optional - {"recorded_at"} == {column.name for column in table.columns if not column.required}


def test_what_a_table_of_the_platform_s_own_relies_on_is_required() -> None:
    """A NULL key would be inserted again and again."""
    with pytest.raises(ValueError, match="must be required"):
        PlatformTable("T", "", ("a",), "b", (Column("a", Kind.TEXT, ""), Column("b", Kind.INSTANT, "", True)))


@pytest.mark.parametrize("name", HOSTILE)
def test_an_identifier_is_plain_or_refused(name: str) -> None:
    """Also what becomes plain by upper-casing only."""
    with pytest.raises(ValueError, match="may not be used as an SQL identifier"):
        quoted(name)
    with pytest.raises(ValueError, match="may not be used as an SQL identifier"):
        sql.create_table(INCIDENTS, f"RAW.{name}" if "." not in name else "RAW.A B")


@pytest.mark.parametrize("text", ["a'b", 'a"b', "a\\b", "a;b", "a\nb", "a\0", "ä", "a\u2028"])
def test_a_literal_is_harmless_or_refused(text: str) -> None:
    """The few places of COPY that take no bound value."""
    with pytest.raises(ValueError, match="may not be used as an SQL literal"):
        literal(text)
    with pytest.raises(ValueError, match="may not be used as an SQL literal"):
        sql.copy_into_staging(SCHEMA, "STAGE_X", "LANDING", text, "f")
    with pytest.raises(ValueError, match="may not be used as an SQL literal"):
        sql.copy_into_staging(SCHEMA, "STAGE_X", "LANDING", "folder", text)


def test_the_fingerprint_follows_the_parquet_schema_only() -> None:
    """A description may change, a column may not unnoticed."""
    described = replace(INCIDENTS, grain="Another sentence.")
    assert described.fingerprint == INCIDENTS.fingerprint
    for changed in (
        replace(INCIDENTS, columns=(*INCIDENTS.columns, Column("colour", Kind.TEXT, "New."))),
        replace(INCIDENTS, columns=(*INCIDENTS.columns[1:], INCIDENTS.columns[0])),
        replace(
            INCIDENTS,
            columns=tuple(replace(c, kind=Kind.NUMBER) if c.name == "ttd_sec" else c for c in INCIDENTS.columns),
        ),
    ):
        assert changed.fingerprint != INCIDENTS.fingerprint
    assert re.fullmatch(r"[0-9a-f]{16}", INCIDENTS.fingerprint)


def test_a_contract_that_relies_on_an_empty_column_is_refused() -> None:
    """Keys, version, anchor and cluster key are never NULL; no name comes twice."""
    with pytest.raises(ValueError, match="relied on"):
        replace(INCIDENTS, keys=("workspace", "summary"))
    with pytest.raises(ValueError, match="named twice"):
        replace(INCIDENTS, columns=(*INCIDENTS.columns, INCIDENTS.columns[0]))
    with pytest.raises(KeyError, match="no column nothing"):
        INCIDENTS.column("nothing")


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_the_arrow_schema_is_explicit(contract: Contract) -> None:
    """Instants in UTC to the microsecond; required columns are not nullable."""
    schema = arrow_schema(contract)
    assert schema.names == [column.name.upper() for column in contract.landed]
    for column in contract.landed:
        field = schema.field(column.name.upper())
        assert field.nullable is not column.required
        if column.kind is Kind.INSTANT:
            assert field.type == pa.timestamp("us", tz="UTC")


def test_the_rows_of_incidents_fill_every_column_of_the_contract() -> None:
    """Those that the extraction itself knows come beside them."""
    assert [*COLUMNS[:-2]] == [column.name for column in INCIDENTS.columns]
    assert COLUMNS[-2:] == ("dq_valid", "dq_flags")


def test_what_is_kept_is_never_replaced_by_null() -> None:
    """The source forgets which product a line was about; every other column follows the newer version."""
    items = CONTRACTS["ecommerce_order_items"]
    text = _flat(sql.merge_from_staging(items, SCHEMA, "STAGE_X"))
    updates = text.partition("THEN UPDATE SET ")[2].partition(" WHEN NOT MATCHED")[0]
    assert '"PRODUCT_ID" = COALESCE(s."PRODUCT_ID", t."PRODUCT_ID")' in updates
    assert '"VARIANT_ID" = COALESCE(s."VARIANT_ID", t."VARIANT_ID")' in updates
    assert updates.count("COALESCE") == len(items.kept) == 2
    assert '"SKU" = s."SKU"' in updates


def test_only_what_may_be_missing_can_be_kept() -> None:
    """A required column always has a value."""
    with pytest.raises(ValueError, match="never missing"):
        replace(INCIDENTS, kept=("name",))
    with pytest.raises(KeyError):
        replace(INCIDENTS, kept=("nothing",))
