"""Tables that several sources write, in both warehouses: rows stay as they are while nothing changes."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts.contract import Kind
from shared.contracts.incidents import INCIDENTS
from shared.ports import LandedPart, LoadedRows
from tests.contract.test_warehouse import HOUR, NOON, Raw, incident, land, load, memory_raw, only, stack_raw


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def raw(request: pytest.FixtureRequest) -> Raw:
    return memory_raw() if request.param == "memory" else stack_raw(request.getfixturevalue("stack"))


CENSUS, STANDARD = "incident_io_companya_census", "companya/standard/public/2026-11"
KINDS = [c for c in INCIDENTS.columns if not c.required and c.name not in ("mode", "visibility")]


def seen(incident_id: str, **values: Any) -> dict[str, Any]:
    """An incident that is in the scope STANDARD unless the values say otherwise."""
    return incident(incident_id, **{"mode": "standard", "visibility": "public", **values})


def count(raw: Raw, *rows: Mapping[str, Any], hours: float, scopes: Sequence[str] = (STANDARD,)) -> LandedPart:
    """Land a census's part, observed so many hours after noon."""
    part = land(raw, *rows, observed_at=NOON + hours * HOUR)
    return dataclasses.replace(part, source=CENSUS, scopes=tuple(scopes))


def alive(raw: Raw) -> dict[str, bool]:
    return {row["incident_id"]: not row["_is_deleted"] for row in raw.table()}


@pytest.mark.parametrize("load_in", [["poll", "census"], ["census"]])
def test_an_unchanged_row_is_left_as_it_was_written(raw: Raw, load_in: list[str]) -> None:
    """With the instant that marts cut by; who read it again, and in which file, does not matter."""
    full = {column.name: _SOMETHING[column.kind] for column in KINDS} | {"payload": '{"b": [1, 2], "a": null}'}
    load(raw, land(raw, seen("1", **full), seen("2"), observed_at=NOON))
    before = raw.table()
    respelt = full | {"payload": '{"b":[1,2],"a":null}'}
    for hours, _ in enumerate(load_in, 1):
        part = count(raw, seen("1", **respelt), seen("2"), hours=hours)
        assert load(raw, part, loaded_at=NOON + 9 * HOUR) == LoadedRows(False, 0, 0, 0, 2)
    assert sorted(raw.table(), key=repr) == sorted(before, key=repr)


_SOMETHING: dict[Kind, Any] = {
    Kind.TEXT: "text",
    Kind.INTEGER: 2**53 + 1,
    Kind.NUMBER: 0.1,
    Kind.BOOLEAN: False,
    Kind.INSTANT: NOON.replace(microsecond=123456),
    Kind.JSON: '[{"id": "1"}]',
}
_OTHER: dict[Kind, Any] = {
    Kind.TEXT: "Text",
    Kind.INTEGER: 2**53 + 2,
    Kind.NUMBER: 0.2,
    Kind.BOOLEAN: True,
    Kind.INSTANT: NOON.replace(microsecond=123457),
    Kind.JSON: '[{"id": "2"}]',
}


def test_any_other_content_is_a_change(raw: Raw) -> None:
    """Whatever column it is in, also to and from nothing, under the same `updated_at`."""
    rows = {column.name: seen(column.name) for column in KINDS}
    rows["dq_flags"] = seen("dq_flags")
    load(raw, land(raw, *rows.values()))
    somethings = {column.name: {column.name: _SOMETHING[column.kind]} for column in KINDS}
    somethings["dq_flags"] = {"dq_valid": False, "dq_flags": '["a"]'}
    others = {column.name: {column.name: _OTHER[column.kind]} for column in KINDS}
    others["dq_flags"] = {"dq_valid": False, "dq_flags": '["b"]'}
    nothings: dict[str, dict[str, Any]] = {name: {} for name in rows}
    for hours, values in enumerate((somethings, others, nothings), 1):
        part = land(raw, *(row | values[name] for name, row in rows.items()), observed_at=NOON + hours * HOUR)
        assert load(raw, part).updated == len(rows)


def test_a_whole_month_takes_away_what_it_lacks_whoever_brought_it(raw: Raw) -> None:
    """Also of rows that were left as they were; a row that comes back is live again."""
    load(raw, land(raw, seen("1"), seen("2"), observed_at=NOON))
    assert load(raw, count(raw, seen("1"), seen("2"), hours=1)) == LoadedRows(False, 0, 0, 0, 2)
    assert load(raw, count(raw, seen("1"), hours=2), loaded_at=NOON + 5 * HOUR) == LoadedRows(False, 0, 0, 1, 1)
    assert alive(raw) == {"1": True, "2": False}
    gone = only([row for row in raw.table() if row["_is_deleted"]])
    assert (gone["_observed_at"], gone["_ingested_at"]) == (NOON + 2 * HOUR, NOON + 5 * HOUR)
    assert load(raw, count(raw, seen("1"), seen("2"), hours=3)) == LoadedRows(False, 0, 1, 0, 2)
    assert alive(raw) == {"1": True, "2": True}


def test_nothing_outside_the_scopes_is_taken_away(raw: Raw) -> None:
    """Other workspaces, months, modes that are not read, private incidents that the key cannot see."""
    rows = [
        seen("another workspace", workspace="companyb"),
        seen("another month", created_at=datetime(2026, 12, 1, tzinfo=UTC)),
        seen("the month before", created_at=datetime(2026, 10, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        seen("another mode", mode="test"),
        seen("private", visibility="private"),
        seen("of no mode", mode=None),
    ]
    load(raw, land(raw, *rows, seen("gone"), seen("first instant", created_at=datetime(2026, 11, 1, tzinfo=UTC))))
    assert load(raw, count(raw, hours=1)).vanished == 2
    assert {name for name, there in alive(raw).items() if not there} == {"gone", "first instant"}


def test_a_stale_file_does_not_bring_back_what_is_gone(raw: Raw) -> None:
    """Neither with the version that is there, nor with a newer one, nor with an incident that was never seen."""
    load(raw, land(raw, seen("1"), observed_at=NOON))
    load(raw, count(raw, hours=3))
    stale = land(raw, seen("1"), observed_at=NOON + HOUR)
    newer = land(raw, seen("1", updated_at=NOON + HOUR), seen("2"), observed_at=NOON + 2 * HOUR)
    assert load(raw, stale) == LoadedRows(False, 0, 0, 0, 1)
    assert load(raw, newer) == LoadedRows(False, 1, 1, 2, 2)
    assert alive(raw) == {"1": False, "2": False}
    load(raw, land(raw, seen("1", updated_at=NOON + HOUR), observed_at=NOON + 4 * HOUR))
    assert alive(raw) == {"1": True, "2": False}


def test_counts_and_polls_may_be_loaded_in_any_order(raw: Raw) -> None:
    """What is live in the end is what the last count held and what was seen after it."""
    # on the stand-in the newest first, and a poll between counts that come in the wrong order
    orders = [(3, 2, 1, 0), (2, 0, 3, 1)] if raw.emulated else itertools.permutations(range(4))
    for number, order in enumerate(orders):
        name = f"w{number}"
        scope = f"{name}/standard/public/2026-11"
        parts = [
            land(raw, seen("stays", workspace=name), seen("goes", workspace=name), seen("comes back", workspace=name)),
            count(raw, seen("stays", workspace=name), seen("goes", workspace=name), hours=1, scopes=[scope]),
            count(raw, seen("stays", workspace=name), seen("comes back", workspace=name), hours=2, scopes=[scope]),
            land(raw, seen("new", workspace=name), observed_at=NOON + 3 * HOUR),
        ]
        for place in order:
            load(raw, parts[place])
        live_ones = {r["incident_id"] for r in raw.table() if r["workspace"] == name and not r["_is_deleted"]}
        assert live_ones == {"stays", "comes back", "new"}, order
