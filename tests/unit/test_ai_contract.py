"""The AI tools' table as SQL: whole scopes replace, in any order of files, and re-statements are told from re-reads."""

import re
from collections.abc import Callable
from dataclasses import fields

import pytest

from shared.contracts import snowflake as sql
from shared.contracts.ai_tool_daily_metrics import AI_TOOL_DAILY_METRICS
from shared.contracts.contract import META_COLUMNS
from shared.contracts.follow_ups import FOLLOW_UPS
from shared.contracts.incidents import INCIDENTS
from shared.sources.ai_tools.rows import COLUMNS
from shared.sources.ai_tools.usage import Figures
from tests.support.ai_hostile import RECORDS
from tests.support.ai_pages import read_day

SCHEMA = "RAW.PUBLIC"


def test_vanished_rows_are_flagged_and_never_deleted() -> None:
    """Of the named scopes of one source only, and none that was observed later; everything is bound."""
    text = sql.delete_vanished(AI_TOOL_DAILY_METRICS, SCHEMA, "STAGED", 3)
    assert text.startswith('UPDATE "RAW"."PUBLIC"."FACT_AI_TOOL_DAILY_METRICS" AS t SET "_IS_DELETED" = TRUE')
    assert 't."_SOURCE" = %s AND NOT t."_IS_DELETED" AND t."_OBSERVED_AT" < %s' in text
    assert 't."USAGE_DATE" IN (%s, %s, %s)' in text
    assert text.count("%s") == 5 + 3
    keys = " AND ".join(f's."{key}" = t."{key}"' for key in ("TOOL", "USAGE_DATE", "ACTOR", "MODEL"))
    assert f'NOT EXISTS (SELECT 1 FROM "RAW"."PUBLIC"."STAGED" AS s WHERE {keys})' in text


def test_the_latest_whole_reading_of_a_scope_is_remembered() -> None:
    """Typed as the scope's own column; an older file loaded later does not turn it back."""
    created = sql.create_scopes(AI_TOOL_DAILY_METRICS, SCHEMA)
    assert created.startswith('CREATE TABLE IF NOT EXISTS "RAW"."PUBLIC"."FACT_AI_TOOL_DAILY_METRICS__SCOPES"')
    assert '"SCOPE" DATE NOT NULL' in created
    text = sql.record_scopes(AI_TOOL_DAILY_METRICS, SCHEMA, 2)
    assert "FROM VALUES (%s, %s, %s), (%s, %s, %s)" in text
    assert 'CAST(column2 AS DATE) AS "SCOPE"' in text
    assert 'WHEN MATCHED AND s."OBSERVED_AT" > t."OBSERVED_AT" THEN UPDATE' in text


def test_rows_that_come_after_a_newer_whole_reading_are_flagged_too() -> None:
    """Those of the file alone, and only where a newer reading of their scope did not have them."""
    text = sql.delete_overtaken(AI_TOOL_DAILY_METRICS, SCHEMA)
    assert 'WHERE t."_SOURCE_FILE" = %s AND NOT t."_IS_DELETED"' in text
    assert 's."SCOPE" = t."USAGE_DATE" AND s."OBSERVED_AT" > t."_OBSERVED_AT"' in text
    assert text.count("%s") == 2


def test_a_contract_without_a_scope_has_no_such_statements() -> None:
    """Follow-ups change one by one."""
    statements: tuple[Callable[[], str], ...] = (
        lambda: sql.delete_vanished(FOLLOW_UPS, SCHEMA, "STAGED", 1),
        lambda: sql.create_scopes(FOLLOW_UPS, SCHEMA),
        lambda: sql.record_scopes(FOLLOW_UPS, SCHEMA, 1),
        lambda: sql.delete_overtaken(FOLLOW_UPS, SCHEMA),
    )
    for statement in statements:
        with pytest.raises(ValueError, match="no scope"):
            statement()


def test_another_digest_is_a_restatement_and_the_first_window_stays() -> None:
    """Both are the warehouse's to know: no file tells them."""
    text = sql.merge_from_staging(AI_TOOL_DAILY_METRICS, SCHEMA, "STAGED")
    updates = text.partition("UPDATE SET ")[2].partition(" WHEN NOT MATCHED")[0]
    changed = 't."CONTENT_DIGEST" IS DISTINCT FROM s."CONTENT_DIGEST"'
    assert f'"_RESTATED_AT" = IFF({changed}, s."_INGESTED_AT", t."_RESTATED_AT")' in updates
    assert "_FIRST_WINDOW_ID" not in updates
    inserted = text.partition("WHEN NOT MATCHED")[2]
    assert re.search(r's\."_WINDOW_ID", NULL\)$', inserted)
    assert "_RESTATED_AT" not in sql.merge_from_staging(INCIDENTS, SCHEMA, "STAGED")


def test_the_rows_of_the_tools_fill_every_column_of_the_contract() -> None:
    """Except those that the extraction itself knows."""
    known = {"_is_deleted", "_source", "_window_id", "_source_file", "_run_id", "_observed_at"}
    assert set(COLUMNS) == {column.name for column in AI_TOOL_DAILY_METRICS.landed} - known
    assert {column.name for column in META_COLUMNS} >= known
    rows = read_day("g2", RECORDS["g2"].answer([RECORDS["g2"].record()]))
    assert set(rows.columns) == set(COLUMNS)


def test_every_figure_has_its_column() -> None:
    """The total stands in `tokens_reported`, which is the classes' sum where there are any."""
    columns = {column.name for column in AI_TOOL_DAILY_METRICS.columns}
    assert {field.name for field in fields(Figures)} - {"total_tokens"} <= columns


def test_people_are_marked_as_such() -> None:
    """Staging hashes what is marked."""
    assert [column.name for column in AI_TOOL_DAILY_METRICS.columns if column.pii] == ["actor"]
