"""The state of an incident at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.sources.incident_io.archive import STAMPS, ArchiveIncident, Impact, Stamp, Status, Update
from local.sources.incident_io.objects import WorkspaceIncident, incident_object
from local.sources.incident_io.timeline import IncidentState, change_instants, state_at
from local.sources.incident_io.workspaces import load_workspaces

T0 = datetime(2026, 2, 1, 10, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def incident(
    *updates: tuple[float, Status], impact: Impact = "minor", resolved_at: datetime | None = None
) -> ArchiveIncident:
    made = tuple(Update(at=at(minutes), status=status) for minutes, status in updates)
    return ArchiveIncident(id="x", impact=impact, started_at=T0, updates=made, resolved_at=resolved_at)


def seen(archived: ArchiveIncident, minutes: float) -> IncidentState:
    state = state_at(archived, at(minutes))
    assert state is not None
    return state


ORDINARY = incident(
    (0, "Investigating"), (5, "Update"), (9, "Identified"), (20, "Monitoring"), (30, "Resolved"), resolved_at=at(30)
)


def test_nothing_is_seen_before_it_starts() -> None:
    """Visible from `started_at`, to the microsecond."""
    assert state_at(ORDINARY, T0 - timedelta(microseconds=1)) is None
    assert state_at(ORDINARY, T0) is not None


def test_stamps_appear_as_they_happen() -> None:
    """Each stamp comes with the update that sets it."""
    assert set(seen(ORDINARY, 0).stamps) == {"reported", "impact_started", "detected"}
    assert seen(ORDINARY, 5).stamps["accepted"] == at(5)
    assert seen(ORDINARY, 5).stamps["identified"] == at(5), "an Update stands in until something is Identified"
    assert seen(ORDINARY, 9).stamps["identified"] == at(9)
    assert seen(ORDINARY, 20).stamps["fixed"] == at(20)
    assert "resolved" not in seen(ORDINARY, 29).stamps
    assert seen(ORDINARY, 30).stamps["resolved"] == at(30)


@pytest.mark.parametrize(
    ("status", "category"),
    [
        ("Scheduled", "triage"),
        ("Investigating", "live"),
        ("Identified", "live"),
        ("Monitoring", "live"),
        ("In progress", "live"),
        ("Resolved", "closed"),
        ("Completed", "closed"),
        ("Postmortem", "learning"),
        ("Declined", "declined"),
        ("Merged", "merged"),
        ("Cancelled", "canceled"),
    ],
)
def test_category_of_each_status(status: Status, category: str) -> None:
    """The vendor's categories, a Note changing nothing."""
    archived = incident((0, "Investigating"), (1, status), (2, "Note"))
    assert seen(archived, 1).category == category
    assert seen(archived, 2).category == category
    assert seen(archived, 2).updated_at == at(2)


def test_an_update_keeps_a_live_phase_and_reopens_an_ended_incident() -> None:
    """Update on Monitoring is still Monitoring; on Resolved it means work again."""
    archived = incident((0, "Investigating"), (1, "Monitoring"), (2, "Update"), (3, "Resolved"), (4, "Update"))
    assert seen(archived, 2).status == "Monitoring"
    assert (seen(archived, 4).status, seen(archived, 4).category) == ("Investigating", "live")


def test_reopening_takes_the_resolved_stamp_away_until_it_resolves_again() -> None:
    """And the archive's `resolved_at` belongs to the last end, not to the first."""
    archived = incident(
        (0, "Investigating"), (10, "Resolved"), (15, "Investigating"), (40, "Resolved"), resolved_at=at(41)
    )
    assert seen(archived, 12).stamps["resolved"] == at(10)
    assert "resolved" not in seen(archived, 15).stamps
    assert seen(archived, 40).stamps["resolved"] == at(40)
    assert seen(archived, 41).stamps["resolved"] == at(41)
    assert seen(archived, 41).updated_at == at(41)


def test_severity_changes_from_the_update_on_and_is_absent_in_triage() -> None:
    """The record's impact opens; updates change it."""
    archived = ArchiveIncident(
        id="x",
        impact="minor",
        started_at=T0,
        updates=(
            Update(at=at(0), status="Scheduled"),
            Update(at=at(5), status="Investigating"),
            Update(at=at(9), status="Update", impact="critical"),
            Update(at=at(12), status="Resolved"),
        ),
    )
    assert [seen(archived, m).impact for m in (0, 5, 9, 12)] == [None, "minor", "critical", "critical"]


def test_fixed_falls_back_to_the_end_of_downtime_once_ended() -> None:
    """Only once it is over can a history without Monitoring say when it was fixed."""
    archived = msgspec.structs.replace(incident((0, "Investigating"), (30, "Resolved")), downtime_end=at(22))
    assert "fixed" not in seen(archived, 25).stamps
    assert seen(archived, 30).stamps["fixed"] == at(22)


def test_late_corrections_override_and_move_updated_at() -> None:
    """Corrections hold from their own instant, even those that make an impossible order."""
    correction: dict[Stamp, datetime] = {"detected": at(90), "resolved": at(25)}
    late = Update(at=at(10_000), status="Note", timestamps=correction)
    archived = msgspec.structs.replace(ORDINARY, updates=(*ORDINARY.updates, late))
    assert seen(archived, 9_999).stamps["resolved"] == at(30)
    assert seen(archived, 9_999).updated_at == at(30)
    corrected = seen(archived, 10_000)
    assert (corrected.stamps["detected"], corrected.stamps["resolved"]) == (at(90), at(25))
    assert corrected.updated_at == at(10_000)
    assert corrected.category == "closed"


def test_duration_metrics_tell_what_the_stamps_allow() -> None:
    """Missing while a stamp is missing, seconds once both are there, invalid in an impossible order."""
    workspace = load_workspaces()[2]
    correction: dict[Stamp, datetime] = {"detected": at(90)}
    late = Update(at=at(10_000), status="Note", timestamps=correction)
    known = WorkspaceIncident.enrol(
        workspace, msgspec.structs.replace(ORDINARY, updates=(*ORDINARY.updates, late)), number=1
    )

    def metrics(minutes: float) -> dict[str, tuple[str, int | None]]:
        shown = incident_object(known, seen(known.archived, minutes))["duration_metrics"]
        return {m["duration_metric"]["name"]: (m["status"], m.get("value_seconds")) for m in shown}

    assert metrics(10)["Time to resolve"] == ("timestamps_missing", None)
    assert metrics(30)["Time to resolve"] == ("success", 1800)
    assert metrics(30)["Time to respond"] == ("success", 300)
    assert metrics(10_000)["Time to respond"] == ("invalid_timestamps", None)
    assert metrics(10_000)["Time to detect"] == ("success", 5400)


def test_a_correction_of_an_earlier_end_does_not_outlive_it() -> None:
    """Re-opened and ended again: the resolved stamp is the new end's."""
    first_end = Update(at=at(11), status="Note", timestamps={"resolved": at(8)})
    archived = msgspec.structs.replace(
        incident((0, "Investigating"), (10, "Resolved")),
        updates=(
            Update(at=at(0), status="Investigating"),
            Update(at=at(10), status="Resolved"),
            first_end,
            Update(at=at(20), status="Investigating"),
            Update(at=at(30), status="Resolved"),
        ),
    )
    assert seen(archived, 11).stamps["resolved"] == at(8)
    assert seen(archived, 30).stamps["resolved"] == at(30)


_STATUSES: tuple[Status, ...] = (
    "Investigating", "Identified", "Update", "Monitoring", "Scheduled", "Resolved", "Postmortem", "Declined", "Note"
)  # fmt: skip
_CHANGES: tuple[Impact | None, ...] = (None, "minor", "major")
_OPENINGS: tuple[Impact, ...] = ("minor", "maintenance")
_minutes = st.integers(-30, 300)
_updates = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(_STATUSES),
        st.sampled_from(_CHANGES),
        st.dictionaries(st.sampled_from(STAMPS), _minutes.map(at), max_size=2),
    ),
    min_size=1,
    max_size=7,
)


@st.composite
def histories(draw: st.DrawFn) -> ArchiveIncident:
    rows = sorted(draw(_updates), key=lambda row: row[0])
    maybe = st.one_of(st.none(), _minutes.map(at))
    return ArchiveIncident(
        id="h",
        impact=draw(st.sampled_from(_OPENINGS)),
        started_at=T0,
        updates=tuple(Update(at=at(m), status=s, impact=i, timestamps=t) for m, s, i, t in rows),
        components=("checkout",),
        resolved_at=draw(maybe),
        downtime_start=draw(maybe),
        downtime_end=draw(maybe),
        updated_at=draw(maybe),
    )


@settings(max_examples=150, deadline=None)
@given(histories())
def test_what_can_be_seen_changes_only_at_change_instants_and_always_moves_updated_at(
    archived: ArchiveIncident,
) -> None:
    """A reader who follows `updated_at` misses nothing, and a rendering may be kept between change instants."""
    workspace = load_workspaces()[1]
    known = WorkspaceIncident.enrol(workspace, archived, 1)
    changes = change_instants(archived)
    states: list[IncidentState] = []
    for instant, following in pairwise((*changes, changes[-1] + timedelta(days=900))):
        state = state_at(archived, instant)
        assert state is not None
        assert state == state_at(archived, following - timedelta(microseconds=1))
        assert all(value <= instant for value in state.stamps.values())
        assert state.updated_at <= instant
        states.append(state)
    for before, after in pairwise(states):
        assert after.updated_at >= before.updated_at
        if incident_object(known, before) != incident_object(known, after):
            assert after.updated_at > before.updated_at
