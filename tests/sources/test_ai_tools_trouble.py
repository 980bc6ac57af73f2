"""AI tools that are slow, broken, late or wrong: nobody has to help, and nobody else notices."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from local.sources.ai_tools.tools import TOOLS, Tool
from local.sources.kit.faults import FaultRule
from shared.adapters.memory import MemoryClock
from shared.errors import PaginationLoop, SourceUnavailable
from shared.state import layout
from shared.windows.window import Window
from tests.support.ai_tools import (
    PIPELINE,
    TABLE,
    ToolsWorld,
    days,
    doubles,
    held,
    read_at,
    source_of,
    told,
    tools_registry,
    window_of,
)

HISTORY = date(2026, 5, 25)
WINDOWS = tuple(window_of(day) for day in days(date(2026, 6, 1), 7))


@contextmanager
def _world(*tools: Tool, soft_deadline_seconds: float = 420, **changes: Any) -> Iterator[ToolsWorld]:
    clock = MemoryClock(read_at(WINDOWS[0]))
    history = {"history_from": f"{HISTORY}T00:00:00Z"}
    with doubles(clock) as served:
        registry = tools_registry(*tools, **history | changes)
        yield ToolsWorld(served, registry, clock, soft_deadline_seconds=soft_deadline_seconds)


def _right(world: ToolsWorld, tool: Tool, window: Window) -> dict[Any, dict[str, Any]]:
    first = world.registry.source(source_of(tool)).history_start.date()
    return told(tool, read_at(window), first, world.range_of(tool, window)[1] - timedelta(days=1))


def _contents(world: ToolsWorld, tool: Tool) -> dict[Any, Any]:
    return {
        key: {name: value for name, value in row.items() if not name.startswith("_")}
        for key, row in world.warehouse.tables[TABLE].items()
        if row["tool"] == tool and not row["_is_deleted"]
    }


def test_an_extraction_of_several_messages_is_the_same_as_one_in_a_piece() -> None:
    """Cursor lets 20 requests a minute in: a month of small pages takes more than an invocation may, and loses nothing.

    What the month could not finish is read by shorter runs of days.
    """
    contents, counts = [], []
    for seconds in (60, 100_000):
        history = {"history_from": "2026-05-01T00:00:00Z", "page_size": 40}
        with _world("cursor", soft_deadline_seconds=seconds, **history) as world:
            invocations = world.read("cursor", WINDOWS[0])
            world.load_new()
            parts = world.parts("cursor")
            counts.append((invocations, len(parts)))
            scopes = [scope for part in parts for scope in part.scopes]
            assert scopes == [day.isoformat() for day in days(date(2026, 5, 1), 31)], "cut between days only"
            assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
            assert world.doubles.rate_limited("cursor") == 0, "who paces himself is never sent away"
            assert held("cursor", world.rows("cursor")) == _right(world, "cursor", WINDOWS[0])
            contents.append(_contents(world, "cursor"))
    assert contents[0] == contents[1]
    assert counts[0][0] >= 3
    assert counts[0][1] >= 3
    assert counts[1] == (1, 1)


def test_a_tool_that_is_broken_for_three_days_reads_them_by_itself() -> None:
    """The others' windows go on, the deadline names it, and its next good window covers what is missing."""
    with _world("firebender", "g2", "amp") as world:
        for number, window in enumerate(WINDOWS):
            if number == 2:
                world.doubles.break_tool("firebender")
            if number == 5:
                world.doubles.mend()
            broken = world.read_all(window)
            assert broken == (["firebender"] if 2 <= number < 5 else [])
            world.clock.move_to(window.end + timedelta(hours=5))
            world.sweep()
        for tool in ("firebender", "g2", "amp"):
            assert held(tool, world.rows(tool)) == _right(world, tool, WINDOWS[-1])
        first, end = world.range_of("firebender", WINDOWS[5])
        repulled = world.registry.source(source_of("firebender")).repull_days
        assert first == date(2026, 6, 2) - timedelta(days=repulled), "from the unmoved watermark on"
        assert (end - first).days == 4 + repulled
        states = [
            world.value(layout.closed(PIPELINE, window.id))["sources"][source_of("firebender")]["status"]
            for window in WINDOWS
        ]
        # the sweep asked for the last of the broken days again, and that came through as soon as the tool answered
        assert states == ["complete"] * 2 + ["superseded"] * 2 + ["complete"] * 3
        others = [world.value(layout.closed(PIPELINE, w.id))["sources"][source_of("g2")]["status"] for w in WINDOWS]
        assert set(others) == {"complete"}


def test_a_report_that_is_not_there_yet_comes_with_a_later_window() -> None:
    """Copilot's late days take longer than this lag says: that tool waits, and the others do not."""
    with _world("copilot", "g2", availability_lag_hours=30) as world:
        broken = {window.id: world.read_all(window) for window in WINDOWS}
        assert {tool for tools in broken.values() for tool in tools} == {"copilot"}
        assert broken[WINDOWS[-1].id] == []
        for tool in ("copilot", "g2"):
            assert held(tool, world.rows(tool)) == _right(world, tool, WINDOWS[-1])


@pytest.mark.parametrize("tool", TOOLS)
def test_a_window_can_be_replayed_ten_days_later(tool: Tool) -> None:
    """As a new revision over the same days: what the tool tells of them now, and no other day is touched."""
    with _world(tool) as world:
        world.read(tool, WINDOWS[0])
        world.read(tool, WINDOWS[1])
        world.load_new()
        first, end = world.range_of(tool, WINDOWS[1])
        watermark = world.value(layout.watermark(source_of(tool)))
        later = read_at(WINDOWS[1]) + timedelta(days=10)
        world.read(tool, WINDOWS[1], at=later, revision="1")
        world.load_new()
        last = end - timedelta(days=1)
        now = held(tool, [row for row in world.rows(tool) if first <= row["usage_date"] <= last])
        assert now == told(tool, later, first, last)
        assert {s for p in world.parts(tool)[2:] for s in p.scopes} == {
            d.isoformat() for d in days(first, (end - first).days)
        }
        assert world.value(layout.watermark(source_of(tool))) == watermark, "replays move nothing"


WRONG: dict[Tool, tuple[str, dict[str, Any]]] = {
    "g2": ("/user/daily/activity", {"breakdown": 5}),
    "goose": ("/v1/session-snapshots", {"user_name": 5}),
    "claude_code": ("/v1/organizations/usage_report/claude_code", {"actor": "nobody"}),
    "cursor": ("/teams/filtered-usage-events", {"timestamp": {"$raw": "NaN"}}),
    "firebender": ("/v2/organization/model-requests", {"email": {"$absent": True}}),
    "amp": ("/api/v2/workspace/analytics/daily-usage", {"users.0.models": 7}),
    "chatgpt": ("/v1/analytics/codex/workspaces/ws-example/usage", {"start_time": "soon"}),
    "copilot": ("/signed-reports/*", {"user_login": None}),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_broken_record_is_kept_and_takes_nothing_away(tool: Tool) -> None:
    """No row is deleted for its sake, the other records of its day are read, and a replay makes the day whole."""
    path, record = WRONG[tool]
    with _world(tool) as world:
        world.read_all(WINDOWS[0])
        before = held(tool, world.rows(tool))
        world.doubles.faults.arm(
            [FaultRule(action="corrupt_record", family=tool, path=path, record=record, always=True)]
        )
        assert world.read_all(WINDOWS[1]) == []
        part = world.parts(tool)[-1]
        assert part.rejected > 0
        assert len(world.quarantined()) == part.rejected
        first, end = world.range_of(tool, WINDOWS[1])
        assert set(part.scopes) < {day.isoformat() for day in days(first, (end - first).days)}
        assert set(held(tool, world.rows(tool))) >= set(before)
        assert world.rows(tool, live=False) == []
        world.doubles.mend()
        world.read(tool, WINDOWS[1], at=read_at(WINDOWS[2]), revision="1")
        world.read_all(WINDOWS[2])
        assert held(tool, world.rows(tool)) == _right(world, tool, WINDOWS[2])


PAGED: tuple[Tool, ...] = ("g2", "goose", "claude_code", "cursor", "firebender", "chatgpt")


@pytest.mark.parametrize("tool", PAGED)
def test_paging_that_leads_nowhere_is_an_error_and_no_endless_run(tool: Tool) -> None:
    """A cursor handed out twice, a page number that repeats its page, empty pages for ever."""
    with _world(tool) as world:
        for action in ("loop_cursor", "empty_page_with_cursor"):
            world.doubles.faults.arm([FaultRule(action=action, family=tool, always=True)])
            with pytest.raises(PaginationLoop):
                world.read(tool, WINDOWS[0])
            assert len(world.sent.requests) < 40
            assert world.parts(tool) == []


@pytest.mark.parametrize("tool", PAGED)
def test_an_empty_page_in_between_loses_nothing(tool: Tool) -> None:
    """It names a next page, and that one is read."""
    with _world(tool) as world:
        world.doubles.faults.arm([FaultRule(action="empty_page_with_cursor", family=tool, skip=1, times=3)])
        world.read_all(WINDOWS[0])
        assert held(tool, world.rows(tool)) == _right(world, tool, WINDOWS[0])


ANSWERS: dict[str, Callable[[Tool], FaultRule]] = {
    "a proxy's page": lambda tool: FaultRule(action="html", family=tool, times=2),
    "a cut body": lambda tool: FaultRule(action="cut_body", family=tool, skip=1),
    "throttled": lambda tool: FaultRule(action="status", family=tool, status=429, retry_after="30", times=3),
    "overloaded": lambda tool: FaultRule(action="status", family=tool, status=503, skip=2, times=3),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_goes_away_by_itself_is_waited_for(answer: str) -> None:
    """By every tool in the same way."""
    with _world() as world:
        world.doubles.faults.arm([ANSWERS[answer](tool) for tool in TOOLS])
        assert world.read_all(WINDOWS[0]) == []
        for tool in TOOLS:
            assert held(tool, world.rows(tool)) == _right(world, tool, WINDOWS[0])


def test_a_day_that_takes_longer_than_an_invocation_is_said_and_not_begun_for_ever() -> None:
    """To go on by message would begin at the same page each time."""
    with _world("claude_code", soft_deadline_seconds=0, page_size=1) as world:
        with pytest.raises(SourceUnavailable, match="too short for what begins at '2026-05-25'"):
            world.read("claude_code", WINDOWS[0])
        assert [(part.rows, part.last) for part in world.parts("claude_code")] == [(0, False)]
        assert world.continuations() == []
