"""Hostile records: each is rejected alone, with its reason, and whole; the others become rows."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.sources.family import ExtractionRange, Rows
from shared.sources.incident_io.family import settings_of
from shared.sources.incident_io.rows import incident_rows
from tests.support.incidents import encoded, incident, with_raw_field
from tests.support.world import at, registry_of

SETTINGS = settings_of(registry_of("alpha").source("incident_io_alpha_incidents"))
FULL = ExtractionRange(datetime(2019, 1, 1, tzinfo=UTC), at(8), full=True)
GOOD = incident("good", at(6), at(7))


def _rows(*records: bytes, extraction: ExtractionRange = FULL) -> Rows:
    return incident_rows(SETTINGS, records, extraction)


def _good(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


def _stamped(text: str) -> bytes:
    return encoded(incident("x", at(6), at(7), stamps={"Detected at": text}))


HOSTILE = {
    "key missing": ("wrong_type", encoded({k: v for k, v in GOOD.items() if k != "id"})),
    "key null": ("wrong_type", encoded(_good(id=None))),
    "key empty": ("wrong_type", encoded(_good(id=""))),
    "key a number": ("wrong_type", encoded(_good(id=7))),
    "required missing": ("wrong_type", encoded({k: v for k, v in GOOD.items() if k != "incident_status"})),
    "wrong type": ("wrong_type", encoded(_good(severity="high"))),
    "wrong type deep inside": ("wrong_type", encoded(_good(creator={"user": {"email": 5}}))),
    "a list": ("wrong_type", b"[1, 2]"),
    "null": ("wrong_type", b"null"),
    "naive timestamp": ("wrong_type", encoded(_good(created_at="2026-11-20T07:00:00"))),
    "a date": ("wrong_type", encoded(_good(created_at="2026-11-20"))),
    "no timestamp": ("wrong_type", encoded(_good(updated_at="yesterday"))),
    "month 13": ("wrong_type", encoded(_good(created_at="2026-13-20T07:00:00Z"))),
    "year 0001": ("implausible_instant", encoded(_good(created_at="0001-01-01T00:00:00Z"))),
    "year 0001 outside UTC": ("implausible_instant", _stamped("0001-01-01T00:00:00+05:00")),
    "year 9999": ("implausible_instant", encoded(_good(updated_at="9999-12-31T23:59:59Z"))),
    "year 9999 outside UTC": ("implausible_instant", _stamped("9999-12-31T23:59:59-05:00")),
    "activity in year 0001": ("implausible_instant", encoded(_good(last_activity_at="0001-01-01T00:00:00+05:00"))),
    "NaN": ("not_json", with_raw_field(GOOD, "workload_minutes_total", b"NaN")),
    "Infinity": ("not_json", with_raw_field(GOOD, "workload_minutes_total", b"-Infinity")),
    "NaN in an unknown field": ("not_json", with_raw_field(GOOD, "novelty", b"[NaN]")),
    "1e400": ("wrong_type", with_raw_field(GOOD, "workload_minutes_total", b"1e400")),
    "huge integer": ("wrong_type", encoded(_good(severity={"id": "s", "name": "n", "rank": 2**63}))),
    "integer of 5000 digits": ("wrong_type", with_raw_field(GOOD, "workload_minutes_total", b"9" * 5000)),
    "10 MB": ("too_large", encoded(_good(summary="x" * 10_000_000))),
    "invalid UTF-8": ("not_json", with_raw_field(GOOD, "summary", b'"\xff\xfe"')),
    "invalid UTF-8 in an unknown field": ("not_json", with_raw_field(GOOD, "novelty", b'"\xc3"')),
    "lone surrogate": ("not_json", with_raw_field(GOOD, "summary", b'"\\ud800"')),
    "lone surrogate in an unknown field": ("not_json", with_raw_field(GOOD, "novelty", b'["\\udfff"]')),
    "control character": ("not_json", with_raw_field(GOOD, "summary", b'"\x01"')),
    "nested without end": ("too_deep", with_raw_field(GOOD, "novelty", b"[" * 100_000 + b"]" * 100_000)),
    "cut": ("not_json", encoded(GOOD)[:-20]),
    "empty": ("not_json", b""),
    "byte order mark": ("not_json", b"\xef\xbb\xbf" + encoded(GOOD)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_record_is_rejected_alone_with_its_reason(name: str) -> None:
    """The good ones beside it become rows; the record is kept byte for byte."""
    reason, record = HOSTILE[name]
    rows = _rows(encoded(_good(id="before")), record, encoded(_good(id="after")))
    assert rows.columns["incident_id"] == ("before", "after")
    assert rows.count == 2
    (rejection,) = rows.rejections
    assert rejection.reason == reason
    assert rejection.detail
    assert rejection.record == record


def test_all_of_them_together_are_rejected_and_the_good_one_is_a_row() -> None:
    """One page of nothing but trouble."""
    rows = _rows(*(record for _, record in HOSTILE.values()), encoded(GOOD))
    assert (rows.count, len(rows.rejections)) == (1, len(HOSTILE))


def test_a_rejected_record_does_not_move_the_watermark() -> None:
    """Only rows count."""
    assert _rows(encoded(_good(id=None, updated_at="2026-11-20T07:59:00Z"))).watermark is None


@pytest.mark.parametrize("digits", range(10))
def test_fractions_of_any_length_are_read_to_the_microsecond(digits: int) -> None:
    """0 to 9 digits."""
    fraction = "123456123"[:digits]
    rows = _rows(encoded(_good(created_at=f"2026-11-20T06:00:00{'.' if digits else ''}{fraction}Z")))
    assert rows.columns["created_at"][0] == at(6).replace(microsecond=int(fraction.ljust(6, "0")[:6]))


@pytest.mark.parametrize(
    "record",
    [
        with_raw_field(GOOD, "novelty", b"9" * 5000),
        with_raw_field(GOOD, "novelty", b"1e400"),
        encoded(GOOD)[:-1] + b', "novelty": 1, "novelty": 2}',
        encoded(_good(summary="a\0b \u2028 \U0001f525 \\u0000")),
        encoded(_good(severity={"id": "s" * 5000, "name": "", "rank": -(2**63)})),
        encoded(_good(mode="something new", visibility="")),
        encoded(_good(severity=None, incident_timestamp_values=None, incident_type=None, summary=None)),
    ],
)
def test_what_is_merely_odd_is_a_row(record: bytes) -> None:
    """New enum values, long ids, twice the same key: kept, with the payload as received."""
    rows = _rows(record)
    assert rows.rejections == []
    assert rows.columns["payload"] == (record,)


def test_unknown_fields_are_reported_and_kept() -> None:
    """Drift is named, nothing is lost."""
    rows = _rows(encoded(_good(novelty={"a": 1}, another=2)), encoded(GOOD))
    assert rows.unknown == {"novelty", "another"}
    assert json.loads(rows.columns["payload"][0])["novelty"] == {"a": 1}


def test_records_last_updated_before_the_range_are_skipped_unless_everything_is_read() -> None:
    """The source filters by whole days; the range begins at an instant, and includes it."""
    part = ExtractionRange(at(6), at(8))
    records = [encoded(incident(str(h), at(1), at(h))) for h in (5.999, 6, 7.5)]
    rows = _rows(*records, extraction=part)
    assert (rows.columns["incident_id"], rows.skipped) == (("6", "7.5"), 1)
    assert _rows(*records).count == 3


def test_the_watermark_is_the_highest_update() -> None:
    """Whatever order the records come in."""
    rows = _rows(*(encoded(incident(str(h), at(1), at(h))) for h in (3, 7, 5)))
    assert rows.watermark == at(7)


def test_a_record_dated_beyond_the_window_is_a_row() -> None:
    """It is loaded; the watermark is bounded elsewhere."""
    assert _rows(encoded(incident("f", at(6), at(100)))).watermark == at(100)


def test_no_records_are_no_rows() -> None:
    """An empty page."""
    rows = _rows()
    assert (rows.count, rows.columns, rows.watermark) == (0, {}, None)


def test_an_impossible_time_flags_the_row() -> None:
    """Kept, not averaged."""
    rows = _rows(encoded(incident("x", at(6), at(7), stamps={"Detected at": at(5), "Resolved at": at(7)})))
    assert rows.columns["ttd_sec"] == (None,)
    assert rows.columns["tts_sec"] == (3600,)
    assert rows.columns["dq_valid"] == (False,)
    assert json.loads(rows.columns["dq_flags"][0]) == ["detected_before_created"]
