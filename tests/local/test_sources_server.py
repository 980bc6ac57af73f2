"""One server for every double: where each is found, whose key opens it, and how all are steered together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.sources.__main__ import environment_variable, keys_by_reference
from local.sources.families import families
from local.sources.incident_io.archive import archive_lines
from local.sources.incident_io.generator import generate
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Surroundings
from local.sources.kit.serve import running
from local.sources.kit.server import DoublesServer, fault_board

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 2, 15, tzinfo=UTC)
ARCHIVE = list(generate(13, datetime(2026, 2, 1, tzinfo=UTC), NOW, per_day=6))
FAMILIES = families(ARCHIVE)
KEYS = {reference: f"key-of-{reference}" for family in FAMILIES for reference in family.secrets}
INCIDENTS = "/incident_io/v2/incidents"
OF_A = {"Authorization": "Bearer key-of-incident-io-companya"}
SNAPSHOTS = "/goose/v1/session-snapshots?day=2026-02-03"
OF_GOOSE = {"X-Collector-Token": "key-of-goose"}


def opened(**changes: Any) -> DoublesServer:
    settings: dict[str, Any] = {"clock": ShownClock(NOW), "faults": fault_board(FAMILIES), "keys": KEYS} | changes
    return DoublesServer.open(FAMILIES, Surroundings(**settings))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with running(opened()) as url, httpx.Client(base_url=url) as client:
        yield client


def test_families_have_names_and_secrets_of_their_own() -> None:
    """A prefix or a key that two of them claim would let one answer for the other."""
    names = [family.name for family in FAMILIES]
    references = [reference for family in FAMILIES for reference in family.secrets]
    assert len(names) == len(set(names))
    assert len(references) == len(set(references))
    assert "_double" not in names


def test_each_family_answers_under_its_prefix(client: httpx.Client) -> None:
    """With its own key, and with nobody else's."""
    assert len(client.get(INCIDENTS, headers=OF_A).json()["incidents"]) == 25
    assert client.get(SNAPSHOTS, headers=OF_GOOSE).json()["snapshots"]
    assert client.get(INCIDENTS, headers={"Authorization": "Bearer key-of-goose"}).status_code == 401
    for family in FAMILIES:
        assert client.get(f"/{family.name}/nowhere").status_code in {401, 402, 403, 404}


def test_what_is_mounted_nowhere_is_told(client: httpx.Client) -> None:
    """With what there is: a misspelt base URL shows at once."""
    for path in ("/incident-io/v2/incidents", "/v2/incidents", "/", "/incident_iox/v2/incidents"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "incident_io" in answer.json()["mounted"]


def test_percent_encoded_queries_arrive_as_they_were_sent(client: httpx.Client) -> None:
    """The prefix is taken off, and nothing else."""
    query = "updated_at%5Bdate_range%5D=2026-02-02~2026-02-03&page_size=3"
    client.get(f"{INCIDENTS}?{query}", headers=OF_A).raise_for_status()
    assert client.get("/_double/stats").json()["incident_io"]["last_query"] == {"companya": query}


def test_one_clock_moves_all(client: httpx.Client) -> None:
    """Forward and back."""
    before = client.get(INCIDENTS, headers=OF_A).json()["pagination_meta"]["total_record_count"]
    assert client.put("/_double/clock", json={"now": "2026-02-03T06:00:00Z"}).json() == {"now": "2026-02-03T06:00:00Z"}
    assert client.get(INCIDENTS, headers=OF_A).json()["pagination_meta"]["total_record_count"] < before
    few = len(client.get(SNAPSHOTS, headers=OF_GOOSE).json()["snapshots"])
    client.put("/_double/clock", json={"now": "2026-02-10T00:00:00Z"})
    assert len(client.get(SNAPSHOTS, headers=OF_GOOSE).json()["snapshots"]) > few


def test_a_fault_names_its_family(client: httpx.Client) -> None:
    """The path of a rule is the vendor's own; without a family it is for all."""
    client.put("/_double/faults", json=[{"action": "status", "status": 503, "family": "goose", "always": True}])
    assert client.get(SNAPSHOTS, headers=OF_GOOSE).status_code == 503
    assert client.get(INCIDENTS, headers=OF_A).status_code == 200
    rule = {"action": "status", "status": 500, "path": "/v2/incidents", "always": True}
    client.put("/_double/faults", json=[rule])
    assert client.get(SNAPSHOTS, headers=OF_GOOSE).status_code == 200
    assert client.get(INCIDENTS, headers=OF_A).status_code == 500
    client.put("/_double/faults", json=[{"action": "html", "always": True}])
    assert client.get(SNAPSHOTS, headers=OF_GOOSE).text.startswith("<!doctype html>")
    assert client.get(INCIDENTS, headers=OF_A).text.startswith("<!doctype html>")
    assert client.delete("/_double/faults").json() == []
    assert client.get(SNAPSHOTS, headers=OF_GOOSE).status_code == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "html", "family": "gooose"},
        {"action": "insert_rows", "family": "goose"},
        {"action": "loop_cursor", "family": "amp"},
        {"action": "corrupt_record", "family": "goose", "path": "/v2/incidents", "record": {"id": 1}},
        {"action": "empty_page_with_cursor", "path": "/v1/nothing"},
    ],
)
def test_a_fault_that_can_meet_nothing_is_refused(client: httpx.Client, rule: dict[str, Any]) -> None:
    """A misspelt fault must not make a test pass."""
    refused = client.put("/_double/faults", json=[rule])
    assert refused.status_code == 422
    assert refused.json()["error"]


def test_a_body_can_break_off(client: httpx.Client) -> None:
    """From any family."""
    client.put("/_double/faults", json=[{"action": "cut_body", "family": "goose"}])
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(SNAPSHOTS, headers=OF_GOOSE)
    assert client.get(SNAPSHOTS, headers=OF_GOOSE).status_code == 200


def test_answers_are_compressed_when_asked(client: httpx.Client) -> None:
    """The same text either way."""
    packed = client.get(SNAPSHOTS, headers=OF_GOOSE)
    assert packed.headers["content-encoding"] == "gzip"
    plain = client.get(SNAPSHOTS, headers=OF_GOOSE | {"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content


def test_stats_are_by_family(client: httpx.Client) -> None:
    """Strangers are counted too."""
    client.get(SNAPSHOTS, headers=OF_GOOSE)
    client.get("/goose/v1/session-snapshots")
    stats = client.get("/_double/stats").json()
    assert stats["goose"]["requests"] == {
        "goose": {"/v1/session-snapshots": 1},
        "unknown": {"/v1/session-snapshots": 1},
    }
    assert stats["goose"]["responses"] == {"goose": {"200": 1}, "unknown": {"401": 1}}
    assert stats["incident_io"]["requests"] == {}


def test_a_family_without_a_key_is_not_there() -> None:
    """It could open to nobody; the others serve, and the server knows whom it left out."""
    server = opened(keys={"goose": "k", "incident-io-companyb": "b"})
    assert sorted(server.doubles) == ["goose", "incident_io"]
    assert "cursor" in server.without_key
    with running(server) as url:
        assert httpx.get(f"{url}/cursor/teams/daily-usage-data").status_code == 404
        of_b = httpx.get(f"{url}{INCIDENTS}", headers={"Authorization": "Bearer b"})
        assert of_b.status_code == 200


def test_a_quirk_that_nobody_has_is_refused() -> None:
    """Rather than switched off in silence."""
    with pytest.raises(ValueError, match="late_weeks"):
        opened(without_quirks=frozenset({"late_weeks"}))


def test_keys_come_from_the_command_line_or_the_environment() -> None:
    """The environment's names are those that the platform reads its secrets from."""
    assert environment_variable("claude-code") == "OPP_SECRET_CLAUDE_CODE"
    environ = {"OPP_SECRET_GOOSE": "g", "OPP_SECRET_CURSOR": "", "OPP_SECRET_ELSE": "e"}
    known = ("goose", "cursor", "claude-code")
    assert keys_by_reference(known, [("claude-code", "c")], environ) == {"goose": "g", "claude-code": "c"}
    assert keys_by_reference(known, [("goose", "other")], environ)["goose"] == "other"
    with pytest.raises(ValueError, match="gooose"):
        keys_by_reference(known, [("gooose", "x")], environ)


def command(*arguments: str, **secrets: str) -> subprocess.Popen[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("OPP_SECRET_")}
    words = [sys.executable, "-m", "local.sources", *arguments]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=bare | secrets
    )


def test_the_command_serves_all_doubles_until_it_is_stopped(tmp_path: Path) -> None:
    """An archive's incidents, made-up use of tools; what has no key is named on standard error."""
    archive = tmp_path / "a.jsonl"
    archive.write_bytes(b"".join(archive_lines(ARCHIVE)))
    arguments = ("--archive", str(archive), "--clock", "2026-02-14T00:00:00Z", "--rate-limit", "off")
    with command(*arguments, "--key", "goose=g", OPP_SECRET_INCIDENT_IO_COMPANYA="a") as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            url = line.split()[-1]
            assert line.startswith("doubles of ")
            assert httpx.get(f"{url}/_double/clock").json() == {"now": "2026-02-14T00:00:00Z"}
            incidents = httpx.get(f"{url}{INCIDENTS}", headers={"Authorization": "Bearer a"})
            assert incidents.json()["incidents"]
            assert "x-ratelimit-limit" not in incidents.headers
            assert httpx.get(f"{url}{SNAPSHOTS}", headers={"X-Collector-Token": "g"}).json()["snapshots"]
        finally:
            process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=10)
    assert "no key is known: " in told
    assert "cursor" in told


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "OPP_SECRET_GOOSE"),
        (("--key", "gooose=k"), "gooose"),
        (("--key", "goose=k", "--archive", "/nowhere.jsonl"), "/nowhere.jsonl"),
        (("--key", "goose=k", "--without", "late_weeks"), "late_weeks"),
    ],
)
def test_the_command_tells_why_it_can_not_start(arguments: tuple[str, ...], reason: str) -> None:
    """On standard error, with exit status 2."""
    with command(*arguments) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 2
    assert reason in told
    assert "Traceback" not in told
