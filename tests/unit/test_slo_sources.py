"""OEBOT and Vantage: two shapes of the same facts, as rows of the same tables."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from shared.extract.pages import PageRequest
from shared.extract.sender import UnusableBody
from shared.registry.model import Source
from shared.sources.family import ExtractionRange
from shared.sources.slo.watched import Watched, after_mark, mark, spans
from tests.support.source_pages import as_dicts, changed, fixture, rows_of, source, split, walk

OEBOT, OEBOT_HOURS = source("slo_oebot_objectives"), source("slo_oebot_measurements")
VANTAGE, VANTAGE_HOURS = source("slo_vantage_objectives"), source("slo_vantage_measurements")
LIST = PageRequest("/api/v1/objectives")
HOURS = PageRequest("/api/v1/objectives/obj_0001/measurements", scope=("2026-03-15T00:00:00Z obj_0001",))
SLOS, WINDOWS = PageRequest("/v2/slos"), PageRequest("/v2/slo_windows/query", method="POST")
DAY = ExtractionRange(datetime(2026, 3, 14, 5, 40, tzinfo=UTC), datetime(2026, 3, 15, 12, 15, tzinfo=UTC))


def test_both_monitors_tell_the_same_of_one_service() -> None:
    """A fraction and a percent, good and bad events, text and milliseconds: one row of each table."""
    ours = as_dicts(rows_of(OEBOT, split(OEBOT, LIST, fixture("oebot", "objectives_page"))))[0]
    theirs = as_dicts(rows_of(VANTAGE, split(VANTAGE, SLOS, fixture("vantage", "slos_page"))))[0]
    assert (ours["monitor"], ours["slo_id"], theirs["monitor"], theirs["slo_id"]) == (
        "oebot",
        "obj_0001",
        "vantage",
        "4007",
    )
    assert ours["target"] == theirs["target"] == Decimal("0.9995")
    assert (ours["window_kind"], ours["window_days"]) == ("rolling", 30)
    assert ours["created_at"] == theirs["created_at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert ours["is_retired"] is theirs["is_retired"] is False

    hours = as_dicts(rows_of(OEBOT_HOURS, split(OEBOT_HOURS, HOURS, fixture("oebot", "measurements_page"))))
    windows = as_dicts(rows_of(VANTAGE_HOURS, split(VANTAGE_HOURS, WINDOWS, fixture("vantage", "windows_page"))))
    facts = ("hour_start_at", "good_events", "total_events")
    told = {row["hour_start_at"]: tuple(row[name] for name in facts) for row in windows if row["slo_id"] == "4007"}
    both = [row for row in hours if row["hour_start_at"] in told]
    assert len(both) > 2
    assert all(tuple(row[name] for name in facts) == told[row["hour_start_at"]] for row in both)
    assert hours[0]["reported_at"] == datetime(2026, 3, 15, 1, 8, 1, tzinfo=UTC)


def test_an_hour_without_traffic_is_a_row() -> None:
    """Attainment is unknown then; the hour was measured all the same."""
    page = split(OEBOT_HOURS, HOURS, fixture("oebot", "measurements_without_traffic"))
    assert page.seen.next_cursor == "Mi4w"
    assert [(row["good_events"], row["total_events"]) for row in as_dicts(rows_of(OEBOT_HOURS, page))] == [(0, 0)] * 2


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("objectives.0.id", "", "wrong_type"),
        ("objectives.0.id", 7, "wrong_type"),
        ("objectives.0.id", "   ", "empty_key"),
        ("objectives.0.target", "most", "wrong_type"),
        ("objectives.0.target", "NaN", "implausible_figure"),
        ("objectives.0.target", 1e300, "implausible_figure"),
        ("objectives.0.target", ..., "wrong_type"),
        ("objectives.0.window.type", "quarterly", "wrong_type"),
        ("objectives.0.window.days", ..., "wrong_type"),
        ("objectives.0.updated_at", "2026-03-01T00:00:00", "wrong_type"),
        ("objectives.0.updated_at", "9999-12-31T23:59:59Z", "implausible_instant"),
        ("objectives.0.service", None, "wrong_type"),
    ],
)
def test_an_objective_that_breaks_the_contract_is_rejected_alone(place: str, value: object, reason: str) -> None:
    """The others of its page are rows."""
    page = fixture("oebot", "objectives_page")
    rows = rows_of(OEBOT, split(OEBOT, LIST, changed(page, place, value)))
    assert [rejection.reason for rejection in rows.rejections] == [reason]
    assert rows.count == len(json.loads(page)["objectives"]) - 1


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("windows.0.start_ms", 1773532800001, "not_an_hour"),
        ("windows.0.end_ms", 10**17, "implausible_instant"),
        ("windows.0.valid_events", 1.5, "wrong_type"),
        ("windows.0.valid_events", 2**70, "implausible_figure"),
        ("windows.0.slo_id", None, "wrong_type"),
    ],
)
def test_a_window_that_breaks_the_contract_is_rejected_alone(place: str, value: object, reason: str) -> None:
    """As with objectives."""
    page = fixture("vantage", "windows_page")
    rows = rows_of(VANTAGE_HOURS, split(VANTAGE_HOURS, WINDOWS, changed(page, place, value)))
    assert [rejection.reason for rejection in rows.rejections] == [reason]
    assert rows.count == len(json.loads(page)["windows"]) - 1


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"])
def test_the_calendar_s_ends_are_no_hours_and_no_beginnings(instant: str) -> None:
    """They have no name in UTC; nothing else is lost."""
    page = changed(fixture("oebot", "measurements_page"), "measurements.0.hour", instant)
    rows = rows_of(OEBOT_HOURS, split(OEBOT_HOURS, HOURS, page))
    assert [rejection.reason for rejection in rows.rejections] == ["implausible_instant"]
    listing = split(OEBOT_HOURS, LIST, changed(fixture("oebot", "objectives_page"), "objectives.0.created_at", instant))
    assert len(listing.records) == 1


def test_an_offset_of_half_an_hour_is_still_a_whole_hour_in_utc() -> None:
    """The key is the instant."""
    page = changed(fixture("oebot", "measurements_page"), "measurements.0.hour", "2026-03-15T05:30:00+05:30")
    first = as_dicts(rows_of(OEBOT_HOURS, split(OEBOT_HOURS, HOURS, page)))[0]
    assert first["hour_start_at"] == datetime(2026, 3, 15, tzinfo=UTC)


def test_half_an_hour_is_no_hour() -> None:
    """The key is the hour: a part of one would be taken for all of it."""
    page = changed(fixture("oebot", "measurements_page"), "measurements.0.hour", "2026-03-15T00:30:00Z")
    assert rows_of(OEBOT_HOURS, split(OEBOT_HOURS, HOURS, page)).rejections[0].reason == "not_a_whole_hour"


def test_impossible_counts_are_kept_and_flagged() -> None:
    """Nothing is averaged that is flagged, and nothing is lost."""
    page = changed(fixture("oebot", "measurements_page"), "measurements.0.good", 10**9)
    page = changed(page, "measurements.1.total", -1)
    rows = as_dicts(rows_of(OEBOT_HOURS, split(OEBOT_HOURS, HOURS, page)))
    assert rows[0]["dq_flags"] == '["more_good_than_total"]'
    assert rows[1]["dq_flags"] == '["negative_events","more_good_than_total"]'
    assert [row["dq_valid"] for row in rows[:3]] == [False, False, True]


def test_a_new_field_is_kept_in_the_payload_and_named() -> None:
    """Drift is told, and breaks nothing."""
    rows = rows_of(OEBOT, split(OEBOT, LIST, changed(fixture("oebot", "objectives_page"), "objectives.0.burn", 2)))
    assert rows.unknown == {"burn"}
    assert json.loads(as_dicts(rows)[0]["payload"])["burn"] == 2


@pytest.mark.parametrize(
    ("body", "of", "request_"),
    [
        (b'{"objectives": []}', OEBOT, LIST),
        (b'{"measurements": [], "next_cursor": 5}', OEBOT_HOURS, HOURS),
        (b'{"slos": [], "page": 1}', VANTAGE, SLOS),
        (b'{"slos": [], "page": "1", "total_pages": 1}', VANTAGE, SLOS),
        (b'{"windows": [], "page": 1}', VANTAGE_HOURS, WINDOWS),
        (b"[]", VANTAGE_HOURS, WINDOWS),
        (b"<html>", OEBOT, LIST),
    ],
)
def test_a_page_that_does_not_say_whether_it_is_the_last_is_no_page(
    body: bytes, of: Source, request_: PageRequest
) -> None:
    """Without that a list would seem to end here."""
    with pytest.raises(UnusableBody):
        split(of, request_, body)


def test_only_changed_objectives_are_asked_for() -> None:
    """Inclusively; everything in a full range."""
    last = json.dumps({"objectives": [], "next_cursor": None}).encode()
    (request,) = walk(OEBOT, lambda _: last, DAY)
    assert request.query == (("updated_since", "2026-03-14T05:40:00Z"), ("limit", "100"))
    (request,) = walk(OEBOT, lambda _: last)
    assert request.query == (("limit", "100"),)


def _listing(*objectives: dict[str, object]) -> bytes:
    head = json.loads(fixture("oebot", "objectives_page"))["objectives"][0]
    return json.dumps({"objectives": [{**head, **one} for one in objectives], "next_cursor": None}).encode()


def test_hours_are_asked_for_by_objective_and_never_before_or_after_it_was_measured() -> None:
    """The range begins with a whole hour; what was retired before it is not asked for."""
    listing = _listing(
        {"id": "b/2"},
        {"id": "a1", "created_at": "2026-03-15T10:20:00Z"},
        {"id": "c3", "state": "retired", "updated_at": "2026-03-14T05:00:00Z"},
        {"id": "d4", "state": "retired", "updated_at": "2026-03-14T09:30:00Z"},
    )
    empty = json.dumps({"measurements": [], "next_cursor": None}).encode()
    requests = walk(OEBOT_HOURS, lambda r: listing if r.path == LIST.path else empty, DAY)
    assert [(r.path.removeprefix("/api/v1/objectives"), *dict(r.query).values()) for r in requests] == [
        ("", "100"),
        ("/a1/measurements", "2026-03-15T10:00:00Z", "2026-03-15T12:15:00Z", "500"),
        ("/b%2F2/measurements", "2026-03-14T05:00:00Z", "2026-03-15T12:15:00Z", "500"),
        ("/d4/measurements", "2026-03-14T05:00:00Z", "2026-03-14T09:30:00Z", "500"),
    ]


def test_a_long_range_is_read_in_pieces_that_the_monitor_allows() -> None:
    """And can begin again at each of them."""
    listing = _listing({"id": "a1"}, {"id": "b2"})
    empty = json.dumps({"measurements": [], "next_cursor": None}).encode()

    def answer(request: PageRequest) -> bytes:
        return listing if request.path == LIST.path else empty

    every = walk(OEBOT_HOURS, answer)[1:]
    assert len(every) == 8
    spanned = [
        datetime.fromisoformat(dict(r.query)["to"]) - datetime.fromisoformat(dict(r.query)["from"]) for r in every
    ]
    assert max(spanned) <= timedelta(days=31)
    for n, request in enumerate(every):
        assert walk(OEBOT_HOURS, answer, resume=request.resume)[1:] == every[n:]


def test_vantage_is_asked_for_twenty_slos_and_a_week_at_a_time() -> None:
    """In the order of their numbers, whatever these are as text."""
    head = json.loads(fixture("vantage", "slos_page"))["slos"][0]
    slos = [{**head, "slo_id": number} for number in [*range(7, 12), *range(995, 1013)]]
    listing = json.dumps({"slos": slos, "page": 1, "total_pages": 1}).encode()
    empty = json.dumps({"windows": [], "page": 1, "has_more": False}).encode()

    def answer(request: PageRequest) -> bytes:
        return listing if request.path == SLOS.path else empty

    every = walk(VANTAGE_HOURS, answer)[1:]
    asked = [json.loads(request.body or b"") for request in every]
    assert [len(query["slo_ids"]) for query in asked] == [20] * 11 + [3] * 11
    assert asked[0]["slo_ids"] == [*range(7, 12), *range(995, 1010)]
    assert max(query["to_ms"] - query["from_ms"] for query in asked) == 7 * 86_400_000
    for n in (0, 5, 11, 15):
        assert walk(VANTAGE_HOURS, answer, resume=every[n].resume)[1:] == every[n:]


def test_an_objective_that_is_not_understood_has_its_hours_unread_and_says_so() -> None:
    """The other objectives' hours are read."""
    page = changed(fixture("oebot", "objectives_page"), "objectives.0.id", ...)
    listed = split(OEBOT_HOURS, LIST, page)
    assert len(listed.seen.links) == len(json.loads(page)["objectives"]) - 1
    rows = rows_of(OEBOT_HOURS, listed)
    assert (rows.count, [rejection.reason for rejection in rows.rejections]) == (0, ["wrong_type"])


def test_spans_join_to_the_whole() -> None:
    """Without gap or overlap; an empty range has none."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    pieces = list(spans(start, start + timedelta(days=10, hours=1), timedelta(days=4)))
    assert [b - a for a, b in pieces] == [timedelta(days=4), timedelta(days=4), timedelta(days=2, hours=1)]
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    assert list(spans(start, start, timedelta(days=4))) == []


def test_a_mark_is_read_back() -> None:
    """Also with spaces in the id."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert after_mark(mark("an id", at)) == ("an id", at)
    assert after_mark("") == ("", None)
    assert Watched("a", at).span(DAY)[1] == DAY.end
