"""`GET /v2/incidents` over HTTP: order, paging, filters and refusals."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest

from local.sources.incident_io.api import create_app
from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.generator import generate
from local.sources.incident_io.timeline import Category, state_at
from local.sources.incident_io.workspaces import load_workspaces, split_by_workspace
from local.sources.kit.instants import rfc3339
from local.sources.kit.serve import running

START, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
ALL_CATEGORIES = ("triage", "declined", "merged", "canceled", "live", "learning", "closed", "paused")
ALL_MODES = ("standard", "retrospective", "test", "tutorial")
Pairs = list[tuple[str, str | int | float | bool | None]]
EVERYTHING: Pairs = [
    *(("status_category[one_of]", category) for category in ALL_CATEGORIES),
    *(("mode[one_of]", mode) for mode in ALL_MODES),
]

ARCHIVE = list(generate(21, START, NOW, per_day=18))
SHARES = split_by_workspace(ARCHIVE, [w.name for w in load_workspaces()])
KEYS = {"key-a": "companya", "key-b": "companyb", "key-c": "companyc"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    double = IncidentIoDouble(ARCHIVE, KEYS, NOW, rate_limited=False)
    with running(create_app(double)) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer key-a"}) as c:
        yield c


def listed(client: httpx.Client, pairs: Pairs, **headers: str) -> dict[str, Any]:
    response = client.get("/v2/incidents", params=httpx.QueryParams(pairs), headers=headers)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def read_all(client: httpx.Client, pairs: Pairs, page_size: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = listed(client, [*pairs, ("page_size", str(page_size)), *([("after", after)] if after else [])])
        rows += page["incidents"]
        following = page["pagination_meta"].get("after")
        assert (following is not None) == (len(page["incidents"]) == page_size)
        if following is None:
            return rows
        assert following != after
        after = following


@pytest.mark.parametrize("page_size", [30, 250])
@pytest.mark.parametrize("sort_by", ["created_at_oldest_first", "created_at_newest_first"])
def test_pages_joined_equal_the_whole(client: httpx.Client, sort_by: str, page_size: int) -> None:
    """Every incident of the workspace once, in order, while the clock stands."""
    rows = read_all(client, [*EVERYTHING, ("sort_by", sort_by)], page_size)
    created = [datetime.fromisoformat(row["created_at"]) for row in rows]
    assert created == sorted(created, reverse=sort_by == "created_at_newest_first")
    assert sorted(row["created_at"] for row in rows) == sorted(rfc3339(i.started_at) for i in SHARES["companya"])
    assert len({row["id"] for row in rows}) == len(SHARES["companya"])


def test_a_full_last_page_is_followed_by_an_empty_one(client: httpx.Client) -> None:
    """`after` says that there may be more, not that there is."""
    day = [("created_at[date_range]", "2026-01-05~2026-01-06"), ("sort_by", "created_at_oldest_first"), *EVERYTHING]
    count = listed(client, day)["pagination_meta"]["total_record_count"]
    assert count > 1
    page = listed(client, [*day, ("page_size", str(count))])
    assert len(page["incidents"]) == count
    last = listed(client, [*day, ("page_size", str(count)), ("after", page["pagination_meta"]["after"])])
    assert last["incidents"] == []
    assert "after" not in last["pagination_meta"]


@pytest.mark.parametrize(("asked", "given"), [(None, 25), ("10", 10), ("250", 250), ("500", 250), ("99999999999", 250)])
def test_page_size_defaults_to_25_and_is_held_to_250(client: httpx.Client, asked: str | None, given: int) -> None:
    """And the answer says which size was used."""
    page = listed(client, [("page_size", asked)] if asked else [])
    assert page["pagination_meta"]["page_size"] == given
    assert len(page["incidents"]) == min(given, page["pagination_meta"]["total_record_count"])


def test_newest_first_is_the_default_order(client: httpx.Client) -> None:
    """As with the vendor: whoever wants stable paging must ask for oldest first."""
    created = [row["created_at"] for row in listed(client, [])["incidents"]]
    assert created == sorted(created, reverse=True)


@cache
def everything_of(client: httpx.Client) -> list[dict[str, Any]]:
    return read_all(client, [*EVERYTHING, ("sort_by", "created_at_oldest_first")], 250)


def expected_ids(client: httpx.Client, keep: Callable[[dict[str, Any]], bool]) -> set[str]:
    return {row["id"] for row in everything_of(client) if keep(row)}


def ids(client: httpx.Client, pairs: Pairs) -> set[str]:
    return {row["id"] for row in read_all(client, pairs, 250)}


def category(row: dict[str, Any]) -> str:
    return str(row["incident_status"]["category"])


HIDDEN = {"declined", "canceled", "merged"}


def test_declined_canceled_and_merged_are_hidden_unless_asked_for(client: httpx.Client) -> None:
    """An extractor that doesn't name the categories loses rows, here as there."""
    default = ids(client, [])
    usual = ("standard", "retrospective")
    assert default == expected_ids(client, lambda r: category(r) not in HIDDEN and r["mode"] in usual)
    assert ids(client, [("status_category[one_of]", "merged")]) == expected_ids(
        client, lambda r: category(r) == "merged" and r["mode"] in usual
    )
    assert expected_ids(client, lambda r: category(r) in HIDDEN)
    assert ids(client, [("status_category[not_in]", "closed"), *EVERYTHING[-4:]]) == expected_ids(
        client, lambda r: category(r) != "closed"
    )


def test_only_standard_and_retrospective_unless_asked_for(client: httpx.Client) -> None:
    """Drills and tutorials come only when named."""
    drills = ids(client, [*EVERYTHING[:-4], ("mode[one_of]", "test"), ("mode[one_of]", "tutorial")])
    assert drills == expected_ids(client, lambda r: r["mode"] in {"test", "tutorial"})
    assert drills


def test_one_of_and_not_in_take_several_ids(client: httpx.Client) -> None:
    """Severity and status by their workspace's ids; gte and lte compare ranks."""
    low, *_, high = client.get("/v1/severities").json()["severities"]
    middle = [s["id"] for s in client.get("/v1/severities").json()["severities"]][1:3]
    chosen = ids(client, [*EVERYTHING, *(("severity[one_of]", one) for one in middle)])
    assert chosen == expected_ids(client, lambda r: r.get("severity", {}).get("id") in middle)
    assert ids(client, [*EVERYTHING, ("severity[gte]", middle[1])]) == expected_ids(
        client, lambda r: r.get("severity", {}).get("rank", 0) >= 3
    )
    assert ids(client, [*EVERYTHING, ("severity[lte]", low["id"])]) == expected_ids(
        client, lambda r: r.get("severity", {}).get("rank", 9) <= low["rank"]
    )
    assert high["rank"] == 4
    status = next(s["id"] for s in client.get("/v1/incident_statuses").json()["incident_statuses"] if s["rank"] == 6)
    assert ids(client, [*EVERYTHING, ("status[not_in]", status)]) == expected_ids(
        client, lambda r: r["incident_status"]["id"] != status
    )


def test_filter_mode_any_joins_with_or(client: httpx.Client) -> None:
    """Either filter lets a row through; what is hidden by default stays hidden."""
    critical = client.get("/v1/severities").json()["severities"][-1]["id"]
    pairs = [("severity[one_of]", critical), ("created_at[lte]", "2026-01-03"), ("filter_mode", "any")]
    found = ids(client, pairs)
    shown = ids(client, [])
    assert found == shown & expected_ids(
        client,
        lambda r: r.get("severity", {}).get("id") == critical or r["created_at"] < "2026-01-04",
    )


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
@pytest.mark.parametrize(
    ("operator", "value", "first", "last"),
    [
        ("gte", "2026-02-10", "2026-02-10", "2026-12-31"),
        ("lte", "2026-02-10", "2026-01-01", "2026-02-10"),
        ("date_range", "2026-02-10~2026-02-12", "2026-02-10", "2026-02-12"),
        ("date_range", "2026-02-10~2026-02-10", "2026-02-10", "2026-02-10"),
    ],
)
def test_dates_are_whole_utc_days_with_both_ends_in(
    client: httpx.Client, field: str, operator: str, value: str, first: str, last: str
) -> None:
    """A day counts from its first microsecond to its last."""
    found = ids(client, [*EVERYTHING, (f"{field}[{operator}]", value)])
    assert found == expected_ids(client, lambda r: first <= r[field][:10] <= last)
    assert found


def test_the_ends_of_a_day_are_in_it() -> None:
    """Midnight belongs to the day it begins."""
    midnight = datetime(2026, 2, 10, tzinfo=UTC)
    instants = [midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1, microseconds=-1)]
    template = ARCHIVE[0]
    archive = [
        ArchiveIncident(
            id=str(n), impact="minor", started_at=at, updates=(type(template.updates[0])(at, "Identified"),)
        )
        for n, at in enumerate([*instants, midnight + timedelta(days=1)])
    ]
    keys = {f"key-{name}": name for name in KEYS.values()}
    with running(create_app(IncidentIoDouble(archive, keys, NOW, rate_limited=False))) as url:
        found = [
            row["created_at"]
            for key in keys
            for row in httpx.get(
                f"{url}/v2/incidents",
                params={"updated_at[date_range]": "2026-02-10~2026-02-10"},
                headers={"Authorization": f"Bearer {key}"},
            ).json()["incidents"]
        ]
    assert sorted(found) == ["2026-02-10T00:00:00Z", "2026-02-10T23:59:59.999999Z"]


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([("updated_at[gte]", "2026-01-01"), ("updated_at[lte]", "2026-01-02")], "updated_at"),
        ([("updated_at[gte]", "2026-01-01T00:00:00Z")], "updated_at"),
        ([("created_at[lte]", "20260101")], "created_at"),
        ([("created_at[lte]", "2026-02-30")], "created_at"),
        ([("created_at[date_range]", "2026-01-01")], "created_at"),
        ([("created_at[date_range]", "2026-01-01~soon")], "created_at"),
        ([("created_at[is]", "2026-01-01")], "created_at"),
        ([("created_at", "2026-01-01")], "created_at"),
        ([("page_size", "0")], "page_size"),
        ([("page_size", "ten")], "page_size"),
        ([("page_size", "-5")], "page_size"),
        ([("after", "01ARZ3NDEKTSV4RRFFQ69G5FAV")], "after"),
        ([("sort_by", "updated_at")], "sort_by"),
        ([("filter_mode", "some")], "filter_mode"),
        ([("status_category[one_of]", "active")], "status_category"),
        ([("status_category[gte]", "live")], "status_category"),
        ([("mode[one_of]", "real")], "mode"),
        ([("mode[not_in]", "test")], "mode"),
        ([("severity[one_of]", "P0")], "severity"),
        ([("status[one_of]", "nope")], "status"),
        ([("custom_field[X][one_of]", "y")], "custom_field"),
    ],
)
def test_bad_values_are_refused_with_422_and_the_field(client: httpx.Client, pairs: Pairs, field: str) -> None:
    """In the vendor's error shape."""
    response = client.get("/v2/incidents", params=httpx.QueryParams(pairs))
    assert response.status_code == 422
    body = response.json()
    assert (body["type"], body["status"]) == ("validation_error", 422)
    assert body["errors"][0]["source"] == {"field": field}
    assert body["request_id"]


def test_unknown_parameters_and_empty_values_are_ignored(client: httpx.Client) -> None:
    """The vendor's document allows empty values."""
    assert listed(client, [("colour", "red"), ("after", ""), ("page_size", "")]) == listed(client, [])


def test_a_place_outside_the_filter_is_still_a_place(client: httpx.Client) -> None:
    """`after` an incident that the filter leaves out goes on where that incident stands."""
    order: Pairs = [("sort_by", "created_at_oldest_first")]
    everything = everything_of(client)
    hidden = next(n for n, row in enumerate(everything) if category(row) in HIDDEN and n > 3)
    shown = [row["id"] for row in read_all(client, order, 250)]
    following = [row["id"] for row in everything[hidden:] if row["id"] in shown]
    page = listed(client, [*order, ("after", everything[hidden]["id"]), ("page_size", "250")])
    assert [row["id"] for row in page["incidents"]] == following[:250]


def test_an_incident_is_found_by_id_and_by_number_in_its_own_workspace_only(client: httpx.Client) -> None:
    """References are unique per workspace only; ids of another workspace aren't found."""
    row = listed(client, [("page_size", "1")])["incidents"][0]
    assert client.get(f"/v2/incidents/{row['id']}").json() == {"incident": row}
    number = row["reference"].removeprefix("INC-")
    assert client.get(f"/v2/incidents/{number}").json() == {"incident": row}
    other = {"Authorization": "Bearer key-b"}
    assert client.get(f"/v2/incidents/{row['id']}", headers=other).status_code == 404
    first, first_of_b = (client.get("/v2/incidents/1", headers=h).json()["incident"] for h in ({}, other))
    assert first["reference"] == first_of_b["reference"] == "INC-1"
    assert first["id"] != first_of_b["id"]
    missing = client.get("/v2/incidents/999999")
    assert missing.status_code == 404
    assert missing.json()["errors"][0]["code"] == "resource_not_found"


def test_workspaces_together_hold_the_whole_archive(client: httpx.Client) -> None:
    """One server, three keys, every incident once; numbers run in order of creation."""
    counts = {}
    for key, name in KEYS.items():
        client_of = httpx.Client(base_url=client.base_url, headers={"Authorization": f"Bearer {key}"})
        with client_of:
            rows = read_all(client_of, [*EVERYTHING, ("sort_by", "created_at_oldest_first")], 250)
        counts[name] = len(rows)
        assert [row["reference"] for row in rows] == [f"INC-{n}" for n in range(1, len(rows) + 1)]
    assert counts == {name: len(share) for name, share in SHARES.items()}


def test_gzip_only_when_asked_and_the_same_rows_inside(client: httpx.Client) -> None:
    """The parts put together are a gzip stream like any other."""
    parameters = httpx.QueryParams([*EVERYTHING, ("page_size", "250")])
    with client.stream("GET", "/v2/incidents", params=parameters, headers={"Accept-Encoding": "gzip"}) as response:
        packed = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
    plain = client.get("/v2/incidents", params=parameters, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed) == plain.content
    assert len(packed) < len(plain.content) / 2
    refused = client.get("/v2/incidents", params=parameters, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_moving_the_clock_shows_what_was_then(client: httpx.Client) -> None:
    """Forward and back again: the same instant always shows the same incidents."""
    before = listed(client, [*EVERYTHING, ("page_size", "250")])
    then = START + timedelta(days=20)
    try:
        assert client.put("/_double/clock", json={"now": rfc3339(then)}).json() == {"now": rfc3339(then)}
        earlier = read_all(client, EVERYTHING, 250)
        visible = [i for i in SHARES["companya"] if i.started_at <= then]
        assert len(earlier) == len(visible)
        categories: dict[str, Category] = {
            rfc3339(i.started_at): s.category for i in visible if (s := state_at(i, then)) is not None
        }
        assert {row["created_at"]: category(row) for row in earlier} == categories
        assert all(row["updated_at"] <= rfc3339(then) for row in earlier)
        gone = before["incidents"][0]["id"]
        assert client.get(f"/v2/incidents/{gone}").status_code == 404
    finally:
        client.put("/_double/clock", json={"now": rfc3339(NOW)})
    assert listed(client, [*EVERYTHING, ("page_size", "250")]) == before
