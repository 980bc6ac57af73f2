"""The warehouse in memory: RAW tables as dictionaries, merged by the contracts' rules."""

import io
import json
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq

from shared.adapters.memory import Faults, MemoryBucket
from shared.contracts.contract import Contract, Kind
from shared.contracts.pipeline_runs import PIPELINE_RUNS
from shared.contracts.pipeline_windows import PIPELINE_WINDOWS
from shared.contracts.platform_table import PlatformTable
from shared.errors import WarehouseRefused
from shared.ports import LandedPart, LoadedRows, PipelineRun, WindowState

_NEVER = datetime.min.replace(tzinfo=UTC)


class MemoryWarehouse:
    """RAW tables as dictionaries, read from Parquet in the landing bucket and merged by the contract's rules."""

    def __init__(self, landing: MemoryBucket, faults: Faults | None = None) -> None:
        self._landing = landing
        self._faults = faults or Faults()
        self._lock = threading.Lock()
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = defaultdict(dict)
        self.scopes: dict[str, dict[tuple[str, str], datetime]] = defaultdict(dict)
        self.ledgers: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.windows: dict[tuple[object, ...], WindowState] = {}
        self.runs: dict[tuple[object, ...], PipelineRun] = {}

    def load_part(self, contract: Contract, part: LandedPart, *, loaded_at: datetime) -> LoadedRows:
        """See Warehouse."""
        self._faults.raise_before("load_part", part.object_name)
        with self._lock:
            if (part.object_name, part.generation) in self.ledgers[contract.ledger_table]:
                return LoadedRows(already_loaded=True, copied=part.rows)
            found = self._landing.read(part.object_name)
            if found is None:
                raise WarehouseRefused(f"load of {part.object_name}: the remote file was not found")
            rows = pq.read_table(io.BytesIO(found[0])).to_pylist()
            if len(rows) != part.rows:
                raise WarehouseRefused(f"{part.object_name}: {part.rows} rows landed, but the file has {len(rows)}")
            inserted = updated = 0
            table = self.tables[contract.table]
            newest: dict[tuple[Any, ...], dict[str, Any]] = {}
            for upper in rows:
                row = _payload_checked({name.lower(): value for name, value in upper.items()})
                row["_ingested_at"] = loaded_at
                key = tuple(row[name] for name in contract.keys)
                if key not in newest or self._version(contract, row) > self._version(contract, newest[key]):
                    newest[key] = row
            for key, row in newest.items():
                there = table.get(key)
                if there is None:
                    first = {"_first_window_id": row["_window_id"], "_restated_at": None} if contract.digest else {}
                    table[key] = row | {"_anchor_at": row[contract.anchor]} | first
                    inserted += 1
                elif self._version(contract, row) >= self._version(contract, there) and not (
                    contract.compares(part.scopes) and _content(contract, row) == _content(contract, there)
                ):
                    table[key] = row | self._kept(contract, there, row)
                    updated += 1
            vanished = self._flag_vanished(contract, part, set(newest), loaded_at)
            self.ledgers[contract.ledger_table].add((part.object_name, part.generation))
        self._faults.raise_after("load_part", part.object_name)
        return LoadedRows(False, inserted, updated, vanished, len(rows))

    def _flag_vanished(
        self, contract: Contract, part: LandedPart, landed: set[tuple[Any, ...]], loaded_at: datetime
    ) -> int:
        vanished = 0
        if contract.scope is None:
            return vanished
        read_whole = self.scopes[contract.scopes_table]
        for scope in part.scopes:
            whose = _whose(contract, part.source)
            read_whole[whose, scope] = max(read_whole.get((whose, scope), part.observed_at), part.observed_at)
        for key, row in self.tables[contract.table].items():
            scope = contract.scope_of(row)
            last_read = read_whole.get((_whose(contract, row["_source"]), scope), _NEVER)
            if row["_source_file"] == part.object_name and not row["_is_deleted"] and row["_observed_at"] < last_read:
                # a newer whole scope without the row was loaded before
                row |= {"_is_deleted": True, "_ingested_at": loaded_at}
                vanished += 1
            elif (
                scope in part.scopes
                and _whose(contract, row["_source"]) == _whose(contract, part.source)
                and row["_observed_at"] < part.observed_at
                and last_read <= part.observed_at
                and not row["_is_deleted"]
                and key not in landed
            ):
                row |= {"_is_deleted": True, "_observed_at": part.observed_at, "_ingested_at": loaded_at}
                row["_run_id"] = part.run_id
                vanished += 1
        return vanished

    def prepare(self, contracts: Sequence[Contract]) -> None:
        """See Warehouse."""
        self._faults.raise_before("prepare", "")
        for contract in contracts:
            self.tables[contract.table].update({})
        self._faults.raise_after("prepare", "")

    def record(self, table: PlatformTable, rows: Sequence[WindowState] | Sequence[PipelineRun]) -> None:
        """See Warehouse."""
        self._faults.raise_before("record", table.name)
        tables: dict[str, dict[tuple[object, ...], Any]] = {
            PIPELINE_WINDOWS.name: self.windows,
            PIPELINE_RUNS.name: self.runs,
        }
        kept = tables[table.name]
        for row in rows:
            there = kept.get(table.key_of(row))
            if there is None or getattr(row, table.newest) >= getattr(there, table.newest):
                kept[table.key_of(row)] = row
        self._faults.raise_after("record", table.name)

    @staticmethod
    def _kept(contract: Contract, there: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        kept = {"_anchor_at": there["_anchor_at"]}
        kept |= {name: there[name] for name in contract.kept if row[name] is None}
        if contract.digest is not None:
            restated = there[contract.digest] != row[contract.digest]
            kept["_first_window_id"] = there["_first_window_id"]
            kept["_restated_at"] = row["_ingested_at"] if restated else there["_restated_at"]
        return kept

    @staticmethod
    def _version(contract: Contract, row: Mapping[str, Any]) -> tuple[Any, Any]:
        return row[contract.version], row["_observed_at"]


def _payload_checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the flag that the MERGE sets when the warehouse cannot parse the payload."""
    try:
        json.loads(row["payload"])
    except (ValueError, RecursionError):
        flags = ["payload_not_parsed", *json.loads(row["dq_flags"])]
        return row | {"dq_valid": False, "dq_flags": json.dumps(flags, separators=(",", ":"))}
    return row


def _whose(contract: Contract, source: str) -> str:
    """Whose scopes a source's are: its own, or everybody's where several sources bring rows of them."""
    return source if contract.scope_within is None else ""


def _content(contract: Contract, row: Mapping[str, Any]) -> list[Any]:
    """What makes the row another one: what the source said, its quality flags, and being there. JSON is compared by
    its meaning, as far as there is one."""
    columns = [*contract.columns, *map(contract.column, ("dq_valid", "dq_flags", "_is_deleted"))]
    return [_meaning(row[c.name]) if c.kind is Kind.JSON else row[c.name] for c in columns]


def _meaning(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
