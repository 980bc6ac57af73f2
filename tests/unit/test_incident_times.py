"""The times of an incident: as DATEDIFF counts them, and never negative."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.sources.incident_io.times import incident_times, seconds

CREATED = datetime(2026, 11, 20, 7, 0, 0, 500_000, tzinfo=UTC)


def _after(amount: float) -> datetime:
    return CREATED + timedelta(seconds=amount)


def test_the_three_times_and_the_impact() -> None:
    """ttd = created→detected, ttr = detected→resolved, tts = created→resolved; impact from its start to fixed."""
    times = incident_times(CREATED, _after(-60), _after(120), _after(600), _after(900))
    assert times == (120, 780, 900, 660, ())


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("07:00:00.999999", "07:00:01.000000", 1),  # a microsecond apart, a second by DATEDIFF
        ("07:00:00.000000", "07:00:00.999999", 0),
        ("07:00:00.500000", "07:00:02.400000", 2),
        ("07:00:00.400000", "07:00:02.500000", 2),
        ("07:00:00", "07:00:00", 0),
        ("07:00:01.000000", "07:00:00.999999", -1),
        ("07:00:00.999999", "07:00:00.000000", 0),
    ],
)
def test_both_ends_are_cut_to_the_second_before_they_are_subtracted(start: str, end: str, expected: int) -> None:
    """As Snowflake's DATEDIFF('second', ...) counts boundaries crossed."""
    ends = [datetime.fromisoformat(f"2026-11-20T{text}+00:00") for text in (start, end)]
    assert seconds(*ends) == expected


def test_offsets_do_not_matter() -> None:
    """The same instants told with other offsets."""
    start = datetime.fromisoformat("2026-11-20T12:30:00.25+05:30")
    assert seconds(start, datetime.fromisoformat("2026-11-20T07:00:10.2+00:00")) == 10


@pytest.mark.parametrize(
    ("detected", "resolved", "flags"),
    [
        (-10, 100, ("detected_before_created",)),
        (100, 50, ("resolved_before_detected",)),
        (-20, -10, ("detected_before_created", "resolved_before_created", "impact_ended_before_start")),
        (100, -10, ("resolved_before_detected", "resolved_before_created", "impact_ended_before_start")),
    ],
)
def test_a_negative_time_is_none_and_named(detected: float, resolved: float, flags: tuple[str, ...]) -> None:
    """Nothing averages it; the flag says why it is missing."""
    times = incident_times(CREATED, None, _after(detected), None, _after(resolved))
    assert times.flags == flags
    assert (times.ttd_sec is None) == ("detected_before_created" in flags)
    assert (times.ttr_sec is None) == ("resolved_before_detected" in flags)
    assert (times.tts_sec is None) == ("resolved_before_created" in flags)


def test_what_is_unknown_is_none_and_no_flag() -> None:
    """An open incident breaks no rule."""
    assert incident_times(CREATED, None, None, None, None) == (None, None, None, None, ())
    assert incident_times(CREATED, None, None, None, _after(5)) == (None, None, 5, 5, ())


def test_impact_falls_back_to_created_and_resolved() -> None:
    """A workspace without the one or the other still has an impact."""
    assert incident_times(CREATED, None, None, _after(30), _after(90)).impact_duration_sec == 30
    assert incident_times(CREATED, _after(-10), None, None, _after(90)).impact_duration_sec == 100
    assert incident_times(CREATED, _after(50), None, _after(30), None).flags == ("impact_ended_before_start",)
