"""Vantage's contract as docs/sources/vantage.md has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.sources.slo.expected import expected_measurements, expected_objectives
from local.sources.slo.mounted import slo_world
from tests.local.opened_doubles import FAMILIES, KEY, NOW, SEED, START, Opened, RecordedPage, opened, recorded

SLOS, WINDOWS = "/v2/slos", "/v2/slo_windows/query"
WORLD = slo_world((), SEED, START)


@pytest.fixture(scope="module")
def served() -> Iterator[Opened]:
    with opened(FAMILIES["vantage"]) as double:
        yield double


@pytest.fixture
def double(served: Opened) -> Opened:
    served.clock.now = NOW
    served.arm()
    return served


def ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def windows(double: Opened, start: datetime, end: datetime, ids: list[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in range(1, 50):
        query = {"from_ms": ms(start), "to_ms": ms(end), "slo_ids": ids, "page": page}
        response = double.client.post(WINDOWS, json=query)
        assert response.status_code == 200, response.text
        rows += response.json()["windows"]
        if not response.json()["has_more"]:
            return rows
    raise AssertionError("no end of pages")


@pytest.mark.parametrize("authorization", ["", "Token", "Token wrong", f"Bearer {KEY}"])
def test_a_missing_or_wrong_token_is_refused(double: Opened, authorization: str) -> None:
    """401, whatever was asked."""
    for answer in (
        double.client.get(SLOS, headers={"Authorization": authorization}),
        double.client.post(WINDOWS, headers={"Authorization": authorization}),
    ):
        assert answer.status_code == 401
        assert answer.json()["status"] == 401


def test_the_pages_of_slos_joined_are_the_whole(double: Opened) -> None:
    """Targets are strings in percent, instants milliseconds; the count of pages is told."""
    first = double.get(SLOS, per_page=4)
    rows = list(first["slos"])
    for number in range(2, first["total_pages"] + 1):
        rows += double.get(SLOS, per_page=4, page=number)["slos"]
    expected = expected_objectives(WORLD, "vantage", NOW)
    assert len(rows) == first["total"] == len(expected)
    for row, e in zip(rows, expected, strict=True):
        assert (row["title"], row["service_name"], row["owner"]) == (e["name"], e["service"], e["team"])
        assert isinstance(row["target"], str)
        assert Decimal(row["target"]) == e["target"]
        assert row["timeframe"] == ("calendar_month" if e["rolling_days"] is None else f"{e['rolling_days']}d")
        assert row["modified_ms"] == ms(e["updated_at"])
        assert row["archived"] is e["retired"]
    assert double.get(SLOS, page=99)["slos"] == []


def test_the_windows_joined_are_the_settled_facts(double: Opened) -> None:
    """Valid less bad is good; more than one page of a thousand."""
    start, end = NOW - timedelta(days=8), NOW - timedelta(days=1)
    ids = [row["slo_id"] for row in double.get(SLOS, per_page=50)["slos"]]
    told = windows(double, start, end, ids)
    expected = expected_measurements(WORLD, "vantage", start, end, NOW)
    assert len(told) > 1000
    assert [(t["start_ms"], t["valid_events"] - t["bad_events"], t["valid_events"]) for t in told] == [
        (ms(e["hour"]), e["good"], e["total"]) for e in expected
    ]
    for row in told:
        assert row["end_ms"] - row["start_ms"] == 3_600_000
        assert (row["sli_percent"] is None) == (row["valid_events"] == 0)


def test_asking_by_slo_changes_nothing(double: Opened) -> None:
    """Neither the order of ids nor one twice."""
    start, end = NOW - timedelta(days=2), NOW - timedelta(days=1)
    both = windows(double, start, end, [4014, 4007, 4014])
    assert both == windows(double, start, end, [4007]) + windows(double, start, end, [4014])


def test_both_monitors_tell_one_truth(double: Opened) -> None:
    """The service that both watch has the same settled events in either shape."""
    start, end = NOW - timedelta(days=2), NOW - timedelta(days=1)
    here = [(row["valid_events"], row["bad_events"]) for row in windows(double, start, end, [4007])]
    with opened(FAMILIES["oebot"]) as oebot:
        body = oebot.get(
            "/api/v1/objectives/obj_0001/measurements", **{"from": start.isoformat(), "to": end.isoformat()}
        )
    assert [(m["total"], m["total"] - m["good"]) for m in body["measurements"]] == here


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from_ms": 1, "to_ms": 2},
        {"from_ms": 2, "to_ms": 1, "slo_ids": [4007]},
        {"from_ms": 0, "to_ms": 604_800_001, "slo_ids": [4007]},
        {"from_ms": 0, "to_ms": 10**18, "slo_ids": [4007]},
        {"from_ms": 1, "to_ms": 2, "slo_ids": []},
        {"from_ms": 1, "to_ms": 2, "slo_ids": [1]},
        {"from_ms": 1, "to_ms": 2, "slo_ids": ["4007"]},
        {"from_ms": 1, "to_ms": 2, "slo_ids": [4007] * 21},
        {"from_ms": 1, "to_ms": 2, "slo_ids": [4007], "page": 0},
        {"from_ms": 1, "to_ms": 2, "slo_ids": [4007], "pages": 1},
        {"from_ms": "2026-03-01", "to_ms": 2, "slo_ids": [4007]},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(double: Opened, query: dict[str, Any]) -> None:
    """400 with the reason."""
    refused = double.client.post(WINDOWS, json=query)
    assert refused.status_code == 400
    assert refused.json()["detail"]
    assert double.client.post(WINDOWS, content=b"{").status_code == 400


def test_the_end_of_the_calendar_is_empty(double: Opened) -> None:
    """A range there is a range like any other."""
    last = 253_402_300_799_999
    query = {"from_ms": last - 1, "to_ms": last, "slo_ids": [4007]}
    assert double.client.post(WINDOWS, json=query).json() == {"windows": [], "page": 1, "has_more": False}


def test_other_methods_and_bad_pages_are_refused(double: Opened) -> None:
    """405 and 400."""
    assert double.client.get(WINDOWS).status_code == 405
    assert double.client.get(SLOS, params={"page": "one"}).status_code == 400


def test_the_clock_decides_what_is_known(double: Opened) -> None:
    """Hours of the future aren't there, nor are objectives."""
    double.clock.now = START + timedelta(days=10)
    rows = windows(double, START + timedelta(days=9), START + timedelta(days=12), [4007])
    assert max(row["end_ms"] for row in rows) <= ms(double.clock.now)
    assert max(row["computed_ms"] for row in rows) <= ms(double.clock.now)
    double.clock.now = datetime(2025, 1, 1, tzinfo=UTC)
    assert double.get(SLOS)["slos"] == []


def test_the_quota_is_kept() -> None:
    """60 a minute."""
    with opened(FAMILIES["vantage"], rate_limited=True) as double:
        statuses = [double.client.get(SLOS, params={"per_page": 1}).status_code for _ in range(61)]
        assert statuses == [200] * 60 + [429]
        double.wall[0] += 1
        assert double.client.get(SLOS).status_code == 200


def test_pages_can_be_hostile(double: Opened) -> None:
    """Broken rows, pages without end, an empty page in the middle."""
    query = {"from_ms": ms(NOW - timedelta(days=1)), "to_ms": ms(NOW), "slo_ids": [4007]}
    double.arm({"action": "corrupt_record", "path": WINDOWS, "record": {"bad_events": "3"}})
    assert double.client.post(WINDOWS, json=query).json()["windows"][0]["bad_events"] == "3"
    double.arm({"action": "loop_cursor", "always": True})
    assert double.client.post(WINDOWS, json={**query, "page": 9}).json()["has_more"] is True
    double.arm({"action": "empty_page_with_cursor", "path": SLOS})
    assert double.get(SLOS, per_page=4)["slos"] == []
    total = double.get(SLOS, per_page=4)
    again = [row for n in range(1, total["total_pages"] + 1) for row in double.get(SLOS, per_page=4, page=n)["slos"]]
    assert len(again) == total["total"]


@pytest.mark.parametrize("page", recorded("vantage"), ids=lambda page: page.name)
def test_a_recorded_page_is_what_the_double_shows(double: Opened, page: RecordedPage) -> None:
    """A page that no longer comes from anywhere would let its readers' tests pass for nothing."""
    assert page.answer(double) == json.loads(page.file.read_text(encoding="utf-8"))
