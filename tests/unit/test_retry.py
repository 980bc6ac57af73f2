"""When a request is tried again, and how long the source may make us wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.extract.retry import BACKOFF_SECONDS, LONGEST_WAIT_SECONDS, RETRIED_STATUSES, asked_wait, backoff

NOW = datetime(2026, 11, 20, 7, 0, 0, tzinfo=UTC)


def _asked(text: str) -> float | None:
    return asked_wait({"retry-after": text}, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Fri, 20 Nov 2026 08:01:00 +0100", 60.0),
        ("Fri, 20 Nov 2026 07:01:00 -0000", 60.0),
        ("Friday, 20-Nov-26 07:01:00 GMT", 60.0),
        ("1e300", LONGEST_WAIT_SECONDS),
        ("999999999999", LONGEST_WAIT_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT_SECONDS),
    ],
)
def test_seconds_decimals_and_dates_are_understood(text: str, seconds: float) -> None:
    """RFC 9110 knows whole seconds and dates; decimals are seen in the wild. A day at most."""
    assert _asked(text) == seconds


@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        ("0", str(int(NOW.timestamp()) + 90), 90.0),
        ("0", str(int(NOW.timestamp()) - 5), 0.0),
        ("0", "9" * 30, LONGEST_WAIT_SECONDS),
        ("1", str(int(NOW.timestamp()) + 90), None),
        ("0", "60", None),
        ("0", "soon", None),
        ("0", "-5", None),
        ("0", "", None),
    ],
)
def test_without_a_wait_the_limits_reset_tells_one(remaining: str, reset: str, seconds: float | None) -> None:
    """An instant in Unix seconds, and only when nothing is left; seconds from now are not guessed at."""
    headers = {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}
    assert asked_wait(headers, NOW) == seconds
    assert asked_wait({**headers, "retry-after": "7"}, NOW) == 7.0


@pytest.mark.parametrize("text", ["", "  ", "soon", "inf", "-inf", "nan", "Fri, 99 Nov 2026 07:00:00 GMT", "1 2", "½"])
def test_anything_else_counts_as_no_header(text: str) -> None:
    """Then the ordinary waits apply."""
    assert _asked(text) is None


def test_no_header_is_no_wait_asked() -> None:
    """None, not 0."""
    assert asked_wait({}, NOW) is None


def test_the_waits_double_four_times() -> None:
    """Five attempts in all."""
    assert [backoff(fault) for fault in range(6)] == [2.0, 4.0, 8.0, 16.0, None, None]
    assert sum(BACKOFF_SECONDS) == 30.0


def test_what_is_retried_is_a_written_list_with_reasons() -> None:
    """Neither success, nor a redirect, nor our own mistake is on it."""
    assert set(RETRIED_STATUSES) == {408, 409, 429, 500, 502, 503, 504}
    assert all(RETRIED_STATUSES.values())
