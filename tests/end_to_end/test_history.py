"""A history read in many parts, past faults, to figures that an independent calculation confirms to the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import isclose
from typing import Any, TypeVar

import pytest

from shared.instants import from_text, to_text
from shared.landing import PartMetadata
from shared.state import layout
from shared.windows.window import Window
from tests.end_to_end import figures, marts
from tests.end_to_end.archives import HISTORY_FROM, PAGE_SIZE, REAL_ARCHIVE, history_archive, last_change
from tests.end_to_end.running import HOUR, SOURCES, Event, Running, lines, part, running, window

AT = datetime(2026, 2, 11, 9, tzinfo=UTC)
BEFORE = window(HISTORY_FROM - 2 * HOUR, HISTORY_FROM - HOUR)
HISTORY = window(AT - HOUR, AT)
NEXT = window(AT, AT + HOUR)

T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """A stack whose history is in the marts; `divided` are the archive's incidents by workspace."""

    stack: Running
    divided: dict[str, list[figures.Archived]]
    at: datetime


@dataclass(frozen=True)
class Parts(Told):
    """What else was seen on the way when every page became a part of its own."""

    reports_before: list[Event]
    rows_after_history: dict[str, int]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """A window before the first incident, the history with faults, and the next hour.

    The soft deadline has passed when an extraction begins, so every page ends a part and the rest follows by message.
    """
    archive = history_archive("companyc", AT)
    environment = {"OPP_SOFT_DEADLINE_SECONDS": "0.001"}
    with running(tmp_path_factory.mktemp("parts"), lines(archive), BEFORE.end, environment=environment) as stack:
        stack.run_window(BEFORE)
        reports_before = stack.rest()
        early = HISTORY_FROM + HOUR
        stack.source_faults(
            {"action": "status", "status": 429, "retry_after": "2", "workspace": "companya", "path": "/v2/incidents"},
            {"action": "insert_rows", "workspace": "companyb", "rows": 2, "created_at": to_text(early)},
            {"action": "insert_rows", "workspace": "companyb", "rows": 3},
        )  # fmt: skip
        with stack.builds_held():
            stack.run_window(HISTORY)
        in_raw = stack.query("select workspace, count(*) from raw.public.fact_incidents group by 1")
        until = datetime.now(UTC) + timedelta(seconds=4)
        date = format_datetime(until, usegmt=True)
        stack.source_faults(
            {"action": "status", "status": 429, "retry_after": date, "workspace": "companyc", "path": "/v2/incidents"}
        )
        stack.run_window(NEXT)
        stack.rest()
        divided = figures.by_workspace(archive)
        written = to_text(AT)
        divided["companyb"] += [_inserted(to_text(early), written)] * 2 + [_inserted(written, written)] * 3
        yield Parts(stack, divided, NEXT.end, reports_before, dict(in_raw))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A public service's history, read at once."""
    if not REAL_ARCHIVE.exists():
        pytest.skip(f"{REAL_ARCHIVE.name} is not beside the repository")
    data = REAL_ARCHIVE.read_bytes()
    archive = figures.read(data)
    end = last_change(archive).replace(minute=0, second=0, microsecond=0) + HOUR
    with running(tmp_path_factory.mktemp("real"), data, end) as stack:
        stack.run_window(window(end - HOUR, end))
        stack.rest()
        yield Told(stack, figures.by_workspace(archive), end)


@pytest.fixture(params=["parts", "real"])
def told(request: pytest.FixtureRequest) -> Told:
    """Either history."""
    found: Told = request.getfixturevalue(request.param)
    return found


def test_every_incident_of_the_marts_agrees_with_the_archive_to_the_second(told: Told) -> None:
    """Severity, category, instants, times and data quality flags, each incident once."""
    expected = figures.expected_incidents(told.divided, told.at)

    assert _difference(marts.incidents(told.stack), expected) == ([], [])


def test_all_incidents_of_the_public_service_arrive(real: Told) -> None:
    """None of the 399 is lost on the way."""
    assert len(marts.incidents(real.stack)) == sum(map(len, real.divided.values())) == 399


def test_the_services_of_every_incident_are_in_the_bridge(told: Told) -> None:
    """Every affected service of every incident, once."""
    expected = figures.expected_services(told.divided, told.at)

    assert _difference(marts.services(told.stack), expected) == ([], [])
    assert expected


def test_median_and_p90_by_workspace_severity_and_month(told: Told) -> None:
    """The figures that a dashboard shows are those of the archive."""
    expected = figures.expected_figures(figures.expected_incidents(told.divided, told.at))
    actual = marts.figures(told.stack)

    assert actual.keys() == expected.keys()
    for group, figure in expected.items():
        assert actual[group].incidents == figure.incidents, group
        for name in ("detect", "respond", "resolve"):
            pairs = zip(getattr(actual[group], name), getattr(figure, name), strict=True)
            assert all(a == b or (a and b and isclose(a, b)) for a, b in pairs), (group, name)


def test_the_history_has_what_makes_figures_hard(parts: Parts) -> None:
    """Impossible orders of instants, every severity, open incidents and one in triage are all among the generated."""
    rows = figures.expected_incidents(parts.divided, parts.at)
    flags = {flag for row in rows for flag in row.dq_flags}

    assert {"detected_before_created", "resolved_before_detected", "responded_before_detected"} <= flags
    assert {row.temperature for row in rows} == {"critical", "high", "medium", "low", None}
    assert {"live", "closed", "learning", "declined"} <= {row.status_category for row in rows}


def test_a_window_without_rows_is_built_without_dbt(parts: Parts) -> None:
    """Nothing had happened yet: the window is complete and remembered as built, and no dbt run was needed."""
    assert parts.reports_before == []
    shown = parts.stack.window_status(BEFORE)
    assert (shown["status"], shown["built"]) == ("complete", True)
    assert {source["rows"] for source in shown["sources"].values()} == {0}
    built = parts.stack.built(BEFORE)
    assert built is not None
    assert built["built"] == "no rows"
    assert parts.stack.status()["sources"][SOURCES["companya"]]["covered_to"] is not None


def test_a_history_in_parts_joins_to_the_whole(parts: Parts) -> None:
    """A part a page, each continued by message from the part before; together they hold what the pages held."""
    for workspace, source in SOURCES.items():
        found = _parts(parts.stack, HISTORY, source)
        assert len(found) >= 2
        assert [metadata.last for metadata in found] == [False] * (len(found) - 1) + [True]
        incidents = figures.extracted(parts.divided[workspace], AT)
        behind_the_cursor = 2 if workspace == "companyb" else 0
        assert sum(metadata.rows for metadata in found) == len(incidents) - behind_the_cursor
        assert parts.rows_after_history[workspace] == len(incidents) - behind_the_cursor
        ledger = [parts.stack.ledger_rows(part(source, HISTORY, number=number)) for number in range(len(found))]
        assert ledger == [1 if metadata.rows else 0 for metadata in found]


def test_an_empty_last_part_completes_the_window(parts: Parts) -> None:
    """The last page was full, so the one after it is empty: a part without rows that the warehouse never sees."""
    source = SOURCES["companyc"]
    found = _parts(parts.stack, HISTORY, source)
    number = len(found) - 1

    assert sum(metadata.rows for metadata in found) % PAGE_SIZE == 0
    assert (found[-1].rows, found[-1].last) == (0, True)
    assert parts.stack.ledger_rows(part(source, HISTORY, number=number)) == 0
    assert parts.stack.documents.exists(layout.marker(source, HISTORY.id, 0, number))
    assert parts.stack.window_status(HISTORY)["status"] == "complete"


def test_rows_that_appear_behind_the_cursor_are_read_by_the_next_window(parts: Parts) -> None:
    """Two incidents were written with an old date while the pages were read: the next window finds them by update."""
    early = HISTORY_FROM + HOUR
    rows = parts.stack.query(
        "select _window_id from raw.public.fact_incidents where workspace = 'companyb' "
        f"and created_at = '{to_text(early)}'"
    )

    assert [row[0] for row in rows] == [NEXT.id] * 2


@pytest.mark.parametrize(("workspace", "read"), [("companya", HISTORY), ("companyc", NEXT)])
def test_a_rate_limit_that_outlasts_the_time_left_is_obeyed_by_a_later_message(
    parts: Parts, workspace: str, read: Window
) -> None:
    """`Retry-After` in seconds or as a date: the part is closed, and nothing is read before that instant."""
    source = SOURCES[workspace]
    waited = [(n, m.not_before) for n, m in enumerate(_parts(parts.stack, read, source)) if m.not_before is not None]
    assert len(waited) == 1
    [(number, not_before)] = waited
    assert not_before is not None

    started = parts.stack.events("extract", "extract.started", source=source, window=read.id, part=number + 1)

    assert started
    assert all(from_text(event["time"]) >= not_before for event in started)
    deferred = parts.stack.events("extract", "run.deferred", error="NotYet")
    assert any(source in event["message"] for event in deferred)


def _parts(stack: Running, read: Window, source: str) -> list[PartMetadata]:
    folder = part(source, read).folder
    return [PartMetadata.from_mapping(stored.name, stored.metadata) for stored in stack.landing.list(f"{folder}/")]


def _inserted(created: str, written: str) -> dict[str, Any]:
    """What the double's fault `insert_rows` writes."""
    updates = [{"at": created, "status": "Investigating"}]
    updates += [{"at": written, "status": "Identified"}] if written > created else []
    return {"id": f"inserted {created}", "impact": "minor", "started_at": created, "updates": updates}


def _difference(actual: Sequence[T], expected: Sequence[T]) -> tuple[list[T], list[T]]:
    """What is there and should not be, and what is lacking; a few of each, so that a failure can be read."""
    there, wanted = Counter(actual), Counter(expected)
    return list((there - wanted).elements())[:3], list((wanted - there).elements())[:3]
