"""What a correct reader gets over HTTP is what was really used: figures, lags, late days and second statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import httpx
import pytest

from local.sources.ai_tools.expected import expected_daily
from local.sources.ai_tools.mounted import ai_tool_families
from local.sources.ai_tools.tools import TOOLS, Tool
from local.sources.ai_tools.world import World, days_between
from local.sources.kit.clock import ShownClock
from local.sources.kit.family import Surroundings
from local.sources.kit.serve import running
from local.sources.kit.server import DoublesServer, fault_board
from tests.local.ai_tools_readers import KEYS, Use, as_read, has_something, read_day

SEED = 7
WORLD = World(SEED)
FIRST, LAST = date(2026, 5, 25), date(2026, 6, 7)
"""Two weeks with weekends, late and restated days, and a renamed field in the middle."""
SETTLED = datetime(2026, 6, 20, tzinfo=UTC)
READ_AGAIN: dict[Tool, int] = {
    "g2": 2,
    "goose": 2,
    "claude_code": 2,
    "cursor": 2,
    "firebender": 2,
    "amp": 3,
    "chatgpt": 5,
    "copilot": 3,
}
"""How many of the days before it a daily reading at 14:30 UTC covers (docs/sources)."""


@contextmanager
def tools(now: datetime) -> Iterator[tuple[httpx.Client, ShownClock]]:
    families = ai_tool_families()
    clock = ShownClock(now)
    server = DoublesServer.open(families, Surroundings(clock, fault_board(families), KEYS, SEED, rate_limited=False))
    with running(server) as url, httpx.Client(base_url=url) as client:
        yield client, clock


@pytest.fixture(scope="module")
def settled() -> Iterator[httpx.Client]:
    with tools(SETTLED) as (client, _):
        yield client


def expected(tool: Tool, day: date, now: datetime) -> list[Use]:
    uses = [as_read(use) for use in expected_daily(WORLD, tool, now, day, day)]
    return [use for use in uses if has_something(use)]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_settled_day_is_read_exactly(settled: httpx.Client, tool: Tool) -> None:
    """Tokens by class, requests, lines, money and credits, actor by actor, without a cent's difference."""
    rows = 0
    for day in days_between(FIRST, LAST):
        wanted = expected(tool, day, SETTLED)
        assert read_day(settled, tool, day) == wanted
        rows += len(wanted)
    assert rows > 30, "a world in which nothing happens proves nothing"


@pytest.mark.parametrize("tool", TOOLS)
def test_the_day_in_progress_is_told_as_far_as_the_tool_knows_it(tool: Tool) -> None:
    """At noon, and hour by hour after the day's end: partial where the tool is, absent where it is."""
    day = date(2026, 6, 3)
    noon = datetime.combine(day, time(12), UTC)
    sizes = []
    with tools(noon) as (client, clock):
        for hours in (0, 6, 12, 13, 14, 18, 26, 30, 40, 60, 90, 120):
            clock.now = noon + timedelta(hours=hours)
            told = read_day(client, tool, day) or []
            assert told == expected(tool, day, clock.now)
            sizes.append(sum(use.output or 0 for use in told))
    assert sizes[-1] > 0
    assert sizes[0] < sizes[-1], "not everything is told before it has happened"
    if tool in {"chatgpt", "copilot"}:
        assert sizes[:3] == [0, 0, 0], "absent until the day is over"


@pytest.mark.parametrize("tool", TOOLS)
def test_a_daily_reader_that_reads_enough_days_again_ends_up_right(tool: Tool) -> None:
    """At 14:30, each day read replaced whole: in the end nothing is missing, doubled or of the first version."""
    kept, seen = simulated(tool, READ_AGAIN[tool])
    for day in days_between(FIRST, LAST):
        assert kept.get(day, []) == expected(tool, day, seen)


@pytest.mark.parametrize("tool", ["goose", "cursor", "firebender", "amp", "copilot"])
def test_one_day_fewer_is_not_enough(tool: Tool) -> None:
    """So that a reader that stops too early is noticed."""
    kept, seen = simulated(tool, READ_AGAIN[tool] - 1)
    assert any(kept.get(day, []) != expected(tool, day, seen) for day in days_between(FIRST, LAST))


def simulated(tool: Tool, days_back: int) -> tuple[dict[date, list[Use]], datetime]:
    """What a daily reader has in the end, and when it read last."""
    kept: dict[date, list[Use]] = {}
    with tools(SETTLED) as (client, clock):
        for today in days_between(FIRST + timedelta(days=1), LAST + timedelta(days=days_back)):
            clock.now = datetime.combine(today, time(14, 30), UTC)
            for day in days_between(today - timedelta(days=days_back), today - timedelta(days=1)):
                if FIRST <= day <= LAST and (told := read_day(client, tool, day)) is not None:
                    kept[day] = told
        return kept, datetime.combine(LAST + timedelta(days=30), time(), UTC)
