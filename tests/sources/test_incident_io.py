"""incident.io against the double: what polling brings, what the census finds gone, and what it leaves alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from local.sources.incident_io.archive import ArchiveIncident
from local.sources.incident_io.generator import generate
from local.sources.incident_io.objects import incident_id
from local.sources.incident_io.workspaces import load_workspaces, split_by_workspace
from shared.ports import HttpRequest, HttpResponse
from tests.sources.reading import Reading, doubles

START, NOW = datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 4, 10, 6, 5, tzinfo=UTC)
WORKSPACE = load_workspaces()[0]
POLLED, CENSUS = "incident_io_companya_incidents", "incident_io_companya_census"
FOLLOW_UPS, UPDATES = "incident_io_companya_follow_ups", "incident_io_companya_incident_updates"
STATUSES, SEVERITIES = "incident_io_companya_incident_statuses", "incident_io_companya_severities"
ARCHIVE = list(generate(11, START, NOW + timedelta(days=30), per_day=4, deleted=0.08))
SHARE = split_by_workspace(ARCHIVE, [w.name for w in load_workspaces()])["companya"]
READ = {"standard", "retrospective"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ids(incidents: list[ArchiveIncident]) -> set[str]:
    return {incident_id(WORKSPACE, incident) for incident in incidents}


def there(at: datetime) -> set[str]:
    """The incidents that the double shows to who asks for the modes that are read."""
    return ids(
        [i for i in SHARE if i.mode in READ and i.started_at <= at and (i.deleted_at is None or i.deleted_at > at)]
    )


def held(reading: Reading) -> dict[str, dict[str, Any]]:
    return {row["incident_id"]: row for row in reading.warehouse.tables["FACT_INCIDENTS"].values()}


def live(reading: Reading) -> set[str]:
    return {key for key, row in held(reading).items() if not row["_is_deleted"]}


@pytest.fixture
def reading() -> Iterator[Reading]:
    with doubles(NOW, ARCHIVE) as served:
        yield Reading(served)


def test_the_census_flags_what_is_gone_and_nothing_else(reading: Reading) -> None:
    """Declined, canceled and merged incidents are listed; incidents of other modes are not asked for, nor flagged."""
    for days in range(30, -1, -3):
        reading.read(POLLED, NOW - days * DAY)
    before = live(reading)
    assert live(reading) > there(NOW), "polling alone never learns that an incident is gone"
    reading.read(CENSUS, NOW + HOUR)
    assert live(reading) == there(NOW + HOUR)
    gone = held(reading).keys() - live(reading)
    assert gone & before
    assert {held(reading)[key]["status_category"] for key in live(reading)} >= {"declined", "closed", "live"}


def test_a_census_of_what_did_not_change_writes_nothing(reading: Reading) -> None:
    """So that no mart is built anew; a change is written, by whoever reads it first."""
    reading.read(POLLED, NOW)
    reading.read(CENSUS, NOW + HOUR)
    before = {key: (row["_ingested_at"], row["_source"]) for key, row in held(reading).items()}
    reading.read(CENSUS, NOW + HOUR + 2 * DAY)
    after = held(reading)
    changed = {key for key in before if before[key] != (after[key]["_ingested_at"], after[key]["_source"])}
    assert len(changed) < len(before) / 3
    assert changed
    assert live(reading) == there(NOW + HOUR + 2 * DAY)


def test_a_census_claims_every_month_of_every_mode_and_visibility(reading: Reading) -> None:
    """Also months before the first incident; in requests that their number does not drive up."""
    reading.read(CENSUS, NOW)
    scopes = [scope for part in reading.parts(CENSUS) for scope in part.scopes]
    months = {scope.rpartition("/")[2] for scope in scopes}
    assert (min(months), max(months), len(months)) == ("2019-01", "2026-04", 88)
    assert len(scopes) == len(set(scopes)) == 88 * 2 * 2
    assert all(sum(map(len, part.to_mapping().values())) < 7_500 for part in reading.parts(CENSUS)), "8 KiB"
    listed = [r for r in reading.http.requests if r.url.endswith("/v2/incidents")]
    assert 4 < len(listed) < 20


def test_without_the_role_private_incidents_are_not_taken_for_gone(reading: Reading) -> None:
    """A key that lost it sees none of them."""
    reading.read(POLLED, NOW)
    private = {key for key, row in held(reading).items() if row["visibility"] == "private"}
    assert private & there(NOW + HOUR)

    def without_role(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return replace(response, body=response.body.replace(b'"global_access",', b""))

    def without_private(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
        body = msgspec.json.decode(response.body)
        body["incidents"] = [i for i in body["incidents"] if i["visibility"] == "public"]
        return replace(response, body=msgspec.json.encode(body))

    reading.http.tampering = {"/v1/identity": without_role, "/v2/incidents": without_private}
    reading.read(CENSUS, NOW + HOUR)
    assert not {key for key in private if held(reading)[key]["_is_deleted"]}
    public = held(reading).keys() - private
    assert {key for key in public if not held(reading)[key]["_is_deleted"]} == there(NOW + HOUR) - private


def test_a_month_with_an_unreadable_incident_takes_nothing_away(reading: Reading) -> None:
    """What is missing there may be the one that could not be read; the other months are whole."""
    reading.read(POLLED, NOW)
    removed: list[str] = []

    def without_the_second(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        body = msgspec.json.decode(response.body)
        if dict(request.query).get("created_at[date_range]", "").startswith(("2026-01-31~", "2026-02-28~")):
            month = "2026-02" if "2026-01-31" in dict(request.query)["created_at[date_range]"] else "2026-03"
            within = [i for i in body["incidents"] if i["created_at"].startswith(month)]
            removed.append(within[1]["id"])
            body["incidents"] = [i for i in within if i["id"] != within[1]["id"]]
            if month == "2026-03":
                body["incidents"][0]["name"] = 5
        return replace(response, body=msgspec.json.encode(body))

    reading.http.tampering = {"/v2/incidents": without_the_second}
    reading.read(CENSUS, NOW + HOUR)
    february, march = removed
    assert [record["reason"] for record in reading.quarantined()] == ["wrong_type"]
    assert held(reading)[february]["_is_deleted"]
    assert not held(reading)[march]["_is_deleted"]
    reading.http.tampering = {}
    reading.read(CENSUS, NOW + HOUR + DAY)
    assert live(reading) == there(NOW + HOUR + DAY)


def test_a_census_that_takes_many_invocations_is_one_census() -> None:
    """Each goes on at the month that the one before could not finish, and still knows what the key can see."""
    with doubles(NOW, ARCHIVE) as served:
        reading = Reading(served)
        for days in range(30, -1, -3):
            reading.read(POLLED, NOW - days * DAY)
        reading.http.seconds, reading.invocations = 150.0, 0
        reading.read(CENSUS, NOW + HOUR)
        assert reading.invocations > 3
        assert live(reading) == there(NOW + HOUR)
        scopes = [scope for part in reading.parts(CENSUS) for scope in part.scopes]
        assert len(scopes) == len(set(scopes)) == 88 * 2 * 2


def test_follow_ups_are_held_as_they_stand(reading: Reading) -> None:
    """Of both modes, by a list that is asked for what changed; those of deleted incidents stay."""
    instants = [NOW - 20 * DAY + n * DAY for n in range(20)] + [NOW]
    for at in instants:
        reading.read(FOLLOW_UPS, at)
    rows = {row["follow_up_id"]: row for row in reading.rows(FOLLOW_UPS)}
    shown = _all(reading, "/v3/follow_ups", "follow_ups")
    assert shown
    for each in shown:
        row = rows[each["id"]]
        assert (row["status"], row["title"]) == (each["status"], each["title"])
        assert row["updated_at"] == datetime.fromisoformat(each["updated_at"])
        assert (row["creator_kind"], row["creator_email"]) == ("user", each["creator"]["user"]["email"])
        assert row["dq_valid"]
    assert {row["status"] for row in rows.values()} == {"outstanding", "completed"}
    assert len([r for r in reading.http.requests if "/v3/follow_ups" in r.url]) >= 2 * len(instants)
    assert sum(part.rows for part in reading.parts(FOLLOW_UPS)[-5:]) < len(rows), "only what changed is asked for"


def test_updates_are_held_whole(reading: Reading) -> None:
    """All pages, every day; a second reading writes nothing but what is new."""
    reading.read(UPDATES, NOW)
    shown = {u["id"]: u for u in _all(reading, "/v2/incident_updates", "incident_updates")}
    rows = {row["update_id"]: row for row in reading.rows(UPDATES)}
    assert rows.keys() == shown.keys()
    for key, row in rows.items():
        assert row["status_category"] == shown[key]["new_incident_status"]["category"]
        assert (row["severity_name"] is None) == ("new_severity" not in shown[key])
        assert row["updater_email"] == shown[key]["updater"]["user"]["email"]
    reading.read(UPDATES, NOW + DAY)
    again = {row["update_id"]: row for row in reading.rows(UPDATES)}
    assert {again[key]["_window_id"] for key in rows} == {row["_window_id"] for row in rows.values()}
    assert reading.quarantined() == []


def test_statuses_and_severities_that_are_gone_are_flagged(reading: Reading) -> None:
    """A snapshot each."""
    for source, key, count in ((STATUSES, "incident_statuses", 10), (SEVERITIES, "severities", 4)):
        reading.read(source, NOW)
        assert len(reading.rows(source)) == count

        def without_first(_request: HttpRequest, response: HttpResponse, key: str = key) -> HttpResponse:
            body = msgspec.json.decode(response.body)
            return replace(response, body=msgspec.json.encode({key: body[key][1:]}))

        reading.http.tampering = {f"/v1/{key}": without_first}
        reading.read(source, NOW + DAY)
        assert (len(reading.rows(source)), len(reading.rows(source, live=False))) == (count - 1, 1)
        reading.http.tampering = {}
        reading.read(source, NOW + 2 * DAY)
        assert len(reading.rows(source)) == count


def _all(reading: Reading, path: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = httpx.get(
            f"{reading.served.root}/incident_io{path}",
            params={"page_size": "100", **after},
            headers={"Authorization": "Bearer key-of-incident-io-companya"},
        ).json()
        rows += answer[name]
        if "after" not in answer["pagination_meta"]:
            return rows
        after = {"after": answer["pagination_meta"]["after"]}
