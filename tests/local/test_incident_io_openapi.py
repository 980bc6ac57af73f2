"""Every endpoint's answers hold to the vendor's OpenAPI document, and use no field that it doesn't know."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from local.sources.incident_io.api import create_app
from local.sources.incident_io.archive import ArchiveIncident, load_archive
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.events import events_between
from local.sources.incident_io.generator import generate
from local.sources.kit.instants import rfc3339
from local.sources.kit.serve import running

ROOT = Path(__file__).parents[2]
OPENAPI = Path(
    os.environ.get("OPP_INCIDENT_IO_OPENAPI", ROOT.parent / "shared" / "reference" / "incident_io_openapi.json")
)
REAL_ARCHIVE = ROOT.parent / "shared" / "data" / "github_status_incidents.jsonl"
FIXTURE = ROOT / "tests" / "fixtures" / "incident_io" / "incidents_page.json"
FIXTURE_QUERY = "/v2/incidents?status_category[not_in]=closed&page_size=5"
FIXTURE_SEED = 10
KEYS = {"key-a": "companya", "key-b": "companyb", "key-c": "companyc"}
NOW = datetime(2026, 2, 8, tzinfo=UTC)
NEWER_FIELDS = {
    "WebhookIncidentV2": ("team_ids", "last_activity_at", "slack_channel_url"),
    "IncidentV2": ("team_ids", "last_activity_at", "slack_channel_url"),
    "FollowUpsListResultV2": ("pagination_meta",),
}
"""In the vendor's newer client, not yet in the stored document."""
ANSWERS = {
    "/v1/identity": "UtilitiesIdentityResultV1",
    "/v1/severities": "SeveritiesListResultV1",
    "/v1/incident_statuses": "IncidentStatusesListResultV1",
    "/v1/incident_types": "IncidentTypesListResultV1",
    "/v2/incident_timestamps": "IncidentTimestampsListResultV2",
    "/v2/custom_fields": "CustomFieldsListResultV2",
    "/v2/incident_roles": "IncidentRolesListResultV2",
    "/v2/incident_updates?page_size=250": "IncidentUpdatesListResultV2",
    "/v3/follow_ups?page_size=250": "FollowUpsListResultV2",
    "/v2/incidents/1": "IncidentsShowResultV2",
}
LIST = "/v2/incidents?page_size=250&" + "&".join(
    [f"status_category[one_of]={c}" for c in ("triage", "declined", "merged", "canceled", "live", "learning", "closed")]
    + [f"mode[one_of]={m}" for m in ("standard", "retrospective", "test", "tutorial")]
)

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _closed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every object closed, so that a misspelt field can't hide; the newer fields are let in."""
    closed = copy.deepcopy(document)
    for name, schema in closed["components"]["schemas"].items():
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
            schema["properties"].update({newer: {} for newer in NEWER_FIELDS.get(name, ())})
    return closed


class Contract:
    """The vendor's document as something that answers can be held against."""

    def __init__(self, document: dict[str, Any]) -> None:
        contents = {"components": _closed(document)["components"]}
        self._registry: Registry[Any] = Registry().with_resource("urn:vendor", DRAFT202012.create_resource(contents))

    def broken_by(self, body: object, schema: str) -> list[str]:
        """What is wrong with the body, with the place of each fault."""
        reference = {"$ref": f"urn:vendor#/components/schemas/{schema}"}
        validator = Draft202012Validator(reference, registry=self._registry, format_checker=formats)
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]


@pytest.fixture(scope="module")
def contract() -> Contract:
    if not OPENAPI.exists():
        pytest.skip(f"the vendor's OpenAPI document is not at {OPENAPI} (OPP_INCIDENT_IO_OPENAPI)")
    return Contract(json.loads(OPENAPI.read_text(encoding="utf-8")))


def clients(archived: Sequence[ArchiveIncident], now: datetime) -> Iterator[httpx.Client]:
    """A client for each workspace over a running double."""
    with running(create_app(IncidentIoDouble(archived, KEYS, now, rate_limited=False))) as url:
        for key in KEYS:
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
                yield client


def test_every_endpoint_holds_to_the_document(contract: Contract) -> None:
    """In every workspace, with something in every list."""
    archived = list(generate(4, NOW - timedelta(days=38), NOW, per_day=6))
    for client in clients(archived, NOW):
        for path, schema in ANSWERS.items():
            response = client.get(path)
            assert response.status_code == 200, path
            body = response.json()
            assert contract.broken_by(body, schema) == [], path
            lists = [value for value in body.values() if isinstance(value, list)]
            assert all(lists), path
        first = client.get("/v3/follow_ups?page_size=1").json()["follow_ups"][0]
        one = client.get(f"/v3/follow_ups/{first['id']}").json()
        assert one == {"follow_up": first}
        assert contract.broken_by(one, "FollowUpsShowResultV2") == []
        for then in (NOW, NOW - timedelta(days=30)):
            client.put("/_double/clock", json={"now": rfc3339(then)})
            body = client.get(LIST).json()
            assert contract.broken_by(body, "IncidentsListResultV2") == []
            assert len(body["incidents"]) > 5
            for incident in body["incidents"]:
                assert incident["last_activity_at"]
                assert isinstance(incident["team_ids"], list)
        client.put("/_double/clock", json={"now": rfc3339(NOW)})


def test_every_event_holds_to_the_document(contract: Contract) -> None:
    """Of every type that the double sends."""
    archived = list(generate(4, NOW - timedelta(days=38), NOW, per_day=6))
    double = IncidentIoDouble(archived, KEYS, NOW)
    seen = set()
    for desk in double.desks.values():
        for event in events_between(desk.store, NOW - timedelta(days=38), NOW):
            schema = "".join(word.title() for word in event.event_type.replace(".", "_").split("_"))
            assert contract.broken_by(event.body, f"Webhooks{schema}ResponseBody") == [], event.event_type
            seen.add(event.event_type)
    assert len(seen) == 13, "incidents and two versions of follow-ups, created and updated, twice; and statuses"


def test_a_real_archive_holds_to_the_document(contract: Contract) -> None:
    """Real histories, not only those that our own generator thinks of."""
    if not REAL_ARCHIVE.exists():
        pytest.skip(f"no real archive at {REAL_ARCHIVE}")
    archived = load_archive(REAL_ARCHIVE)
    seen = 0
    for client in clients(archived, datetime(2026, 1, 1, tzinfo=UTC)):
        body = client.get(LIST).json()
        assert contract.broken_by(body, "IncidentsListResultV2") == []
        seen += len(body["incidents"])
    assert seen == len(archived)


def test_the_recorded_page_holds_to_the_document(contract: Contract) -> None:
    """The fixture that extractors are tested with is what the vendor could have sent."""
    assert contract.broken_by(json.loads(FIXTURE.read_bytes()), "IncidentsListResultV2") == []


def test_the_contract_can_fail(contract: Contract) -> None:
    """A missing field, a wrong type, a misspelt field and a bad instant are each noticed."""
    page = json.loads(FIXTURE.read_bytes())
    page["incidents"][0].pop("reference")
    page["incidents"][1]["incident_status"]["rank"] = "1"
    page["incidents"][2]["refrence"] = "INC-1"
    page["incidents"][3]["created_at"] = "yesterday"
    assert len(contract.broken_by(page, "IncidentsListResultV2")) == 4


def test_the_recorded_page_is_what_the_double_answers() -> None:
    """The fixture is made from the generator, so it can be made again."""
    archived = list(generate(FIXTURE_SEED, NOW - timedelta(days=38), NOW, per_day=6))
    for client in clients(archived, NOW):
        answer = client.get(FIXTURE_QUERY)
        assert answer.json() == json.loads(FIXTURE.read_bytes())
        break
