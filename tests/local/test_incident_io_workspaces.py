"""The invented workspaces and how an archive is shared out among them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import get_args

import pytest

from local.sources.incident_io.archive import ArchiveIncident, Impact, Status, Update
from local.sources.incident_io.generator import generate
from local.sources.incident_io.ids import ulid
from local.sources.incident_io.timeline import category_of
from local.sources.incident_io.workspaces import (
    Workspace,
    component_homes,
    load_workspaces,
    split_by_workspace,
)

T0 = datetime(2026, 2, 1, tzinfo=UTC)
NAMES = ("companya", "companyb", "companyc")


def incident(incident_id: str, *components: str) -> ArchiveIncident:
    opening = (Update(at=T0, status="Investigating"),)
    return ArchiveIncident(id=incident_id, impact="minor", started_at=T0, updates=opening, components=components)


def test_components_go_to_the_lightest_workspace_most_frequent_first() -> None:
    """5 to a, 4 to b, 3 to c, then 2 to c (3 < 4 < 5) and 1 to b."""
    counts = {"five": 5, "four": 4, "three": 3, "two": 2, "one": 1}
    incidents = [incident(f"{name}{n}", name) for name, count in counts.items() for n in range(count)]
    homes = component_homes(incidents, NAMES)
    assert homes == {"five": "companya", "four": "companyb", "three": "companyc", "two": "companyc", "one": "companyb"}


def test_equally_frequent_components_are_taken_by_name() -> None:
    """No order of the archive's lines changes the homes."""
    incidents = [incident("1", "b"), incident("2", "a"), incident("3", "c")]
    assert component_homes(incidents, NAMES) == {"a": "companya", "b": "companyb", "c": "companyc"}
    assert component_homes(incidents[::-1], NAMES) == component_homes(incidents, NAMES)


def test_every_incident_is_in_exactly_one_workspace() -> None:
    """The split loses and doubles nothing, comes out the same every time, and is about even."""
    incidents = list(generate(11, T0, datetime(2026, 6, 1, tzinfo=UTC), per_day=10))
    parts = split_by_workspace(incidents, NAMES)
    assert Counter(i.id for part in parts.values() for i in part) == Counter(i.id for i in incidents)
    assert parts == split_by_workspace(incidents, NAMES)
    assert min(map(len, parts.values())) > len(incidents) / 6
    homes = component_homes(incidents, NAMES)
    assert all(homes[i.components[0]] == name for name, part in parts.items() for i in part if i.components)
    assert all(any(not i.components for i in part) for part in parts.values())


@pytest.mark.parametrize("workspace", load_workspaces(), ids=lambda w: w.name)
def test_a_workspace_has_a_name_for_everything_an_archive_can_say(workspace: Workspace) -> None:
    """Every impact has a severity and every status that holds has one of its category."""
    impacts: tuple[Impact, ...] = ("critical", "major", "minor", "none", "maintenance")
    ranks = [workspace.severity_for(impact).rank for impact in impacts]
    assert ranks == [4, 3, 2, 1, 1]
    assert len(get_args(Impact)) == len(ranks)
    for status in set(get_args(Status)) - {"Update", "Note"}:
        assert workspace.status_for(status).category == category_of(status)


def test_workspaces_differ_in_names_stamps_and_ids() -> None:
    """A mapping by name, or by another workspace's ids, must fail to work."""
    a, b, c = load_workspaces()
    names = {w.name: [t.name for t in w.timestamps] for w in (a, b, c)}
    assert names == {
        "companya": ["Reported at", "Impact started", "Accepted at", "Fixed at", "Resolved at"],
        "companyb": ["Reported at", "Impact started at", "Identified at", "Accepted at", "Fixed at", "Resolved at"],
        "companyc": ["Reported at", "Impact started at", "Detected at", "Accepted at", "Resolved at"],
    }
    ids = [
        thing.id
        for w in (a, b, c)
        for things in (w.timestamps, w.severities, w.statuses, w.roles, w.incident_types, w.duration_metrics, w.teams)
        for thing in things
    ]
    ids += [w.custom_fields.affected_services.id for w in (a, b, c)]
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {26}


def test_ids_sort_by_creation_and_stay_the_same() -> None:
    """26 characters, time first; a fixed value, since archives replayed elsewhere must give the same ids."""
    later = datetime(2026, 2, 1, 0, 0, 0, 1000, tzinfo=UTC)
    assert ulid(T0, "companya", "1") < ulid(later, "companya", "1")
    assert ulid(T0, "companya", "1") != ulid(T0, "companyb", "1")
    milliseconds = 0
    for digit in ulid(datetime(2021, 8, 17, 13, 28, 57, 801_000, tzinfo=UTC), "x")[:10]:
        milliseconds = milliseconds * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(digit)
    assert milliseconds == 1_629_206_937_801
    assert ulid(T0, "companya", "1") == "01KGB7ZK005KQD7EBPQNFYM0SP"
