"""The real dbt-snowflake builds a small project on the stand-in, twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.snowflake_fixtures import LocalWarehouse, local_warehouse, rows
from tests.support.dbt import dbt

PROJECT = {
    "dbt_project.yml": """
name: tiny
version: "1.0"
profile: tiny
models: {tiny: {+persist_docs: {relation: true, columns: true}, +query_tag: tiny-model}}
snapshots: {tiny: {+query_tag: tiny-snapshot}}
flags: {send_anonymous_usage_stats: false}
""",
    "models/models.yml": """
version: 2
sources:
  - name: raw
    database: OPP
    schema: RAW
    tables:
      - name: INCIDENTS
        config:
          freshness: {warn_after: {count: 1, period: day}}
          loaded_at_query: select max(closed_at) from OPP.RAW.PIPELINE_WINDOWS where source = 'a'
models:
  - name: stg_incidents
    description: "It's one row per incident"
    columns:
      - name: id
        description: "The workspace's id"
        data_tests: [not_null, unique]
  - name: fct_incidents
    description: "One row per incident's last state"
    columns: [{name: id, description: "It's the key", data_tests: [unique]}]
unit_tests:
  - name: service_comes_from_payload
    model: stg_incidents
    given:
      - input: source('raw', 'INCIDENTS')
        format: sql
        rows: |
          select 'x' as id, 'open' as status, parse_json('{"service": "api"}') as payload,
                 '2026-01-01'::timestamp_tz as updated_at, '2026-01-01'::timestamp_tz as _ingested_at
    expect:
      rows: [{id: x, service: api}]
""",
    "models/stg_incidents.sql": """
{{ config(materialized='view') }}
select id, status, payload:service::string as service, updated_at, _ingested_at
from {{ source('raw', 'INCIDENTS') }}
qualify row_number() over (partition by id order by updated_at desc) = 1
""",
    "models/fct_incidents.sql": """
{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', snowflake_warehouse='BUILD_WH',
          on_schema_change='append_new_columns') }}
select id, status, service, updated_at, _ingested_at from {{ ref('stg_incidents') }}
{% if is_incremental() %}
where _ingested_at >= (select dateadd(day, -7, max(_ingested_at)) from {{ this }})
{% endif %}
""",
    "snapshots/incident_states.yml": """
snapshots:
  - name: incident_states
    relation: ref('fct_incidents')
    config: {unique_key: id, strategy: check, check_cols: [status], updated_at: updated_at}
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    for name, text in PROJECT.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def run(project: Path, warehouse: LocalWarehouse, *arguments: str) -> None:
    options = {
        "type": "snowflake", "threads": 4, "account": "local", "user": "transformer", "password": "x",
        "host": "127.0.0.1", "port": warehouse.port, "protocol": "http", "database": "OPP", "schema": "ANALYTICS",
        "warehouse": "DBT_WH", "query_tag": "tiny-run", "connect_timeout": 20,
    }  # fmt: skip
    (project / "profiles.yml").write_text(json.dumps({"tiny": {"target": "dev", "outputs": {"dev": options}}}))
    done = dbt([*arguments, "--project-dir", str(project), "--profiles-dir", str(project)], {})
    assert done.succeeded, f"dbt {' '.join(arguments)}:\n{done.told}\n{warehouse.log()}"


def test_dbt_builds_merges_snapshots_tests_and_checks_freshness(project: Path, tmp_path: Path) -> None:
    """Two builds: the second changes one incident and adds one; nothing doubles, the snapshot keeps both states."""
    with local_warehouse(tmp_path) as warehouse, warehouse.connect() as connection:

        def put(*incidents: tuple[str, str, str]) -> None:
            for key, status, at in incidents:
                rows(
                    connection,
                    "insert into INCIDENTS select %s, %s, parse_json(%s), %s::timestamp_tz, %s::timestamp_tz",
                    (key, status, json.dumps({"service": "api"}), at, at),
                )

        rows(
            connection,
            "create table INCIDENTS (id varchar, status varchar, payload variant, updated_at timestamp_tz, "
            "_ingested_at timestamp_tz)",
        )
        rows(connection, "create table PIPELINE_WINDOWS (source varchar, closed_at timestamp_tz)")
        rows(connection, "insert into PIPELINE_WINDOWS select 'a', current_timestamp()")
        put(("i1", "open", "2026-01-01T00:00:00Z"), ("i2", "open", "2026-01-01T01:00:00Z"))
        run(project, warehouse, "source", "freshness")
        run(project, warehouse, "build")
        put(("i1", "closed", "2026-01-02T00:00:00Z"), ("i3", "open", "2026-01-02T01:00:00Z"))
        run(project, warehouse, "build")

        freshness = json.loads((project / "target" / "sources.json").read_text())
        assert [result["status"] for result in freshness["results"]] == ["pass"]
        assert rows(connection, "select id, status, service from OPP.ANALYTICS.FCT_INCIDENTS order by id") == [
            ("i1", "closed", "api"),
            ("i2", "open", "api"),
            ("i3", "open", "api"),
        ]
        states: list[Any] = rows(
            connection, "select id, status, dbt_valid_to is null from OPP.ANALYTICS.INCIDENT_STATES order by 1, 3"
        )
        assert states == [("i1", "open", False), ("i1", "closed", True), ("i2", "open", True), ("i3", "open", True)]
        comments = rows(
            connection,
            "select column_name, comment from OPP.INFORMATION_SCHEMA.COLUMNS "
            "where table_schema = 'ANALYTICS' and table_name = 'FCT_INCIDENTS' and comment <> ''",
        )
        assert comments == [("ID", "It's the key")]
        merges = rows(
            connection,
            "select warehouse_name, query_tag from _fs_local.query_history where query_type = 'MERGE' "
            "and query_text ilike '%into OPP.ANALYTICS.fct_incidents%'",
        )
        assert merges == [("BUILD_WH", "tiny-model")]
