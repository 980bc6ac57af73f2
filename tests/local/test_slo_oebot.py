"""OEBOT's contract as docs/sources/oebot.md has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.sources.slo.expected import expected_measurements, expected_objectives
from local.sources.slo.mounted import slo_world
from tests.local.opened_doubles import FAMILIES, NOW, SEED, START, Opened, RecordedPage, opened, recorded

OBJECTIVES = "/api/v1/objectives"
WORLD = slo_world((), SEED, START)


@pytest.fixture(scope="module")
def served() -> Iterator[Opened]:
    with opened(FAMILIES["oebot"]) as double:
        yield double


@pytest.fixture
def double(served: Opened) -> Opened:
    served.clock.now = NOW
    served.arm()
    return served


def read_all(double: Opened, path: str, name: str, **parameters: str | int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        body = double.get(path, **parameters, **cursor)
        rows += body[name]
        if body["next_cursor"] is None:
            return rows
        cursor = {"cursor": body["next_cursor"]}


def measurements(double: Opened, objective: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    path = f"{OBJECTIVES}/{objective}/measurements"
    return read_all(double, path, "measurements", limit=7, **{"from": start.isoformat(), "to": end.isoformat()})


@pytest.mark.parametrize("headers", [{"X-OEBOT-Key": ""}, {"X-OEBOT-Key": "wrong"}, {"X-OEBOT-Key": "KEY-OF-A-TEST"}])
def test_a_missing_or_wrong_key_is_refused(double: Opened, headers: dict[str, str]) -> None:
    """401 before anything else is looked at."""
    for path in (OBJECTIVES, "/nowhere", f"{OBJECTIVES}/obj_0001/measurements"):
        refused = double.client.get(path, headers=headers)
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "unauthorized"


def test_the_pages_of_objectives_joined_are_the_whole(double: Opened) -> None:
    """Every objective that exists, with the target as a fraction."""
    rows = read_all(double, OBJECTIVES, "objectives", limit=2)
    expected = expected_objectives(WORLD, "oebot", NOW)
    assert [row["id"] for row in rows] == [f"obj_{e['objective']:04d}" for e in expected]
    for row, e in zip(rows, expected, strict=True):
        assert (row["service"], row["team"], row["name"]) == (e["service"], e["team"], e["name"])
        assert Decimal(str(row["target"])) * 100 == e["target"]
        assert row["window"].get("days") == e["rolling_days"]
        assert row["window"]["type"] == ("calendar" if e["rolling_days"] is None else "rolling")
        assert row["state"] == ("retired" if e["retired"] else "active")
        assert datetime.fromisoformat(row["updated_at"]) == e["updated_at"]


def test_updated_since_is_inclusive(double: Opened) -> None:
    """A reader that asks from its own highest instant on sees that row again, and nothing older."""
    rows = read_all(double, OBJECTIVES, "objectives")
    newest = max(row["updated_at"] for row in rows)
    assert read_all(double, OBJECTIVES, "objectives", updated_since=newest) == [
        row for row in rows if row["updated_at"] == newest
    ]
    later = (datetime.fromisoformat(newest) + timedelta(seconds=1)).isoformat()
    assert read_all(double, OBJECTIVES, "objectives", updated_since=later) == []


def test_the_pages_of_measurements_joined_are_the_settled_facts(double: Opened) -> None:
    """Hour by hour, the range half open; `sli` null without traffic."""
    start, end = NOW - timedelta(days=3), NOW - timedelta(days=1)
    told: list[tuple[str, str, int, int]] = []
    for row in read_all(double, OBJECTIVES, "objectives"):
        for m in measurements(double, row["id"], start, end):
            told.append((row["id"], m["hour"], m["good"], m["total"]))
            assert (m["sli"] is None) == (m["total"] == 0)
            assert m["sli"] is None or m["sli"] <= m["good"] / m["total"] < m["sli"] + 2e-6
    assert told == [
        (f"obj_{e['objective']:04d}", e["hour"].isoformat().replace("+00:00", "Z"), e["good"], e["total"])
        for e in expected_measurements(WORLD, "oebot", start, end, NOW)
    ]


def test_the_range_is_half_open(double: Opened) -> None:
    """An hour belongs to the range that its beginning lies in."""
    start = NOW - timedelta(days=2)
    rows = measurements(double, "obj_0001", start, start + timedelta(hours=3))
    assert [row["hour"][11:13] for row in rows] == ["12", "13", "14"]
    rows = measurements(double, "obj_0001", start + timedelta(minutes=1), start + timedelta(hours=3, minutes=1))
    assert [row["hour"][11:13] for row in rows] == ["13", "14", "15"]


def test_what_is_not_reported_yet_is_not_there(double: Opened) -> None:
    """Moving the clock on brings it, corrected hours included."""
    day = START + timedelta(days=30)
    double.clock.now = day + timedelta(hours=24, minutes=1)
    early = {row["hour"]: row for row in measurements(double, "obj_0001", day, day + timedelta(days=1))}
    double.clock.now = day + timedelta(hours=31)
    late = {row["hour"]: row for row in measurements(double, "obj_0001", day, day + timedelta(days=1))}
    assert len(late) == 24
    assert set(early) < set(late)
    double.clock.now = START - timedelta(days=1)
    assert double.get(OBJECTIVES)["objectives"] == []
    assert double.client.get(f"{OBJECTIVES}/obj_0001/measurements").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "",
        "from=2026-03-01T00:00:00Z",
        "from=2026-03-01T00:00:00&to=2026-03-02T00:00:00Z",
        "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
        "from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-02-01T01:00:00Z",
        "from=yesterday&to=2026-03-02T00:00:00Z",
        "from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&limit=501",
        "from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&limit=0",
        "from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&limit=ten",
        "from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&cursor=%21",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(double: Opened, query: str) -> None:
    """422, rather than an answer to another question."""
    refused = double.client.get(f"{OBJECTIVES}/obj_0001/measurements?{query}")
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize(
    ("start", "end"),
    [("9999-12-31T23:30:00Z", "9999-12-31T23:59:00Z"), ("0001-01-01T00:00:00+23:00", "0001-01-02T00:00:00+23:00")],
)
def test_the_ends_of_the_calendar_are_empty(double: Opened, start: str, end: str) -> None:
    """A range that begins there is a range like any other."""
    body = double.get(f"{OBJECTIVES}/obj_0001/measurements", **{"from": start, "to": end})
    assert body["measurements"] == []


def test_unknown_things_and_methods_are_refused(double: Opened) -> None:
    """404 and 405."""
    assert double.client.get(f"{OBJECTIVES}/obj_9999/measurements").status_code == 404
    assert double.client.get("/api/v1/else").status_code == 404
    assert double.client.post(OBJECTIVES).status_code == 405


def test_the_quota_is_told_and_kept() -> None:
    """120 a minute; after the seconds of `Retry-After` the next request is let in."""
    with opened(FAMILIES["oebot"], rate_limited=True) as double:
        answers = [double.client.get(OBJECTIVES, params={"limit": 1}) for _ in range(121)]
        assert [a.status_code for a in answers] == [200] * 120 + [429]
        assert answers[0].headers["x-oebot-requests-left"] == "119"
        double.wall[0] += int(answers[-1].headers["retry-after"])
        assert double.client.get(OBJECTIVES, params={"limit": 1}).status_code == 200


def test_pages_can_be_hostile(double: Opened) -> None:
    """Broken records, a cursor that loops, an empty page that isn't the last."""
    double.arm({"action": "corrupt_record", "record": {"target": "high", "window": {"$absent": True}, "new": 1}})
    first = double.get(OBJECTIVES)["objectives"][0]
    assert (first["target"], first["new"]) == ("high", 1)
    assert "window" not in first
    double.arm({"action": "loop_cursor", "times": 2})
    body = double.get(OBJECTIVES, limit=2)
    assert double.get(OBJECTIVES, limit=2, cursor=body["next_cursor"])["next_cursor"] == body["next_cursor"]
    double.arm({"action": "empty_page_with_cursor", "skip": 1})
    whole = read_all(double, OBJECTIVES, "objectives", limit=2)
    assert len(whole) == len(expected_objectives(WORLD, "oebot", NOW))


@pytest.mark.parametrize("page", recorded("oebot"), ids=lambda page: page.name)
def test_a_recorded_page_is_what_the_double_shows(double: Opened, page: RecordedPage) -> None:
    """A page that no longer comes from anywhere would let its readers' tests pass for nothing."""
    assert page.answer(double) == json.loads(page.file.read_text(encoding="utf-8"))
