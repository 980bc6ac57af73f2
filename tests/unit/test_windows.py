"""Windows come from the schedule's own instants, and say themselves which one they are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.windows.schedule import check_cron, last_instant, window_at, windows_between
from shared.windows.window import Window, end_of_id, is_window_id

ARABIC = "\u0662\u0660\u0662\u06661120T0700Z"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "moment", "start", "end"),
    [
        ("0 * * * *", "2026-11-20T07:00:00", "2026-11-20T06:00:00", "2026-11-20T07:00:00"),
        ("0 * * * *", "2026-11-20T07:00:59.999999", "2026-11-20T06:00:00", "2026-11-20T07:00:00"),
        ("0 * * * *", "2026-11-20T06:59:59.999999", "2026-11-20T05:00:00", "2026-11-20T06:00:00"),
        ("*/5 * * * *", "2026-11-20T00:02:00", "2026-11-19T23:55:00", "2026-11-20T00:00:00"),
        ("30 14 * * *", "2026-11-20T14:30:00", "2026-11-19T14:30:00", "2026-11-20T14:30:00"),
        # uneven: 45 minutes, then 15
        ("0,45 * * * *", "2026-11-20T07:50:00", "2026-11-20T07:00:00", "2026-11-20T07:45:00"),
        ("0,45 * * * *", "2026-11-20T08:10:00", "2026-11-20T07:45:00", "2026-11-20T08:00:00"),
        ("*/25 * * * *", "2026-11-20T08:00:00", "2026-11-20T07:50:00", "2026-11-20T08:00:00"),
        # working days: Monday's window covers the weekend
        ("0 6 * * 1-5", "2026-11-23T06:00:00", "2026-11-20T06:00:00", "2026-11-23T06:00:00"),
        # leap day, the year's end, a month's last day
        ("0 0 29 2 *", "2028-03-01T00:00:00", "2024-02-29T00:00:00", "2028-02-29T00:00:00"),
        ("0 12 * * *", "2028-03-01T00:00:00", "2028-02-28T12:00:00", "2028-02-29T12:00:00"),
        ("0 0 1 * *", "2027-01-01T00:00:00", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        # the nights in which clocks change in Berlin and New York: UTC has no such night
        ("30 2 * * *", "2026-03-29T02:30:00", "2026-03-28T02:30:00", "2026-03-29T02:30:00"),
        ("0 * * * *", "2026-10-25T03:00:00", "2026-10-25T02:00:00", "2026-10-25T03:00:00"),
        ("30 2 * * *", "2026-11-01T02:30:00", "2026-10-31T02:30:00", "2026-11-01T02:30:00"),
    ],
)
def test_a_bare_tick_stands_for_the_last_two_instants(cron: str, moment: str, start: str, end: str) -> None:
    """The end is the last instant at or before the tick, the start the one before that."""
    assert window_at("p", cron, _utc(moment)) == Window("p", _utc(start), _utc(end))


def test_the_time_zone_of_the_moment_does_not_matter() -> None:
    """The same moment, told in Tokyo, is in the same window."""
    tokyo = datetime(2026, 11, 20, 16, 5, tzinfo=timezone(timedelta(hours=9)))
    assert window_at("p", "0 * * * *", tokyo).id == "20261120T0700Z"


def test_windows_between_are_the_ends_in_the_interval() -> None:
    """Half-open at the start: the window that ends there is not named again."""
    windows = windows_between("p", "0,45 * * * *", _utc("2026-11-20T07:00:00"), _utc("2026-11-20T08:45:00"))
    assert [w.id for w in windows] == ["20261120T0745Z", "20261120T0800Z", "20261120T0845Z"]
    assert windows[0].start == _utc("2026-11-20T07:00:00")
    assert windows_between("p", "0 * * * *", _utc("2026-11-20T07:00:00"), _utc("2026-11-20T07:30:00")) == []


def test_last_instant_includes_the_moment_itself() -> None:
    """At or before."""
    assert last_instant("0 3 * * 0", _utc("2026-11-22T03:00:00")) == _utc("2026-11-22T03:00:00")
    assert last_instant("0 3 * * 0", _utc("2026-11-22T02:59:59")) == _utc("2026-11-15T03:00:00")


@pytest.mark.parametrize("cron", ["", "* * * *", "60 * * * *", "0 0 30 2 *", "@hourly", "0 * * * * * *", "a b c d e"])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    """Also a date that never comes."""
    with pytest.raises(ValueError, match="is no cron expression"):
        check_cron(cron)


def test_a_window_is_written_and_read_back() -> None:
    """Its id is its end; its interval says both ends."""
    window = Window("p", _utc("2026-11-20T06:00:00"), _utc("2026-11-20T07:00:00"))
    assert window.id == "20261120T0700Z"
    assert window.interval == "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z"
    assert Window.from_interval("p", window.interval) == window
    assert end_of_id(window.id) == window.end


@pytest.mark.parametrize(
    "interval",
    [
        "",
        "2026-11-20T07:00:00Z",
        "2026-11-20T07:00:00Z/",
        "2026-11-20T07:00:00/2026-11-20T08:00:00",  # no zone
        "2026-11-20T08:00:00Z/2026-11-20T07:00:00Z",
        "2026-11-20T07:00:00Z/2026-11-20T07:00:00Z",
        "2026-11-20T07:00:30Z/2026-11-20T08:00:00Z",
        "2026-11-20T07:00:00.5Z/2026-11-20T08:00:00Z",
        "0001-01-01T00:00:00+05:00/2026-11-20T08:00:00Z",
        "2026-11-20T07:00:00Z/2026-11-20T08:00:00Z/2026-11-20T09:00:00Z",
    ],
)
def test_what_is_no_interval_is_refused(interval: str) -> None:
    """Two instants with a zone, on whole minutes, in order."""
    with pytest.raises(ValueError, match=r"\w"):
        Window.from_interval("p", interval)


@pytest.mark.parametrize(
    "text", ["", "20261120T0700", "20261120T0700Z ", "2026-11-20T07:00Z", "20261320T0700Z", ARABIC]
)
def test_what_is_no_window_id_is_refused(text: str) -> None:
    """Also digits of another script, and a thirteenth month."""
    assert not is_window_id(text)
    with pytest.raises(ValueError, match="is no window id"):
        end_of_id(text)


def test_a_window_knows_utc_only() -> None:
    """A zone that happens to have no offset is not UTC by name."""
    with pytest.raises(ValueError, match="is not in UTC"):
        Window("p", datetime(2026, 1, 1, tzinfo=timezone(timedelta(0), "GMT")), _utc("2026-01-02T00:00:00"))
