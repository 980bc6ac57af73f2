"""Instants: aware, in UTC, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.instants import from_text, to_text


def test_to_text_writes_utc_with_fractions_only_where_there_are_any() -> None:
    """RFC 3339 with a Z."""
    assert to_text(datetime(2026, 11, 20, 7, tzinfo=UTC)) == "2026-11-20T07:00:00Z"
    assert to_text(datetime(2026, 11, 20, 7, 0, 0, 5, tzinfo=UTC)) == "2026-11-20T07:00:00.000005Z"
    assert to_text(datetime(2026, 11, 20, 9, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-20T07:00:00Z"


def test_from_text_turns_any_offset_into_utc() -> None:
    """The same moment, told from elsewhere."""
    assert from_text("2026-11-20T12:30:00+05:30") == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert from_text("2026-11-20T07:00:00Z").tzinfo is UTC


@pytest.mark.parametrize("text", ["", "now", "2026-11-20", "2026-11-20T07:00:00", "2026-13-01T00:00:00Z"])
def test_text_that_is_no_instant_is_refused(text: str) -> None:
    """A zone is required."""
    with pytest.raises(ValueError, match=r"\w"):
        from_text(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_an_instant_outside_the_calendar_is_refused_as_any_other(text: str) -> None:
    """The calendar's first and last day have offsets that lead out of it."""
    with pytest.raises(ValueError, match="outside the calendar"):
        from_text(text)


def test_a_naive_instant_is_never_written() -> None:
    """It could mean anything."""
    with pytest.raises(ValueError, match="no time zone"):
        to_text(datetime(2026, 11, 20))  # noqa: DTZ001 - the naive one is the test
