"""The bulk server: made-up incidents out of few templates, still each its own."""

from __future__ import annotations

import gzip
import json
from datetime import datetime

import httpx
import pytest

from local.sources.incident_io.synthetic import SyntheticIncidents, create_synthetic_app, synthetic_pages
from local.sources.kit.bodies import accepts_gzip
from local.sources.kit.gzip_parts import deflate_part, gzip_of_parts, stored_header
from local.sources.kit.serve import running

KEYS = {"companya": "key-a"}
READ = {"sort_by": "created_at_oldest_first", "page_size": "250", "updated_at[date_range]": "2024-01-01~2026-01-01"}


def test_pages_joined_equal_the_whole_and_gzip_says_the_same() -> None:
    """Ids, references and instants are each record's own; a full last page is followed by an empty one."""
    plain = list(synthetic_pages(750, 3))
    assert [gzip.decompress(body) for body in synthetic_pages(750, 3, gzipped=True)] == plain
    pages = [json.loads(body) for body in plain]
    assert [len(page["incidents"]) for page in pages] == [250, 250, 250, 0]
    rows = [row for page in pages for row in page["incidents"]]
    assert len({row["id"] for row in rows}) == len({row["reference"] for row in rows}) == 750
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    created = [datetime.fromisoformat(row["created_at"]) for row in rows]
    assert created == sorted(set(created))
    for row in rows:
        assert datetime.fromisoformat(row["updated_at"]) >= datetime.fromisoformat(row["created_at"])
        assert row["reference"].removeprefix("INC-") in row["permalink"]
        stamps = {
            stamp["incident_timestamp"]["name"]: datetime.fromisoformat(stamp["value"]["value"])
            for stamp in row["incident_timestamp_values"]
            if "value" in stamp
        }
        metric = next(m for m in row["duration_metrics"] if m["duration_metric"]["name"] == "Time to resolve")
        if metric["status"] == "success":
            seconds = (stamps["Resolved at"] - stamps["Reported at"]).total_seconds()
            assert abs(seconds - metric["value_seconds"]) <= 1, "instants keep their distances, to the second"
    size = sum(map(len, plain)) / 750
    assert 4_000 < size < 7_000


@pytest.mark.parametrize("count", [0, 1, 249, 250, 251])
def test_any_number_of_records(count: int) -> None:
    """The last page is as full as it is."""
    pages = [json.loads(body) for body in synthetic_pages(count, 1)]
    assert sum(len(page["incidents"]) for page in pages) == count
    assert [("after" in page["pagination_meta"]) for page in pages] == [len(p["incidents"]) == 250 for p in pages]


@pytest.mark.parametrize("sort_by", ["created_at_oldest_first", "created_at_newest_first"])
def test_it_is_read_over_http_like_the_double(sort_by: str) -> None:
    """By cursor in both orders, with the key of its workspace only."""
    with running(create_synthetic_app(SyntheticIncidents(620, 5), KEYS)) as url, httpx.Client(base_url=url) as client:
        headers = {"Authorization": "Bearer key-a"}
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            body = client.get("/v2/incidents", params=READ | {"sort_by": sort_by} | after, headers=headers).json()
            seen += [row["id"] for row in body["incidents"]]
            if "after" not in body["pagination_meta"]:
                break
            after = {"after": body["pagination_meta"]["after"]}
        assert len(seen) == len(set(seen)) == 620
        assert seen == sorted(seen, reverse=sort_by == "created_at_newest_first")
        assert client.get("/v2/incidents").status_code == 401
        assert client.get("/v1/identity", headers=headers).status_code == 200
        for bad in ({"after": "nope"}, {"after": seen[0][:-1] + "!"}, {"page_size": "x"}, {"updated_at[gte]": "x"}):
            assert client.get("/v2/incidents", params=bad, headers=headers).status_code == 422


def test_gzip_parts_join_to_one_stream() -> None:
    """Deflated and stored parts in any order."""
    plain = b"abc" * 1000 + b"," + b"xyz" * 10
    parts = [deflate_part(b"abc" * 1000), stored_header(1) + b",", deflate_part(b"xyz" * 10)]
    assert gzip.decompress(gzip_of_parts(parts, [plain[:7], plain[7:]])) == plain
    with pytest.raises(ValueError, match="at most"):
        stored_header(70_000)


@pytest.mark.parametrize(
    ("header", "taken"),
    [("gzip, deflate", True), ("br;q=1, GZIP;q=0.5", True), ("gzip;q=0", False), ("identity", False), (None, False)],
)
def test_which_clients_take_gzip(header: str | None, taken: bool) -> None:
    """As the header says."""
    assert accepts_gzip(header) is taken
