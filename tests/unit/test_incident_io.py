"""incident.io's requests and pages, and what each workspace's own names mean."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.errors import AuthenticationFailed
from shared.extract.pages import PageRequest, PageSeen
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry import registry
from shared.sources.cutting import cut_array
from shared.sources.family import ExtractionRange, RawPage
from shared.sources.incident_io import IncidentIo
from shared.sources.incident_io.family import STATUS_CATEGORIES, settings_of
from shared.sources.incident_io.rows import incident_rows
from tests.support.incidents import encoded, incident
from tests.support.world import at, registry_of

FAMILY = IncidentIo()
ALPHA = registry_of("alpha").source("incident_io_alpha_incidents")


def _split(body: bytes) -> RawPage:
    return FAMILY.split(ALPHA, PageRequest("/v2/incidents"), HttpResponse(200, {}, body))


FIXTURE = Path(__file__).parents[1] / "fixtures" / "incident_io" / "incidents_page.json"


def _first_request(extraction: ExtractionRange, resume: str = "") -> PageRequest:
    request = next(FAMILY.pages(ALPHA, extraction, resume))
    assert isinstance(request, PageRequest)
    return request


def test_the_request_asks_for_every_category_and_the_chosen_modes_oldest_first() -> None:
    """Without them the vendor leaves declined, canceled and merged incidents out."""
    query = _first_request(ExtractionRange(at(6), at(8))).query
    assert [v for k, v in query if k == "status_category[one_of]"] == list(STATUS_CATEGORIES)
    assert [v for k, v in query if k == "mode[one_of]"] == ["standard", "retrospective"]
    assert ("sort_by", "created_at_oldest_first") in query
    assert ("page_size", "3") in query


def test_the_days_asked_for_are_wider_than_the_range_on_both_sides() -> None:
    """The filter knows whole days, in whatever zone the vendor counts them."""
    query = dict(_first_request(ExtractionRange(at(0), at(24))).query)
    assert query["updated_at[date_range]"] == "2026-11-19~2026-11-22"


def test_a_continuation_asks_for_exactly_the_next_page() -> None:
    """From the cursor that the part before handed on."""
    request = _first_request(ExtractionRange(at(6), at(8)), "01CURSOR")
    assert dict(request.query)["after"] == "01CURSOR"
    assert request.resume == "01CURSOR"


@pytest.mark.parametrize(
    ("meta", "following"),
    [({"after": "x"}, "x"), ({"after": None}, None), ({"after": ""}, None), ({}, None), (None, None)],
)
def test_the_next_cursor_is_the_page_s_own(meta: Any, following: str | None) -> None:
    """An empty one names no page."""
    page = _split(json.dumps({"incidents": [{"id": "1"}], "pagination_meta": meta}).encode())
    assert page.seen == PageSeen(1, following)


@pytest.mark.parametrize(
    "bad", [b'{"id": NaN}', b'{"id": "\xff"}', b'{"id": "\x01"}', b'{"id": "\\q"}', b"[" * 5000 + b"]" * 5000, b"{,,}"]
)
def test_a_page_that_is_no_json_as_a_whole_is_cut_into_its_records(bad: bytes) -> None:
    """One bad record costs itself only; every record is what was sent, byte for byte."""
    good = b'{"id": "a,]}\\"", "list": [1, {"x": []}]}'
    page = _split(b'{"incidents": [' + good + b" , " + bad + b", " + good + b'], "pagination_meta": {"after": "n"}}')
    assert (page.records[0], page.records[-1]) == (good, good)
    assert page.seen.next_cursor == "n"
    assert b"".join(page.records[1:-1]).replace(b" ", b"") == bad.replace(b" ", b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b'{"incidents": [{"id": "1"}, {"id',
        b'{"incidents": [{"id": "1"}]',
        b'{"incidents": {"id": "1"}}',
        b'{"incident": []}',
        b"[]",
        b'{"incidents": [NaN], "pagination_meta": 5}',
        b'{"data": {"incidents": [NaN]}}',
    ],
)
def test_what_is_no_page_is_unusable(body: bytes) -> None:
    """Then it is retried; no record is taken from half a page."""
    with pytest.raises(UnusableBody):
        _split(body)


def test_cutting_finds_the_array_of_the_top_level_only() -> None:
    """A field of the same name inside a record is data."""
    body = b'{"x": {"rows": [1]}, "y": "rows", "rows": [{"rows": [2, 3]}, 4 ] , "z": [5]}'
    assert cut_array(body, "rows") == (
        [b'{"rows": [2, 3]}', b"4"],
        b'{"x": {"rows": [1]}, "y": "rows", "rows": [] , "z": [5]}',
    )
    assert cut_array(b'{"rows": [ ]}', "rows")[0] == []
    with pytest.raises(ValueError, match="no complete array"):
        cut_array(b'{"rows": [1]]}', "rows")


def test_a_key_of_the_right_workspace_is_accepted_and_another_s_is_refused() -> None:
    """The vendor has one host for all; only the key tells the workspaces apart."""

    def verify(identity: str) -> None:
        body = json.dumps({"identity": {"name": "n", "dashboard_url": f"https://app.incident.io/{identity}/"}}).encode()
        FAMILY.verify(ALPHA, lambda request, decode: decode(HttpResponse(200, {}, body)))

    verify("alpha")
    with pytest.raises(AuthenticationFailed, match="belongs to workspace 'beta', expected 'alpha'") as caught:
        verify("beta")
    assert caught.value.secret == "incident-io-alpha"


def test_an_identity_that_is_none_is_unusable() -> None:
    """A front end's page, not an answer."""
    with pytest.raises(UnusableBody, match="no identity"):
        FAMILY.verify(ALPHA, lambda request, decode: decode(HttpResponse(200, {}, b"<html>")))


MAPPED: dict[str, dict[str, int | None]] = {
    # canonical instant: the name in each workspace, and the hour that the record below gives it
    "companya": {"impact_started_at": 1, "detected_at": 1, "responded_at": 3, "fixed_at": 4, "resolved_at": 5},
    "companyb": {"impact_started_at": 11, "detected_at": 12, "responded_at": 3, "fixed_at": 4, "resolved_at": 5},
    "companyc": {"impact_started_at": 11, "detected_at": 13, "responded_at": 3, "fixed_at": None, "resolved_at": 5},
}


@pytest.mark.parametrize("workspace", MAPPED)
def test_each_workspace_s_names_become_the_canonical_instants(workspace: str) -> None:
    """Every name that any workspace uses is on the record; each takes its own."""
    names = {
        "Impact started": 1,
        "Reported at": 2,
        "Accepted at": 3,
        "Fixed at": 4,
        "Resolved at": 5,
        "Impact started at": 11,
        "Identified at": 12,
        "Detected at": 13,
    }
    record = incident("x", at(0), at(20), stamps={name: at(hour) for name, hour in names.items()})
    if workspace == "companyc":
        record["incident_timestamp_values"] = [
            stamp for stamp in record["incident_timestamp_values"] if stamp["incident_timestamp"]["name"] != "Fixed at"
        ]
    source = registry().source(f"incident_io_{workspace}_incidents")
    rows = incident_rows(settings_of(source), [encoded(record)], ExtractionRange(at(0), at(24), full=True))
    actual = {name: rows.columns[name][0] for name in MAPPED[workspace]}
    assert actual == {name: None if hour is None else at(hour) for name, hour in MAPPED[workspace].items()}
    assert rows.columns["workspace"] == (workspace,)
    own = json.loads(rows.columns["workspace_timestamps"][0])
    assert own["Accepted at"] == "2026-11-20T03:00:00Z"
    assert len(own) == len(record["incident_timestamp_values"])


def test_the_shipped_page_becomes_rows_without_drift() -> None:
    """The fixture is what the vendor sends, in full."""
    page = _split(FIXTURE.read_bytes())
    source = registry().source("incident_io_companya_incidents")
    rows = FAMILY.rows(source, [page], (), ExtractionRange(datetime(2019, 1, 1, tzinfo=UTC), at(0), full=True))
    assert rows.count == len(page.records) > 0
    assert (rows.rejections, rows.unknown) == ([], set())
    assert all(email is None or "@" in email for email in rows.columns["lead_email"])
    assert any(rows.columns["lead_email"])
    assert any(json.loads(text) for text in rows.columns["affected_services"])


def test_the_fixture_holds_no_real_address() -> None:
    """Invented people only."""
    addresses = {word for word in FIXTURE.read_text().split('"') if "@" in word and " " not in word}
    assert addresses
    assert all(address.endswith(".example") for address in addresses)


@pytest.mark.parametrize(
    ("creator", "kind", "email"),
    [
        ({"user": {"email": "a@b.example"}}, "user", "a@b.example"),
        ({"user": {}}, "user", None),
        ({"api_key": {"id": "k"}}, "api_key", None),
        ({"alert": {"id": "k"}}, "alert", None),
        ({"workflow": {"id": "k"}}, "workflow", None),
        ({}, None, None),
    ],
)
def test_the_creator_is_of_one_kind(creator: dict[str, Any], kind: str | None, email: str | None) -> None:
    """A person or a machine."""
    record = encoded(incident("x", at(0), creator=creator))
    rows = incident_rows(settings_of(ALPHA), [record], ExtractionRange(at(0), at(1), full=True))
    assert (rows.columns["creator_kind"][0], rows.columns["creator_email"][0]) == (kind, email)


def test_services_and_lead_are_read_from_the_workspace_s_own_fields() -> None:
    """Options and catalog entries alike; a role without a person is nobody."""
    source = registry().source("incident_io_companyb_incidents")
    entries = [
        {
            "custom_field": {"id": "01FEXMT8Y047DGX1PQHQ0PGY75"},
            "values": [
                {"value_catalog_entry": {"id": "c1", "name": "Checkout"}},
                {"value_option": {"id": "o1", "value": "Search"}},
                {"value_text": "ignored"},
            ],
        },
        {"custom_field": {"id": "other"}, "values": [{"value_option": {"id": "o2", "value": "No"}}]},
    ]
    roles = [
        {"role": {"role_type": "lead"}, "assignee": None},
        {"role": {"role_type": "reporter"}, "assignee": {"email": "r@b.example"}},
        {"role": {"role_type": "lead"}, "assignee": {"email": "l@b.example"}},
    ]
    record = encoded(incident("x", at(0), custom_field_entries=entries, incident_role_assignments=roles))
    rows = incident_rows(settings_of(source), [record], ExtractionRange(at(0), at(1), full=True))
    assert json.loads(rows.columns["affected_services"][0]) == [
        {"id": "c1", "name": "Checkout"},
        {"id": "o1", "name": "Search"},
    ]
    assert rows.columns["lead_email"] == ("l@b.example",)
