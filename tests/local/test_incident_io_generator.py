"""The generator: reproducible, and shaped like real histories."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from local.sources.incident_io.archive import ArchiveIncident, archive_lines, load_archive
from local.sources.incident_io.generator import as_known_at, generate
from local.sources.incident_io.timeline import state_at

START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def year() -> list[ArchiveIncident]:
    return list(generate(7, START, END, per_day=12))


def share(incidents: list[ArchiveIncident], count: int) -> float:
    return count / len(incidents)


def test_the_same_seed_gives_the_same_archive_and_another_does_not(year: list[ArchiveIncident]) -> None:
    """Deterministic from the seed alone."""
    assert list(generate(7, START, END, per_day=12)) == year
    assert [i.started_at for i in generate(8, START, END, per_day=12)] != [i.started_at for i in year]


def test_a_later_end_only_adds_and_completes(year: list[ArchiveIncident]) -> None:
    """An archive can be continued: cut at the earlier end, the longer one is the shorter one."""
    early = END - timedelta(days=100)
    shorter = list(generate(7, START, early, per_day=12))
    assert [as_known_at(i, early) for i in year if i.started_at < early] == shorter


def test_histories_are_in_order_and_within_the_range(year: list[ArchiveIncident]) -> None:
    """Oldest first, ids unique, nothing from after the end."""
    assert all(a.started_at <= b.started_at for a, b in pairwise(year))
    assert len({i.id for i in year}) == len(year)
    for incident in year:
        assert START <= incident.started_at < END
        assert all(a.at <= b.at for a, b in pairwise(incident.updates))
        assert all(update.at <= END for update in incident.updates[1:])
        assert incident.resolved_at is None or incident.resolved_at <= END


def test_durations_have_the_real_shape(year: list[ArchiveIncident]) -> None:
    """Median about an hour; a quarter under half an hour; some take days."""
    minutes = sorted((i.resolved_at - i.started_at) / timedelta(minutes=1) for i in year if i.resolved_at)
    assert 45 < median(minutes) < 85
    assert 18 < minutes[len(minutes) // 4] < 40
    assert 100 < minutes[len(minutes) * 3 // 4] < 200
    assert minutes[-1] > 2 * 1440


def test_arrivals_follow_the_working_week(year: list[ArchiveIncident]) -> None:
    """More by day than by night, fewer at the weekend, and the asked-for mean."""
    assert 11 < len(year) / 365 < 13
    weekend = sum(i.started_at.weekday() >= 5 for i in year)
    assert share(year, weekend) < 0.12
    afternoon = sum(13 <= i.started_at.hour < 18 for i in year) / 5
    night = sum(3 <= i.started_at.hour < 8 for i in year) / 5
    assert afternoon > 2 * night


def test_severities_reopenings_edits_and_ends_are_mixed_as_described(year: list[ArchiveIncident]) -> None:
    """Everything that a reader must cope with is there, about as often as said."""
    assert 0.74 < share(year, sum(i.impact == "minor" for i in year)) < 0.82
    assert 0.13 < share(year, sum(i.impact == "major" for i in year)) < 0.19
    assert any(i.impact == "critical" for i in year)
    reopened = sum(sum(u.status == "Resolved" for u in i.updates) > 1 for i in year)
    assert 0.025 < share(year, reopened) < 0.055
    assert 0.07 < share(year, sum(any(u.impact for u in i.updates) for i in year)) < 0.13
    assert 0.11 < share(year, sum(any(u.status == "Note" for u in i.updates) for i in year)) < 0.19
    dismissed = sum(i.updates[-1].status in {"Declined", "Merged", "Cancelled"} for i in year)
    assert 0.025 < share(year, dismissed) < 0.055
    assert {i.mode for i in year} == {"standard", "retrospective", "test", "tutorial"}
    states = [state for i in year if (state := state_at(i, END)) is not None]
    assert any(s.category == "live" for s in states)
    late = END
    impossible = [
        s
        for i in year
        if (s := state_at(i, late)) is not None
        and "resolved" in s.stamps
        and s.stamps.get("detected", i.started_at) > s.stamps["resolved"]
    ]
    assert 5 < len(impossible) < len(year) * 0.03


@pytest.mark.parametrize(
    ("start", "end", "per_day"),
    [(datetime(2026, 1, 1), END, 1.0), (START, END, 0.0)],  # noqa: DTZ001 - naive on purpose
)
def test_what_can_not_be_generated_is_refused(start: datetime, end: datetime, per_day: float) -> None:
    """Local times and rates of nothing."""
    with pytest.raises(ValueError, match=r"offset|positive"):
        list(generate(1, start, end, per_day))


def test_the_command_writes_an_archive_that_loads(tmp_path: Path) -> None:
    """The command line gives the function's bytes."""
    out = tmp_path / "a.jsonl"
    command = [sys.executable, "-m", "local.sources.incident_io.generate", "--seed", "5", "--out", str(out)]
    command += ["--start", "2026-01-01", "--end", "2026-01-10T00:00:00Z", "--per-day", "6", "--component", "search"]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    expected = generate(5, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC), 6, ("search",))
    assert out.read_bytes() == b"".join(archive_lines(expected))
    assert {c for i in load_archive(out) for c in i.components} == {"search"}
