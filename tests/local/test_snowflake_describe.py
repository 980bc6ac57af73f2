"""DESCRIBE TABLE finds a table's columns from a session in another database."""

from pathlib import Path

from tests.local.snowflake_fixtures import local_warehouse, rows


def test_a_table_of_another_database_is_described(tmp_path: Path) -> None:
    with local_warehouse(tmp_path) as warehouse, warehouse.connect(database="ANALYTICS", schema="PUBLIC") as session:
        for statement in (
            "create database RAW",
            "create schema if not exists RAW.PUBLIC",
            "create table RAW.PUBLIC.T (ID varchar not null, N number(10, 2))",
        ):
            session.cursor().execute(statement)
        described = rows(session, "describe table RAW.PUBLIC.T")
    assert [(row[0], row[1], row[3]) for row in described] == [
        ("ID", "VARCHAR(16777216)", "N"),
        ("N", "NUMBER(10,2)", "Y"),
    ]
