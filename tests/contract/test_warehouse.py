"""Warehouse: the fake in memory and Snowflake's connector with the local stand-in, over Parquet of the real writer."""

import dataclasses
import io
import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow.parquet as pq
import pytest

from shared.adapters.memory import MemoryCloud
from shared.adapters.memory_warehouse import MemoryWarehouse
from shared.contracts import CONTRACTS, PLATFORM_TABLES
from shared.contracts.ai_tool_daily_metrics import AI_TOOL_DAILY_METRICS
from shared.contracts.contract import Column, Contract, Kind
from shared.contracts.incidents import INCIDENTS
from shared.contracts.pipeline_runs import PIPELINE_RUNS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.errors import WarehouseRefused
from shared.extract.part import PartBuffer
from shared.landing import PartName
from shared.ports import Bucket, LandedPart, LoadedRows, PipelineRun, Warehouse, WindowState
from tests.contract.stack import LANDING, Stack

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
_sources = itertools.count()


@dataclass(frozen=True)
class Raw:
    """A RAW schema of the test's own, and what it holds: columns by lower-case name, JSON decoded, no order."""

    emulated: bool
    """Whether a load costs a good part of a second: what needs hundreds does with few."""
    landing: Bucket
    open: Callable[[], Warehouse]
    """A warehouse as another process has it."""
    table: Callable[..., list[dict[str, Any]]]
    """Of a contract, that of incidents if none is given."""
    ledger: Callable[[], set[tuple[str, int]]]
    windows: Callable[[], list[dict[str, Any]]]
    runs: Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def raw(request: pytest.FixtureRequest) -> Raw:
    return memory_raw() if request.param == "memory" else stack_raw(request.getfixturevalue("stack"))


def memory_raw() -> Raw:
    """Everything in memory; the one warehouse is shared, as its tables are in it."""
    landing = MemoryCloud().bucket("landing")
    fake = MemoryWarehouse(landing)
    return Raw(
        False,
        landing,
        lambda: fake,
        lambda contract=INCIDENTS: [_decoded(row, contract) for row in fake.tables[contract.table].values()],
        lambda: set(fake.ledgers[INCIDENTS.ledger_table]),
        lambda: [dataclasses.asdict(state) for state in fake.windows.values()],
        lambda: [dataclasses.asdict(run) for run in fake.runs.values()],
    )


def stack_raw(stack: Stack, schema: str | None = None) -> Raw:
    """A schema in the stand-in; the landing bucket is shared by all."""
    schema = schema or stack.new_schema()

    def rows(table: str) -> list[dict[str, Any]]:
        found = stack.sql(f'SELECT * FROM RAW.{schema}."{table}"')
        return [{name.lower(): value for name, value in row.items()} for row in found]

    return Raw(
        True,
        stack.bucket(LANDING),
        lambda: stack.warehouse(schema),
        lambda contract=INCIDENTS: [_decoded(row, contract) for row in rows(contract.table)],
        lambda: {(row["object_name"], row["generation"]) for row in rows(INCIDENTS.ledger_table)},
        lambda: rows("PIPELINE_WINDOWS"),
        lambda: rows("PIPELINE_RUNS"),
    )


def _decoded(row: Mapping[str, Any], contract: Contract = INCIDENTS) -> dict[str, Any]:
    return dict(row) | {c.name: _json(row.get(c.name)) for c in contract.landed if c.kind is Kind.JSON}


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text  # kept as text: the warehouse could not parse it


def incident(incident_id: str = "1", **values: Any) -> dict[str, Any]:
    """An incident's row as the extraction hands it to the part."""
    row = dict.fromkeys([column.name for column in (*INCIDENTS.columns, *INCIDENTS.landed[-8:-6])])
    return row | {
        "workspace": "companya",
        "incident_id": incident_id,
        "reference": f"INC-{incident_id}",
        "name": "Checkout is slow",
        "created_at": NOON,
        "updated_at": NOON,
        "payload": json.dumps({"id": incident_id}),
        "dq_valid": True,
        "dq_flags": "[]",
        **values,
    }


def parquet(
    rows: Sequence[Mapping[str, Any]],
    *,
    file: str = "",
    observed_at: datetime = NOON,
    contract: Contract = INCIDENTS,
    source: str = "incident_io_companya_incidents",
    window_id: str = "20261120T1200Z",
) -> bytes:
    """The rows as the extraction writes them."""
    buffer = PartBuffer(contract)
    constants = {
        "_is_deleted": False,
        "_source": source,
        "_window_id": window_id,
        "_source_file": file,
        "_run_id": "run-1",
        "_observed_at": observed_at,
    }
    names = [column.name for column in contract.landed if column.name not in constants]
    buffer.add({name: [row[name] for row in rows] for name in names}, constants, len(rows))
    return buffer.close()


def land(
    raw: Raw,
    *rows: Mapping[str, Any],
    observed_at: datetime = NOON,
    contract: Contract = INCIDENTS,
    stated: int | None = None,
) -> LandedPart:
    """Upload a part and say of it what the loader would."""
    name = PartName(f"contract_{next(_sources)}", "20261120T1200Z", 0, 0)
    data = parquet(rows, file=name.object_name, observed_at=observed_at, contract=contract)
    stored = raw.landing.create(name.object_name, data, owner="test").object
    return LandedPart(
        object_name=stored.name,
        generation=stored.generation,
        pipeline="ops_incidents",
        source=name.source,
        window_id=name.window_id,
        revision=0,
        part=0,
        rows=len(rows) if stated is None else stated,
        run_id="run-1",
        observed_at=observed_at,
    )


def load(
    raw: Raw, part: LandedPart, *, contract: Contract = INCIDENTS, loaded_at: datetime = NOON + HOUR
) -> LoadedRows:
    return raw.open().load_part(contract, part, loaded_at=loaded_at)


def only(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows
    return row


def test_a_row_arrives_as_it_was_written(raw: Raw) -> None:
    """Every kind of column, at the precision of the source."""
    at = NOON.replace(microsecond=123456)
    values: dict[str, Any] = {
        "name": "Größe 日本語 🦀 'quoted' \"double\" back\\slash; DROP TABLE x -- %s {} \t\n",
        "summary": "",
        "severity_rank": 2**53 + 1,
        "has_debrief": True,
        "workload_minutes_total": 0.1,
        "created_at": at,
        "updated_at": at + timedelta(microseconds=1),
        "detected_at": datetime(1990, 1, 1, tzinfo=UTC),
        "resolved_at": datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        "ttd_sec": -1,
        "workspace_timestamps": '{"Impact started at": "2026-11-20T12:00:00Z"}',
        "affected_services": '[{"id": "01A", "name": "Größe"}]',
        "payload": '{"id": "1", "deep": {"list": [1, null, "🦀", 1e3]}}',
        "dq_valid": False,
        "dq_flags": '["impossible_ttd"]',
    }
    part = land(raw, incident(**values))
    assert load(raw, part) == LoadedRows(already_loaded=False, inserted=1, updated=0, copied=1)
    row = only(raw.table())
    expected = incident(**values) | {
        "_is_deleted": False,
        "_source": "incident_io_companya_incidents",
        "_window_id": "20261120T1200Z",
        "_source_file": part.object_name,
        "_run_id": "run-1",
        "_observed_at": NOON,
        "_ingested_at": NOON + HOUR,
        "_anchor_at": at,
    }
    assert row == _decoded(expected)
    assert raw.ledger() == {(part.object_name, part.generation)}


def test_null_is_null_and_text_is_text(raw: Raw) -> None:
    """NULL in the first row says nothing about the second, and empty text is not NULL."""
    load(raw, land(raw, incident("1"), incident("2", summary="", permalink="NULL", severity_rank=0, has_debrief=False)))
    rows = {row["incident_id"]: row for row in raw.table()}
    names = ("summary", "permalink", "severity_rank", "has_debrief", "affected_services", "resolved_at")
    assert [rows["1"][name] for name in names] == [None] * 6
    assert [rows["2"][name] for name in names] == ["", "NULL", 0, False, None, None]


def test_a_part_is_loaded_once(raw: Raw) -> None:
    part = land(raw, incident("1"), incident("2"))
    assert load(raw, part) == LoadedRows(already_loaded=False, inserted=2, updated=0, copied=2)
    before = raw.table()
    assert load(raw, part, loaded_at=NOON + 2 * HOUR) == LoadedRows(already_loaded=True, copied=2)
    assert raw.table() == before


def test_one_warehouse_loads_part_after_part(raw: Raw) -> None:
    warehouse = raw.open()
    parts = [land(raw, incident(str(number))) for number in range(3)]
    for part in (*parts, *parts):
        warehouse.load_part(INCIDENTS, part, loaded_at=NOON)
    assert len(raw.table()) == 3
    assert len(raw.ledger()) == 3


@pytest.mark.parametrize("kind", ["older", "equal, observed earlier"])
def test_an_older_version_does_not_replace(raw: Raw, kind: str) -> None:
    load(raw, land(raw, incident(name="there", updated_at=NOON), observed_at=NOON))
    updated_at = NOON - HOUR if kind == "older" else NOON
    observed_at = NOON + HOUR if kind == "older" else NOON - HOUR
    part = land(raw, incident(name="late", updated_at=updated_at), observed_at=observed_at)
    assert load(raw, part) == LoadedRows(already_loaded=False, inserted=0, updated=0, copied=1)
    assert only(raw.table())["name"] == "there"
    assert (part.object_name, part.generation) in raw.ledger()


@pytest.mark.parametrize("kind", ["newer", "equal, observed later", "equal, observed at once"])
def test_a_newer_version_replaces(raw: Raw, kind: str) -> None:
    load(raw, land(raw, incident(name="there", severity_name="high"), observed_at=NOON))
    updated_at = NOON + timedelta(microseconds=1) if kind == "newer" else NOON
    observed_at = {"newer": NOON - HOUR, "equal, observed later": NOON + HOUR}.get(kind, NOON)
    part = land(raw, incident(name="new", updated_at=updated_at), observed_at=observed_at)
    loaded = load(raw, part, loaded_at=NOON + 3 * HOUR)
    assert loaded == LoadedRows(already_loaded=False, inserted=0, updated=1, copied=1)
    row = only(raw.table())
    assert (row["name"], row["severity_name"], row["_observed_at"]) == ("new", None, observed_at)
    assert (row["_source_file"], row["_ingested_at"]) == (part.object_name, NOON + 3 * HOUR)


def test_of_duplicates_in_a_file_the_newest_is_loaded(raw: Raw) -> None:
    versions = [incident(name=f"v{hour}", updated_at=NOON + hour * HOUR) for hour in (1, 3, 2)]
    loaded = load(raw, land(raw, *versions, incident("2")))
    assert loaded == LoadedRows(already_loaded=False, inserted=2, updated=0, copied=4)
    assert {row["incident_id"]: row["name"] for row in raw.table()} == {"1": "v3", "2": "Checkout is slow"}
    again = [version | {"severity_name": "high"} for version in versions]
    assert load(raw, land(raw, *again, *again, observed_at=NOON + HOUR)).updated == 1
    assert len(raw.table()) == 2


def test_the_key_is_workspace_and_id(raw: Raw) -> None:
    load(raw, land(raw, incident("1"), incident("1", workspace="companyb"), incident("1 "), incident("I")))
    load(raw, land(raw, incident("i")))
    assert len(raw.table()) == 5


def test_the_anchor_never_changes(raw: Raw) -> None:
    for hours in (0, 1, 2):
        corrected = incident(created_at=NOON - hours * HOUR, updated_at=NOON + hours * HOUR)
        load(raw, land(raw, corrected))
    row = only(raw.table())
    assert (row["created_at"], row["_anchor_at"]) == (NOON - 2 * HOUR, NOON)


def test_a_payload_that_the_warehouse_cannot_parse_is_kept_as_text_and_flagged(raw: Raw) -> None:
    """Such records must not stop the file, and keep the flags that they had."""
    texts = ['{"id": ', "", "{'id': 1}", '{"a": 1} trailing']
    bad = {f"{text} {flags}": (text, flags) for text in texts for flags in ("[]", '["impossible_ttd"]')}
    rows = [incident(name, payload=text, dq_flags=flags, dq_valid=flags == "[]") for name, (text, flags) in bad.items()]
    assert load(raw, land(raw, *rows, incident("good"))).inserted == len(bad) + 1
    held = {row["incident_id"]: (row["payload"], row["dq_valid"], row["dq_flags"]) for row in raw.table()}
    assert held.pop("good") == ({"id": "good"}, True, [])
    assert held == {
        name: (text, False, ["payload_not_parsed", *json.loads(flags)]) for name, (text, flags) in bad.items()
    }


def test_a_payload_with_a_key_twice_loads(raw: Raw) -> None:
    """Snowflake refuses to parse it, DuckDB does not: either way the record is there and the file is loaded."""
    load(raw, land(raw, incident("1", payload='{"a": 1, "a": 2}'), incident("2")))
    assert sorted(row["incident_id"] for row in raw.table()) == ["1", "2"]


WITHOUT_PERMALINK = dataclasses.replace(
    INCIDENTS, columns=tuple(column for column in INCIDENTS.columns if column.name != "permalink")
)


def test_a_table_of_an_older_contract_gets_the_new_column(raw: Raw) -> None:
    load(raw, land(raw, incident("old"), contract=WITHOUT_PERMALINK), contract=WITHOUT_PERMALINK)
    load(raw, land(raw, incident("new", permalink="https://example/1")))
    assert {row["incident_id"]: row.get("permalink") for row in raw.table()} == {
        "old": None,
        "new": "https://example/1",
    }


def test_a_file_of_an_older_contract_loads_into_the_newer_table(raw: Raw) -> None:
    load(raw, land(raw, incident("new", permalink="https://example/1")))
    load(raw, land(raw, incident("old"), contract=WITHOUT_PERMALINK))
    assert {row["incident_id"]: row.get("permalink") for row in raw.table()} == {
        "old": None,
        "new": "https://example/1",
    }


def test_a_file_of_a_newer_contract_loads_what_is_known(raw: Raw) -> None:
    wider = dataclasses.replace(INCIDENTS, columns=(*INCIDENTS.columns, Column("novel", Kind.TEXT, "New.")))
    assert load(raw, land(raw, incident() | {"novel": "x"}, contract=wider)).inserted == 1
    assert only(raw.table())["name"] == "Checkout is slow"


@pytest.mark.parametrize("stated", [1, 3])
def test_a_file_with_another_number_of_rows_than_stated_is_refused_whole(raw: Raw, stated: int) -> None:
    load(raw, land(raw, incident("there")))
    part = land(raw, incident("1"), incident("2"), stated=stated)
    with pytest.raises(WarehouseRefused, match=part.object_name):
        load(raw, part)
    assert [row["incident_id"] for row in raw.table()] == ["there"]
    assert (part.object_name, part.generation) not in raw.ledger()
    assert load(raw, dataclasses.replace(part, rows=2)).inserted == 2


def test_an_object_that_is_not_there_is_refused_and_not_in_the_ledger(raw: Raw) -> None:
    part = dataclasses.replace(land(raw, incident()), object_name="landing/absent/20261120T1200Z/r0/part-00000.parquet")
    with pytest.raises(WarehouseRefused, match="absent"):
        load(raw, part)
    load(raw, land(raw, incident()))
    assert len(raw.ledger()) == 1


def test_the_same_name_with_another_generation_is_another_object(raw: Raw) -> None:
    part = land(raw, incident(name="first"))
    load(raw, part)
    data = parquet([incident(name="second")], observed_at=NOON + HOUR)
    stored = raw.landing.replace(part.object_name, data, owner="test", generation=part.generation)
    assert not load(raw, dataclasses.replace(part, generation=stored.generation)).already_loaded
    assert only(raw.table())["name"] == "second"
    assert len(raw.ledger()) == 2


def at_once(calls: Sequence[Callable[[], LoadedRows]]) -> list[LoadedRows]:
    """Results of calls in threads that begin together."""
    barrier = threading.Barrier(len(calls))

    def step(call: Callable[[], LoadedRows]) -> LoadedRows:
        barrier.wait(20)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(step, calls))


@pytest.mark.parametrize("processes", ["one process", "five processes"])
def test_five_deliveries_of_one_object_at_once_load_it_once(raw: Raw, processes: str) -> None:
    load(raw, land(raw, incident("there")))
    part = land(raw, *(incident(str(number)) for number in range(20)))
    shared = raw.open()
    warehouses = [shared if processes == "one process" else raw.open() for _ in range(5)]
    results = at_once([partial(w.load_part, INCIDENTS, part, loaded_at=NOON) for w in warehouses])
    assert sorted(result.already_loaded for result in results) == [False, True, True, True, True]
    assert sum(result.inserted for result in results) == 20
    assert len(raw.table()) == 21
    assert (part.object_name, part.generation) in raw.ledger()
    assert shared.load_part(INCIDENTS, part, loaded_at=NOON).already_loaded


def test_a_load_that_is_refused_takes_no_other_along(raw: Raw) -> None:
    """Deliveries of one process that overlap must not end each other's transactions."""
    shared = raw.open()
    shared.load_part(INCIDENTS, land(raw, incident("there")), loaded_at=NOON)
    good = [land(raw, incident(f"good {n}")) for n in range(3)]
    bad = [land(raw, incident(f"bad {n}"), stated=2) for n in range(3)]

    def refused(part: LandedPart) -> LoadedRows:
        with pytest.raises(WarehouseRefused):
            shared.load_part(INCIDENTS, part, loaded_at=NOON)
        return LoadedRows(already_loaded=False)

    at_once(
        [partial(shared.load_part, INCIDENTS, p, loaded_at=NOON) for p in good] + [partial(refused, p) for p in bad]
    )
    assert sorted(row["incident_id"] for row in raw.table()) == ["good 0", "good 1", "good 2", "there"]
    assert {(part.object_name, part.generation) for part in good} < raw.ledger()
    assert len(raw.ledger()) == 4


@pytest.mark.parametrize("processes", ["one process", "two processes"])
def test_two_objects_at_once_are_both_loaded_and_the_newer_version_stays(raw: Raw, processes: str) -> None:
    load(raw, land(raw, incident("there")))
    parts = [land(raw, incident("x", name=f"v{n}", updated_at=NOON + n * HOUR), incident(f"own {n}")) for n in range(2)]
    shared = raw.open()
    warehouses = [shared if processes == "one process" else raw.open() for _ in parts]
    calls = [partial(w.load_part, INCIDENTS, p, loaded_at=NOON) for w, p in zip(warehouses, parts, strict=True)]
    assert [result.already_loaded for result in at_once(calls)] == [False, False]
    assert {row["incident_id"]: row["name"] for row in raw.table()} == {
        "there": "Checkout is slow",
        "x": "v1",
        "own 0": "Checkout is slow",
        "own 1": "Checkout is slow",
    }


def test_the_first_loads_of_all_may_be_at_once(raw: Raw) -> None:
    """Several processes create the tables together, and later add the same new column together."""
    narrow = [land(raw, incident(f"old {n}"), contract=WITHOUT_PERMALINK) for n in range(3)]
    at_once([partial(load, raw, p, contract=WITHOUT_PERMALINK) for p in narrow])
    wide = [land(raw, incident(f"new {n}", permalink="x")) for n in range(3)]
    at_once([partial(load, raw, p) for p in wide])
    assert sorted((row["incident_id"], row.get("permalink")) for row in raw.table()) == [
        *((f"new {n}", "x") for n in range(3)),
        *((f"old {n}", None) for n in range(3)),
    ]


def window(source: str = "a", *, status: str = "complete", closed_at: datetime = NOON, rows: int = 1) -> WindowState:
    return WindowState("ops_incidents", "20261120T1200Z", source, NOON - HOUR, NOON, status, rows, 0, closed_at)


def test_windows_are_recorded_by_pipeline_window_and_source(raw: Raw) -> None:
    states = [window("a"), window("b", rows=0), dataclasses.replace(window("a"), window_id="20261120T1300Z")]
    raw.open().record(PIPELINE_WINDOWS, states)
    assert sorted(raw.windows(), key=repr) == sorted(map(dataclasses.asdict, states), key=repr)
    raw.open().record(PIPELINE_WINDOWS, states)
    assert len(raw.windows()) == 3


def test_of_a_windows_states_the_one_closed_later_stays(raw: Raw) -> None:
    warehouse = raw.open()
    warehouse.record(PIPELINE_WINDOWS, [window(status="missing", closed_at=NOON)])
    warehouse.record(PIPELINE_WINDOWS, [window(status="superseded", closed_at=NOON + HOUR)])
    warehouse.record(PIPELINE_WINDOWS, [window(status="missing", closed_at=NOON)])
    assert only(raw.windows())["status"] == "superseded"
    warehouse.record(PIPELINE_WINDOWS, [window(status="complete", closed_at=NOON + HOUR)])
    assert only(raw.windows())["status"] == "complete"


def test_of_a_windows_states_in_one_call_the_one_closed_later_stays(raw: Raw) -> None:
    states = [window(status=s, closed_at=NOON + n * HOUR) for s, n in (("missing", 0), ("complete", 2), ("older", 1))]
    raw.open().record(PIPELINE_WINDOWS, states)
    assert only(raw.windows())["status"] == "complete"


def test_many_windows_are_recorded_in_one_call(raw: Raw) -> None:
    raw.open().record(PIPELINE_WINDOWS, [window(f"source {number}") for number in range(450)])
    assert len(raw.windows()) == 450


def test_no_windows_are_nothing_to_do(raw: Raw) -> None:
    raw.open().record(PIPELINE_WINDOWS, [])


FAILED = PipelineRun(
    run_id="failed",
    step="extract",
    pipeline="ops_incidents",
    source="a",
    window_id="20261120T1200Z",
    window_end=NOON,
    revision=0,
    first_part=None,
    last_part=None,
    is_full=None,
    started_at=NOON,
    finished_at=NOON + timedelta(microseconds=1),
    seconds=0.000001,
    status="failed",
    error="SourceUnavailable",
    records_read=None,
    records_kept=None,
    records_rejected=None,
    records_skipped=None,
    rows_landed=0,
    rows_loaded=None,
    watermark_start=None,
    watermark_end=None,
    recorded_at=NOON + HOUR,
)
LOADED = dataclasses.replace(
    FAILED,
    run_id="loaded",
    step="load",
    first_part=0,
    last_part=0,
    is_full=False,
    status="done",
    error=None,
    records_read=7,
    records_kept=4,
    records_rejected=2,
    records_skipped=1,
    rows_landed=5,
    rows_loaded=5,
    watermark_end=NOON - HOUR,
)


def test_runs_are_recorded_by_their_id(raw: Raw) -> None:
    """Values that are NULL in one row and none in another, in any order; the later end of a run stays."""
    for order in ([FAILED, LOADED], [LOADED, FAILED]):
        raw.open().record(PIPELINE_RUNS, order)
        assert sorted(raw.runs(), key=repr) == sorted(map(dataclasses.asdict, order), key=repr)
    later = dataclasses.replace(LOADED, status="failed", error="StorageUnavailable", finished_at=NOON + HOUR)
    raw.open().record(PIPELINE_RUNS, [later, LOADED])
    raw.open().record(PIPELINE_RUNS, [LOADED])
    assert {run["run_id"]: run["error"] for run in raw.runs()} == {
        "failed": "SourceUnavailable",
        "loaded": "StorageUnavailable",
    }


def test_the_tables_of_the_platform_s_own_are_prepared_too(raw: Raw) -> None:
    raw.open().prepare([])
    assert (raw.windows(), raw.runs()) == ([], [])


# tables whose scopes are re-read as a whole

DAY, NEXT_DAY = NOON.date(), NOON.date() + timedelta(days=1)
AI_TOOL = "ai_telemetry_g2_daily_metrics"


def use(
    actor: str = "ada", *, day: date = DAY, model: str = "gpt-5", requests: int = 1, **values: Any
) -> dict[str, Any]:
    """A row of AI tools' daily metrics as the extraction hands it to the part."""
    row = dict.fromkeys([column.name for column in AI_TOOL_DAILY_METRICS.columns])
    return row | {
        "tool": "g2",
        "usage_date": day,
        "actor": actor,
        "actor_kind": "login",
        "model": model,
        "requests": requests,
        "is_active": True,
        "content_digest": f"{requests}",
        "payload": json.dumps([{"requests": requests}]),
        "dq_valid": True,
        "dq_flags": "[]",
        **values,
    }


def read(
    raw: Raw,
    *rows: Mapping[str, Any],
    hours: float = 0,
    scopes: Sequence[date] = (DAY,),
    source: str = AI_TOOL,
) -> LandedPart:
    """Land a part that holds these days whole, observed so many hours after noon."""
    observed_at = NOON + hours * HOUR
    window_id = f"{observed_at:%Y%m%dT%H%MZ}"
    name = PartName(f"contract_{next(_sources)}", window_id, 0, 0)
    data = parquet(
        rows,
        file=name.object_name,
        observed_at=observed_at,
        contract=AI_TOOL_DAILY_METRICS,
        source=source,
        window_id=window_id,
    )
    stored = raw.landing.create(name.object_name, data, owner="test").object
    days = tuple(day.isoformat() for day in scopes)
    return LandedPart(
        stored.name, stored.generation, "ai_dx_metrics", source, window_id, 0, 0, len(rows), "run-1", observed_at, days
    )


def load_days(raw: Raw, *parts: LandedPart) -> list[LoadedRows]:
    """Load the parts in this order, an hour between them."""
    return [load(raw, p, contract=AI_TOOL_DAILY_METRICS, loaded_at=NOON + n * HOUR) for n, p in enumerate(parts, 100)]


def live(raw: Raw) -> dict[tuple[str, str], int]:
    """Requests by day and who or what the row is about, of the rows that are not deleted."""
    return {
        (row["usage_date"].isoformat()[5:], f"{row['actor']} {row['model']}"): row["requests"]
        for row in raw.table(AI_TOOL_DAILY_METRICS)
        if not row["_is_deleted"]
    }


def test_a_whole_scope_takes_away_what_it_no_longer_has(raw: Raw) -> None:
    """A renamed model counts once: the old row stays to be seen, flagged when and by whom."""
    loaded = load_days(
        raw,
        read(raw, use(model="auto"), use("eve")),
        read(raw, use(model="gpt-5"), use("eve"), hours=24),
    )
    assert loaded == [LoadedRows(False, 2, 0, 0, 2), LoadedRows(False, 1, 1, 1, 2)]
    assert live(raw) == {("11-20", "ada gpt-5"): 1, ("11-20", "eve gpt-5"): 1}
    gone = only([row for row in raw.table(AI_TOOL_DAILY_METRICS) if row["_is_deleted"]])
    assert (gone["model"], gone["_observed_at"], gone["_ingested_at"]) == ("auto", NOON + 24 * HOUR, NOON + 101 * HOUR)
    assert gone["_restated_at"] is None


def test_a_scope_read_without_any_row_takes_all_of_it_away(raw: Raw) -> None:
    """The vendor took the day back."""
    load_days(raw, read(raw, use(), use("eve")), read(raw, hours=24))
    assert live(raw) == {}


def test_only_the_named_days_of_the_same_source_are_touched(raw: Raw) -> None:
    """Neither days that are in no scope, nor another tool's rows of the same day."""
    load_days(
        raw,
        read(raw, use(), use(day=NEXT_DAY), scopes=(DAY, NEXT_DAY)),
        read(raw, use(tool="amp"), source="ai_telemetry_amp_daily_metrics"),
        read(raw, hours=24),
    )
    assert live(raw) == {("11-21", "ada gpt-5"): 1, ("11-20", "ada gpt-5"): 1}
    assert {row["tool"] for row in raw.table(AI_TOOL_DAILY_METRICS) if not row["_is_deleted"]} == {"g2", "amp"}


def test_rows_without_a_whole_scope_take_nothing_away(raw: Raw) -> None:
    """A day with a rejected record: what is missing may be the rejected one."""
    load_days(raw, read(raw, use(), use("eve")), read(raw, use("eve", requests=2), hours=24, scopes=()))
    assert live(raw) == {("11-20", "ada gpt-5"): 1, ("11-20", "eve gpt-5"): 2}


def test_a_row_that_comes_back_is_live_again(raw: Raw) -> None:
    """The same row, with its first window."""
    load_days(raw, read(raw, use()), read(raw, hours=24), read(raw, use(), hours=48))
    row = only(raw.table(AI_TOOL_DAILY_METRICS))
    assert (row["_is_deleted"], row["_first_window_id"], row["_restated_at"]) == (False, "20261120T1200Z", None)


def test_other_content_is_a_restatement_and_the_same_content_is_none(raw: Raw) -> None:
    """Marked with the load that found it, and kept when the row is read again."""
    load_days(raw, read(raw, use(requests=1), use("eve")), read(raw, use(requests=1), use("eve"), hours=24))
    assert {row["_restated_at"] for row in raw.table(AI_TOOL_DAILY_METRICS)} == {None}
    load(
        raw,
        read(raw, use(requests=2), use("eve"), hours=48),
        contract=AI_TOOL_DAILY_METRICS,
        loaded_at=NOON + 48 * HOUR,
    )
    load(
        raw,
        read(raw, use(requests=2), use("eve"), hours=72),
        contract=AI_TOOL_DAILY_METRICS,
        loaded_at=NOON + 72 * HOUR,
    )
    rows = {row["actor"]: row for row in raw.table(AI_TOOL_DAILY_METRICS)}
    assert (rows["ada"]["_restated_at"], rows["eve"]["_restated_at"]) == (NOON + 48 * HOUR, None)
    assert {row["_first_window_id"] for row in rows.values()} == {"20261120T1200Z"}
    assert {row["_window_id"] for row in rows.values()} == {"20261123T1200Z"}


def test_days_may_be_loaded_in_any_order(raw: Raw) -> None:
    """Also a file that waited until a newer reading without its rows, or without any row, was in."""
    parts = [
        read(raw, use(model="auto"), use("eve", requests=1), use(day=NEXT_DAY), scopes=(DAY, NEXT_DAY)),
        read(raw, use(model="gpt-5"), use("eve", requests=2), hours=24),
        read(raw, scopes=(NEXT_DAY,), hours=48),
    ]
    # on the stand-in the newest first, and each part late once
    for order in [(2, 1, 0), (1, 0, 2)] if raw.emulated else itertools.permutations(range(3)):
        source = f"ai_telemetry_order_{''.join(map(str, order))}"
        shuffled = [_of_source(raw, parts[number], source) for number in order]
        load_days(raw, *shuffled)
        rows = [row for row in raw.table(AI_TOOL_DAILY_METRICS) if row["_source"] == source and not row["_is_deleted"]]
        assert {(row["actor"], row["model"], row["requests"]) for row in rows} == {
            ("ada", "gpt-5", 1),
            ("eve", "gpt-5", 2),
        }, order


def test_a_part_that_is_loaded_twice_takes_nothing_away_twice(raw: Raw) -> None:
    """The ledger knows it: what came since stays."""
    first, second = read(raw, hours=24), read(raw, use(), hours=48)
    load_days(raw, read(raw, use()), first, second)
    assert load(raw, first, contract=AI_TOOL_DAILY_METRICS) == LoadedRows(already_loaded=True, copied=first.rows)
    assert live(raw) == {("11-20", "ada gpt-5"): 1}


def _of_source(raw: Raw, part: LandedPart, source: str) -> LandedPart:
    """The same part as another source's, so that several stories fit into one table."""
    found = raw.landing.read(part.object_name)
    assert found is not None
    table = pq.read_table(io.BytesIO(found[0]))
    rows = [{name.lower(): value for name, value in row.items()} for row in table.to_pylist()]
    hours = (part.observed_at - NOON) / HOUR
    days = [date.fromisoformat(scope) for scope in part.scopes]
    return read(raw, *[row | {"tool": source} for row in rows], hours=hours, scopes=days, source=source)


def test_a_table_is_there_before_its_first_row(raw: Raw) -> None:
    """dbt reads the table of a source that has brought nothing yet; a second time changes nothing."""
    raw.open().prepare([INCIDENTS, AI_TOOL_DAILY_METRICS])
    raw.open().prepare([AI_TOOL_DAILY_METRICS, INCIDENTS])
    assert raw.table() == raw.table(AI_TOOL_DAILY_METRICS) == []
    assert raw.ledger() == set()


@pytest.mark.emulated
def test_tables_that_are_there_cost_a_query_and_no_ddl(stack: Stack) -> None:
    """Also when only one of them, a ledger say, is missing: that one is made."""
    schema = stack.new_schema()
    contracts = list(CONTRACTS.values())
    stack.warehouse(schema).prepare(contracts)
    made = _ddl_in(stack, schema)
    stack.warehouse(schema).prepare(contracts)
    of_contracts = sum(2 + (contract.scope is not None) for contract in contracts)
    assert len(made) == of_contracts + len(PLATFORM_TABLES)
    assert _ddl_in(stack, schema) == made

    stack.sql(f"DROP TABLE RAW.{schema}.{INCIDENTS.ledger_table}")
    stack.warehouse(schema).prepare(contracts)
    (again,) = (statement for statement in _ddl_in(stack, schema)[len(made) :] if statement.startswith("CREATE"))
    assert INCIDENTS.ledger_table in again


def _ddl_in(stack: Stack, schema: str) -> list[str]:
    """What changed tables of the schema, oldest first."""
    history = stack.sql("SELECT QUERY_TEXT FROM _fs_local.query_history ORDER BY START_TIME")
    texts = [str(row["QUERY_TEXT"]) for row in history]
    return [text for text in texts if f'"{schema}"' in text and text.startswith(("CREATE TABLE", "ALTER TABLE"))]
