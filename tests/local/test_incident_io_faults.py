"""Each fault the double can be told to have, as a client meets it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from local.sources.incident_io.api import create_app
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.generator import generate
from local.sources.kit.corruption import corrupt
from local.sources.kit.serve import running

NOW = datetime(2026, 2, 1, tzinfo=UTC)
KEYS = {"key-a": "companya", "key-b": "companyb", "key-c": "companyc"}
ARCHIVE = list(generate(9, datetime(2026, 1, 10, tzinfo=UTC), NOW, per_day=6))
OLDEST = {"sort_by": "created_at_oldest_first", "page_size": "4"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    double = IncidentIoDouble(ARCHIVE, KEYS, NOW, rate_limited=False)
    with running(create_app(double)) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer key-a"}) as c:
        yield c


def arm(client: httpx.Client, *rules: dict[str, Any]) -> None:
    response = client.put("/_double/faults", json=list(rules))
    assert response.status_code == 200, response.text


def page(client: httpx.Client, after: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/v2/incidents", params=OLDEST | ({"after": after} if after else {})).json()
    return body


@pytest.mark.parametrize("retry_after", [None, "7", "0.5", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_status_answers_as_often_as_told_and_then_behaves(client: httpx.Client, retry_after: str | None) -> None:
    """In the vendor's error shape, with any `Retry-After`."""
    arm(client, {"action": "status", "status": 429, "retry_after": retry_after, "times": 2})
    first, second, third = (client.get("/v2/incidents") for _ in range(3))
    assert [r.status_code for r in (first, second, third)] == [429, 429, 200]
    assert first.json()["type"] == "too_many_requests"
    assert first.headers.get("retry-after") == retry_after


def test_a_rule_is_for_its_workspace_and_path_and_can_wait(client: httpx.Client) -> None:
    """`skip` lets the first requests pass, so that a fault can come in the middle of a reading."""
    arm(
        client, {"action": "status", "status": 503, "workspace": "companyb", "path": "/v2/*", "skip": 1, "always": True}
    )
    of_b = {"Authorization": "Bearer key-b"}
    assert client.get("/v2/incidents").status_code == 200
    assert [client.get("/v2/incidents", headers=of_b).status_code for _ in range(3)] == [200, 503, 503]
    assert client.get("/v1/severities", headers=of_b).status_code == 200
    client.delete("/_double/faults")
    assert client.get("/v2/incidents", headers=of_b).status_code == 200


def test_a_key_can_be_revoked(client: httpx.Client) -> None:
    """401 as from a real one, until the rule is gone."""
    arm(client, {"action": "status", "status": 401, "workspace": "companya", "always": True})
    refused = client.get("/v1/identity")
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["code"] == "access_token_invalid"


def test_html_where_json_was_expected(client: httpx.Client) -> None:
    """A proxy's page, with a good status or a bad one."""
    arm(client, {"action": "html"}, {"action": "html", "status": 502})
    good, bad = client.get("/v2/incidents"), client.get("/v2/incidents")
    assert (good.status_code, bad.status_code) == (200, 502)
    assert good.headers["content-type"].startswith("text/html")
    assert good.text.startswith("<!doctype html>")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_is_cut(client: httpx.Client, encoding: str) -> None:
    """The length is promised and not kept: a client must not take the half for the whole."""
    arm(client, {"action": "cut_body"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/v2/incidents", headers={"Accept-Encoding": encoding})
    assert client.get("/v2/incidents").status_code == 200


def test_an_answer_is_delayed(client: httpx.Client) -> None:
    """A client with a shorter timeout gives up; the next answer comes at once."""
    arm(client, {"action": "delay", "seconds": 0.3})
    with pytest.raises(httpx.ReadTimeout):
        client.get("/v2/incidents", timeout=0.1)
    assert client.get("/v2/incidents").status_code == 200


def test_rows_appear_while_paging(client: httpx.Client) -> None:
    """Oldest first, what is created now comes at the end; what is created in the past stays unseen by this reading."""
    total = page(client)["pagination_meta"]["total_record_count"]
    arm(
        client,
        {"action": "insert_rows", "rows": 2},
        {"action": "insert_rows", "rows": 1, "created_at": "2026-01-01T00:00:00Z"},
    )
    seen: list[str] = []
    after = None
    while True:
        body = page(client, after)
        seen += [row["id"] for row in body["incidents"]]
        after = body["pagination_meta"].get("after")
        if after is None:
            break
    assert len(seen) == len(set(seen)) == total + 2
    again = page(client)
    assert again["pagination_meta"]["total_record_count"] == total + 3
    assert again["incidents"][0]["created_at"] == "2026-01-01T00:00:00Z"
    assert again["incidents"][0]["updated_at"] == "2026-02-01T00:00:00Z"
    assert again["incidents"][0]["id"] not in seen


def test_a_cursor_loops(client: httpx.Client) -> None:
    """The answer's `after` is the one that was asked for."""
    arm(client, {"action": "loop_cursor", "always": True})
    first = page(client)["pagination_meta"]["after"]
    assert page(client, first)["pagination_meta"]["after"] == first


def test_an_empty_page_has_a_cursor_and_nothing_is_lost(client: httpx.Client) -> None:
    """A reader that stops at an empty page loses rows; one that follows the cursor doesn't."""
    whole = page(client)
    arm(client, {"action": "empty_page_with_cursor", "times": 2})
    first = page(client)
    assert first["incidents"] == []
    second = page(client, first["pagination_meta"]["after"])
    assert second["incidents"] == []
    assert second["pagination_meta"]["after"] != first["pagination_meta"]["after"]
    assert page(client, second["pagination_meta"]["after"]) == whole


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("workload_minutes_total", {"$raw": "NaN"}, b'"workload_minutes_total":NaN'),
        ("name", {"$raw": '"\\ud800"'}, b'"name":"\\ud800"'),
        ("name", {"$raw": '"a","name":"b"'}, b'"name":"a","name":"b"'),
        ("created_at", "0001-01-01T00:00:00Z", b'"created_at":"0001-01-01T00:00:00Z"'),
        ("id", None, b'"id":null'),
        ("incident_status.rank", "three", b'"rank":"three"'),
        ("summary", {"$length": 10_485_760}, b'"summary":"' + b"x" * 10_485_760 + b'"'),
        ("custom_field_entries.0.values", 5, b'"values":5'),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_record_is_corrupt(client: httpx.Client, path: str, value: Any, expected: bytes, encoding: str) -> None:
    """Only the chosen row, in whatever way JSON or the schema can be broken."""
    arm(client, {"action": "corrupt_record", "record": {path: value}, "index": 1})
    body = client.get("/v2/incidents", params=OLDEST, headers={"Accept-Encoding": encoding}).content
    assert body.count(expected) == 1
    assert expected not in client.get("/v2/incidents", params=OLDEST).content


def test_a_field_can_be_absent() -> None:
    """Left out, not null."""
    assert corrupt(b'{"a":1,"b":{"c":2,"d":3}}', {"b.c": {"$absent": True}}) == b'{"a":1,"b":{"d":3}}'


@pytest.mark.parametrize(
    "rules",
    [
        [{"action": "explode"}],
        [{"action": "status"}],
        [{"action": "corrupt_record"}],
        [{"action": "loop_cursor", "path": "/v3/follow_ups"}],
        [{"action": "delay", "secs": 3}],
        {"action": "html"},
    ],
)
def test_rules_that_make_no_sense_are_refused_and_change_nothing(client: httpx.Client, rules: Any) -> None:
    """A misspelt fault must not make a test pass."""
    arm(client, {"action": "html", "always": True})
    response = client.put("/_double/faults", json=rules)
    assert response.status_code == 422
    assert response.json()["error"]
    assert client.get("/_double/faults").json() == [{"action": "html", "always": True}]


def test_a_path_that_leads_nowhere_is_told(client: httpx.Client) -> None:
    """Rather than a record that is whole after all."""
    arm(client, {"action": "corrupt_record", "record": {"incident_status.colour.name": 1}})
    response = client.get("/v2/incidents")
    assert response.status_code == 500
    assert "colour" in response.json()["errors"][0]["message"]
