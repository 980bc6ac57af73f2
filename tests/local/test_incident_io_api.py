"""Keys, errors, the lists that hang on incidents, the control endpoints and the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.sources.incident_io.__main__ import keys_by_workspace
from local.sources.incident_io.api import create_app
from local.sources.incident_io.archive import archive_lines
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.generator import generate
from local.sources.incident_io.workspaces import load_workspaces, split_by_workspace
from local.sources.kit.serve import running

ROOT = Path(__file__).parents[2]
START, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 15, tzinfo=UTC)
KEYS = {"key-a": "companya", "key-b": "companyb", "key-c": "companyc"}
ARCHIVE = list(generate(13, START, NOW, per_day=8))
SHARE = split_by_workspace(ARCHIVE, [w.name for w in load_workspaces()])["companya"]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    double = IncidentIoDouble(ARCHIVE, KEYS, NOW, rate_limited=False)
    with running(create_app(double)) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer key-a"}) as c:
        yield c


def read_all(client: httpx.Client, path: str, name: str, **parameters: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        body = client.get(path, params={"page_size": "100", **parameters, **after}).json()
        rows += body[name]
        if "after" not in body["pagination_meta"]:
            return rows
        after = {"after": body["pagination_meta"]["after"]}


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "missing_authorization_material"),
        ("Basic a2V5", "missing_authorization_material"),
        ("Bearer", "missing_authorization_material"),
        ("Bearer wrong", "access_token_invalid"),
    ],
)
def test_a_missing_or_wrong_key_is_refused(client: httpx.Client, authorization: str, code: str) -> None:
    """401 everywhere, before anything else is looked at."""
    for path in ("/v2/incidents?page_size=x", "/v1/identity", "/nowhere"):
        refused = client.get(path, headers={"Authorization": authorization})
        assert refused.status_code == 401
        assert refused.json()["type"] == "authentication_error"
        assert refused.json()["errors"][0]["code"] == code


def test_the_key_decides_the_workspace(client: httpx.Client) -> None:
    """The identity's dashboard tells whose key it is."""
    for key, name in KEYS.items():
        identity = client.get("/v1/identity", headers={"Authorization": f"Bearer {key}"}).json()["identity"]
        assert identity["dashboard_url"].endswith(f"/{name}")


def test_unknown_paths_and_methods_are_refused_in_the_vendors_shape(client: httpx.Client) -> None:
    """404 and 405."""
    assert client.get("/v2/nothing").json()["type"] == "not_found"
    posted = client.post("/v2/incidents", json={})
    assert posted.status_code == 405
    assert posted.json()["type"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v2/incidents/01NOBODY", "/v2/incidents/999999", "/v3/follow_ups/01NOBODY"])
def test_what_is_not_there_is_404_in_the_vendors_shape(client: httpx.Client, path: str) -> None:
    """With the code that tells it from an unknown path's other refusals."""
    response = client.get(path)
    assert response.status_code == 404
    body = response.json()
    assert (body["type"], body["status"], body["errors"][0]["code"]) == ("not_found", 404, "resource_not_found")


def test_updates_tell_each_incidents_history(client: httpx.Client) -> None:
    """One row for each update made so far, in order, all pages together."""
    rows = read_all(client, "/v2/incident_updates", "incident_updates")
    assert len(rows) == sum(sum(u.at <= NOW for u in i.updates) for i in SHARE)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    some = next(row["incident_id"] for row in rows if row["new_incident_status"]["category"] == "closed")
    of_one = read_all(client, "/v2/incident_updates", "incident_updates", incident_id=some)
    assert of_one == [row for row in rows if row["incident_id"] == some]
    incident = client.get(f"/v2/incidents/{some}").json()["incident"]
    assert of_one[-1]["new_incident_status"] == incident["incident_status"]
    by_number = client.get("/v2/incident_updates", params={"incident_id": "1"}).json()
    assert by_number["incident_updates"] == [], "only the full id works in a query"


def test_follow_ups_are_filtered_by_instants(client: httpx.Client) -> None:
    """This list takes full timestamps, and holds only what exists by now."""
    rows = read_all(client, "/v3/follow_ups", "follow_ups")
    assert len(rows) > 10
    assert {row["status"] for row in rows} == {"outstanding", "completed"}
    for row in rows:
        assert ("completed_at" in row) == (row["status"] == "completed")
        assert datetime.fromisoformat(row["updated_at"]) <= NOW
    middle = sorted(row["created_at"] for row in rows)[len(rows) // 2]
    later = read_all(client, "/v3/follow_ups", "follow_ups", **{"created_at[gte]": middle})
    assert later == [row for row in rows if row["created_at"] >= middle]
    until = read_all(client, "/v3/follow_ups", "follow_ups", **{"created_at[lte]": middle})
    assert until == [row for row in rows if row["created_at"] <= middle]
    assert client.get("/v3/follow_ups", params={"updated_at[gte]": "soon"}).status_code == 422
    assert client.get("/v3/follow_ups", params={"incident_mode": "odd"}).status_code == 422
    drills = read_all(client, "/v3/follow_ups", "follow_ups", incident_mode="test")
    assert not {row["id"] for row in drills} & {row["id"] for row in rows}


def test_timestamps_and_services_are_found_by_the_workspaces_own_ids(client: httpx.Client) -> None:
    """The components of the archive are entries of the catalog field; the stamps stand under the workspace's names."""
    workspace = load_workspaces()[0]
    archived = {i.started_at: i for i in SHARE}
    rows = client.get("/v2/incidents", params={"page_size": 100}).json()["incidents"]
    assert rows
    for row in rows:
        incident = archived[datetime.fromisoformat(row["created_at"])]
        entries = {entry["custom_field"]["id"]: entry for entry in row["custom_field_entries"]}
        services = entries[workspace.custom_fields.affected_services.id]
        assert services["custom_field"]["options"] == []
        assert [v["value_catalog_entry"]["name"] for v in services["values"]] == list(incident.components)
        assert [v["incident_timestamp"]["name"] for v in row["incident_timestamp_values"]] == [
            t.name for t in workspace.timestamps
        ]
        emails = [a["assignee"]["email"] for a in row["incident_role_assignments"] if "assignee" in a]
        assert emails
        assert all(email.endswith("@companya.example") for email in emails)


def test_stats_count_requests_by_workspace_and_path() -> None:
    """What a test can assert about a client's thrift."""
    with running(create_app(IncidentIoDouble(ARCHIVE, KEYS, NOW))) as url, httpx.Client(base_url=url) as client:
        of_b = {"Authorization": "Bearer key-b"}
        client.get("/v2/incidents?page_size=3", headers=of_b)
        client.get("/v2/incidents/1", headers=of_b)
        client.get("/v2/incidents/2", headers=of_b)
        client.get("/v1/identity")
        assert client.get("/_double/stats").json() == {
            "requests": {"companyb": {"/v2/incidents": 1, "/v2/incidents/{id}": 2}, "unknown": {"/v1/identity": 1}},
            "responses": {"companyb": {"200": 3}, "unknown": {"401": 1}},
            "rate_limited": {"companyb": 0, "unknown": 0},
            "last_query": {"companyb": "page_size=3"},
        }


@pytest.mark.parametrize("body", ["{}", '{"now": "2026-01-01T00:00:00"}', '{"now": 5}', "nope", '{"now": null}'])
def test_a_clock_that_can_not_be_set_stays(client: httpx.Client, body: str) -> None:
    """422 with the reason."""
    before = client.get("/_double/clock").json()
    refused = client.put("/_double/clock", content=body)
    assert refused.status_code == 422
    assert refused.json()["error"]
    assert client.get("/_double/clock").json() == before


def test_only_what_changed_is_rendered_again() -> None:
    """Moving the clock by an hour over a long archive leaves most renderings as they are."""
    double = IncidentIoDouble(ARCHIVE, KEYS, NOW - timedelta(hours=1))
    store = double.desks["companya"].store
    before = {row.incident.id: row for row in store.visible()}
    double.now = NOW
    after = {row.incident.id: row for row in store.visible()}
    changed = {
        i
        for i, row in after.items()
        if any(NOW - timedelta(hours=1) < at <= NOW for at in row.incident.changes)
    }  # fmt: skip
    assert {i for i in after if after[i] is not before.get(i)} == changed
    assert len(changed) < len(after) / 2


def test_keys_come_from_the_command_line_or_the_environment() -> None:
    """All that is missing is told at once; two workspaces can't share a key."""
    environ = {"OPP_SECRET_INCIDENT_IO_COMPANYA": "a", "OPP_SECRET_INCIDENT_IO_COMPANYB": "b"}
    assert keys_by_workspace([("companyc", "c"), ("companyb", "x")], environ) == {
        "companya": "a",
        "companyb": "x",
        "companyc": "c",
    }
    with pytest.raises(ValueError, match="companyb, companyc") as missing:
        keys_by_workspace([("companya", "a")], {})
    assert "OPP_SECRET_INCIDENT_IO_COMPANYB" in str(missing.value)
    with pytest.raises(ValueError, match="same key"):
        keys_by_workspace([("companya", "k"), ("companyb", "k"), ("companyc", "c")], {})


def command(*arguments: str) -> subprocess.Popen[str]:
    environ = os.environ | {f"OPP_SECRET_INCIDENT_IO_COMPANY{letter}": f"secret-{letter}" for letter in "ABC"}
    words = [sys.executable, "-m", "local.sources.incident_io", *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environ)


def test_the_command_serves_an_archive_until_it_is_stopped(tmp_path: Path) -> None:
    """It says where, and ends quietly."""
    archive = tmp_path / "a.jsonl"
    archive.write_bytes(b"".join(archive_lines(ARCHIVE)))
    with command("--archive", str(archive), "--clock", "2026-02-01T00:00:00Z") as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]
            assert httpx.get(f"{url}/_double/clock").json() == {"now": "2026-02-01T00:00:00Z"}
            answer = httpx.get(f"{url}/v2/incidents", headers={"Authorization": "Bearer secret-A"})
            assert len(answer.json()["incidents"]) == 25
        finally:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)


def test_the_command_tells_what_is_wrong_with_an_archive(tmp_path: Path) -> None:
    """Every bad line, on standard error, with exit status 2."""
    archive = tmp_path / "a.jsonl"
    archive.write_text("{}\nnope\n", encoding="utf-8")
    with command("--archive", str(archive)) as process:
        _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "line 1:" in told
    assert "line 2:" in told
    assert "Traceback" not in told
