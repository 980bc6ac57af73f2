"""incident.io's lists beside that of the incidents: requests, resuming, and records that no vendor should send."""

import json
from typing import Any

import pytest

from shared.contracts import CONTRACTS
from shared.extract.pages import PageRequest
from shared.extract.sender import UnusableBody
from shared.sources.family import ExtractionRange, Rows
from shared.sources.incident_io.follow_ups import follow_up_rows
from shared.sources.incident_io.severities import severity_rows
from shared.sources.incident_io.statuses import status_rows
from shared.sources.incident_io.updates import incident_update_rows
from shared.sources.incident_io.workspace import settings_of
from tests.support.source_pages import as_dicts, source, split, walk
from tests.support.world import at

RANGE = ExtractionRange(at(6), at(8))
FOLLOW_UPS = source("incident_io_companya_follow_ups")
UPDATES = source("incident_io_companya_incident_updates")
STATUSES = source("incident_io_companya_incident_statuses")
SEVERITIES = source("incident_io_companya_severities")
CENSUS = source("incident_io_companya_census")
SETTINGS = settings_of(FOLLOW_UPS)

CREATED = "2026-11-20T06:30:00.5Z"
FOLLOW_UP: dict[str, Any] = {
    "id": "01FU",
    "incident_id": "01INC",
    "title": "Rehearse the roll-back",
    "status": "outstanding",
    "labels": ["a", "b"],
    "creator": {"workflow": {"id": "1", "name": "w"}},
    "created_at": CREATED,
    "updated_at": "2026-11-20T07:00:00Z",
}
UPDATE: dict[str, Any] = {
    "id": "01UP",
    "incident_id": "01INC",
    "created_at": CREATED,
    "updater": {"user": {"id": "1", "name": "Somebody", "email": "somebody@companya.example", "role": "owner"}},
    "new_incident_status": {"id": "1", "name": "Live", "category": "live", "rank": 2},
}
STATUS: dict[str, Any] = {
    "id": "01ST",
    "name": "Live",
    "description": "",
    "category": "live",
    "rank": 2,
    "created_at": "2021-01-01T00:00:00Z",
    "updated_at": "2021-01-01T00:00:00Z",
}
SEVERITY = {name: value for name, value in STATUS.items() if name != "category"}
LISTS = {
    "follow_ups": (follow_up_rows, FOLLOW_UP),
    "incident_updates": (incident_update_rows, UPDATE),
    "incident_statuses": (status_rows, STATUS),
    "severities": (severity_rows, SEVERITY),
}


def rows_of(name: str, *records: dict[str, Any] | bytes) -> Rows:
    function, _ = LISTS[name]
    return function(SETTINGS, [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records], RANGE)


@pytest.mark.parametrize("name", LISTS)
def test_a_record_fills_its_contract(name: str) -> None:
    """With the workspace, which no record says, and the record as received."""
    _, record = LISTS[name]
    rows = rows_of(name, record)
    assert (rows.count, rows.rejections, rows.skipped, rows.unknown) == (1, [], 0, set())
    (row,) = as_dicts(rows)
    landed = {column.name for column in CONTRACTS[name].columns} | {"dq_valid", "dq_flags"}
    assert row.keys() == landed
    assert row["workspace"] == "companya"
    assert json.loads(row["payload"]) == record
    assert all(row[column.name] is not None for column in CONTRACTS[name].columns if column.required)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "wrong_type"),
        ({"id": " "}, "empty_key"),
        ({"id": None}, "wrong_type"),
        ({"created_at": "yesterday"}, "wrong_type"),
        ({"created_at": "2026-11-20T06:30:00"}, "wrong_type"),
        ({"created_at": "0001-01-01T00:00:00Z"}, "implausible_instant"),
    ],
)
def test_a_record_that_breaks_the_contract_is_rejected_alone(name: str, change: dict[str, Any], reason: str) -> None:
    """Kept whole; the one beside it is a row."""
    _, record = LISTS[name]
    bad = json.dumps({**record, **change}).encode()
    rows = rows_of(name, record, bad)
    assert rows.count == 1
    assert [(r.reason, r.record) for r in rows.rejections] == [(reason, bad)]


@pytest.mark.parametrize("name", LISTS)
def test_what_the_vendor_adds_is_kept_and_named(name: str) -> None:
    """New fields, values of enumerations that nobody has heard of, ids of any length."""
    _, record = LISTS[name]
    changed = {**record, "id": "x" * 500, "surprise": 1}
    changed |= {key: "new" for key in ("status", "category") if key in record}
    rows = rows_of(name, changed)
    assert (rows.count, rows.unknown) == (1, {"surprise"})


@pytest.mark.parametrize("name", LISTS)
def test_bytes_that_are_no_json_are_rejected(name: str) -> None:
    """Whatever they are."""
    hostile = (b"", b"null", b"{", b'{"id": NaN}', b"\xff", b"[" * 5000 + b"]" * 5000, b'{"id": "\\ud800"}')
    rows = rows_of(name, *hostile)
    assert (rows.count, len(rows.rejections)) == (0, len(hostile))


def test_a_follow_up_says_what_was_done_and_when() -> None:
    """Done before it was written down is impossible: kept, and flagged."""
    done = {**FOLLOW_UP, "status": "completed", "completed_at": "2026-11-20T06:45:00Z"}
    done |= {"priority": {"id": "1", "name": "Urgent", "rank": 10}, "assignee": {"id": "1", "name": "x"}}
    done |= {"assignee_team": {"id": "t", "name": "Team"}, "category": {"id": "c", "name": "Cat", "rank": 1}}
    backwards = {**FOLLOW_UP, "completed_at": "2026-11-19T06:45:00Z"}
    first, second = as_dicts(rows_of("follow_ups", done, backwards))
    assert (first["priority_rank"], first["category_name"], first["assignee_team_name"]) == (10, "Cat", "Team")
    assert (first["creator_kind"], first["creator_email"], first["assignee_email"]) == ("workflow", None, None)
    assert (first["dq_valid"], second["dq_valid"]) == (True, False)
    assert json.loads(second["dq_flags"]) == ["completed_before_created"]


def test_follow_ups_before_the_range_are_skipped_and_older_snapshots_are_not() -> None:
    """A filter that the vendor does not know lets everything through."""
    old = {**FOLLOW_UP, "updated_at": "2026-11-20T05:59:59Z"}
    rows = rows_of("follow_ups", old, FOLLOW_UP)
    assert (rows.count, rows.skipped, rows.watermark) == (1, 1, at(7))
    assert rows_of("incident_updates", {**UPDATE, "created_at": "2020-01-01T00:00:00Z"}).skipped == 0
    assert rows_of("incident_statuses", STATUS).skipped == 0


def test_follow_ups_are_asked_for_mode_by_mode_from_the_instant_on() -> None:
    """A mode's cursor leads nowhere in another."""

    def answer(request: PageRequest) -> bytes:
        query = dict(request.query)
        after = "x" if query["incident_mode"] == "standard" and "after" not in query else None
        meta = {"page_size": 250} | ({"after": after} if after else {})
        return json.dumps({"follow_ups": [FOLLOW_UP], "pagination_meta": meta}).encode()

    requests = walk(FOLLOW_UPS, answer, RANGE)
    asked = [(dict(r.query)["incident_mode"], dict(r.query).get("after"), r.resume) for r in requests]
    standard, retrospective = "standard", "retrospective"
    whole = [(standard, None, "standard/"), (standard, "x", "standard/x"), (retrospective, None, "retrospective/")]
    assert asked == whole
    assert {dict(r.query)["updated_at[gte]"] for r in requests} == {"2026-11-20T06:00:00Z"}
    for place, (_, _, resume) in enumerate(whole):
        again = [r.resume for r in walk(FOLLOW_UPS, answer, RANGE, resume)]
        assert again == [each for _, _, each in whole[place:]]
    assert [r.resume for r in walk(FOLLOW_UPS, answer, RANGE, "test/x")] == [each for _, _, each in whole]


def test_a_snapshot_is_one_scope_and_never_empty() -> None:
    """An empty list is what a key without the right is shown, perhaps: it must not take everything away."""
    for of, key in ((STATUSES, "incident_statuses"), (SEVERITIES, "severities")):
        (request,) = walk(of, lambda _, key=key: json.dumps({key: [STATUS]}).encode())  # type: ignore[misc]  # bound
        assert request.scope == ("companya",)
        with pytest.raises(UnusableBody, match="not a single record"):
            split(of, request, json.dumps({key: []}).encode())
        with pytest.raises(UnusableBody):
            split(of, request, b"{}")


def _census(oldest: str | None, roles: list[str]) -> list[PageRequest]:
    def answer(request: PageRequest) -> bytes:
        if request.path == "/v1/identity":
            identity = {"name": "key", "dashboard_url": "https://app.example/companya", "roles": roles}
            return json.dumps({"identity": identity}).encode()
        first = [] if oldest is None else [{"id": "1", "created_at": oldest}]
        return json.dumps({"incidents": first, "pagination_meta": {"page_size": 1}}).encode()

    return walk(CENSUS, answer, RANGE)


@pytest.mark.parametrize(
    ("oldest", "requests"),
    [(None, 2 + 8 + 1), ("2026-11-01T00:00:00Z", 2 + 8 + 1), ("2026-10-31T23:59:59Z", 2 + 8 + 2), ("soon", 2 + 95)],
)
def test_a_census_reads_every_month_once(oldest: str | None, requests: int) -> None:
    """Those before the first incident in runs, a day wider at both ends; what cannot be read costs requests only."""
    asked = _census(oldest, ["viewer", "global_access"])
    assert len(asked) == requests
    scopes = [scope for request in asked for scope in request.scope]
    assert len(scopes) == len(set(scopes)) == 95 * 2 * 2
    assert {"companya/standard/public/2019-01", "companya/retrospective/private/2026-11"} <= set(scopes)
    assert dict(asked[-1].query)["created_at[date_range]"] == "2026-10-31~2026-12-01"
    categories = [value for name, value in asked[-1].query if name == "status_category[one_of]"]
    assert {"declined", "merged", "canceled"} <= set(categories)


def test_a_census_claims_private_incidents_for_keys_that_see_them() -> None:
    """And goes on with what was known at its beginning."""
    asked = _census("2026-10-01T00:00:00Z", ["viewer"])
    scopes = [scope for request in asked for scope in request.scope]
    assert {scope.split("/")[2] for scope in scopes} == {"public"}
    resumes = [request.resume for request in asked if request.scope]
    for place, resume in enumerate(resumes):
        flow = walk(CENSUS, lambda _: b'{"incidents": []}', RANGE, resume)
        assert [request.resume for request in flow] == resumes[place:]
        assert [s for request in flow for s in request.scope] == [
            s for request in [r for r in asked if r.scope][place:] for s in request.scope
        ]
