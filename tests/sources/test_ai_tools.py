"""Three weeks of daily windows over the doubles of all AI tools: what the warehouse holds is what was really used."""

import random
from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest

from local.sources.ai_tools import availability
from local.sources.ai_tools.tools import TOOLS, Tool
from shared.adapters.memory_warehouse import MemoryWarehouse
from shared.instants import from_text
from tests.sources.conftest import Story
from tests.support.ai_tools import (
    SEED,
    TABLE,
    held,
    newest_day_asked_for,
    read_at,
    remembered,
    source_of,
    told,
    window_of,
)

each_tool = pytest.mark.parametrize("tool", TOOLS)


def _last_day(story: Story, tool: Tool) -> date:
    return story.world.range_of(tool, story.windows[-1])[1] - timedelta(days=1)


@each_tool
def test_the_live_rows_are_what_the_tool_tells_by_now(story: Story, tool: Tool) -> None:
    """Days that came late, were re-stated or are empty included: nothing twice, nothing missing, not a cent off."""
    right = told(tool, read_at(story.windows[-1]), date(2026, 5, 9), _last_day(story, tool))
    assert held(tool, story.world.rows(tool)) == right
    assert len(right) > 100, "a world in which nothing happens proves nothing"
    assert len({key[0] for key in right}) > 20


@each_tool
def test_nothing_is_rejected_while_the_tool_keeps_to_its_contract(story: Story, tool: Tool) -> None:
    """Also when a field gets its newer name in the middle."""
    assert [part.rejected for part in story.world.parts(tool) if part.rejected] == []
    assert all(row["dq_valid"] for row in story.world.rows(tool))


@each_tool
def test_rows_that_the_tool_no_longer_has_are_deleted(story: Story, tool: Tool) -> None:
    """A renamed model's old rows stay to be seen, and count no more."""
    known = remembered(story.world, tool, story.windows)
    gone = {key for key, row in known.items() if not row.live}
    assert set(held(tool, story.world.rows(tool, live=False))) == gone
    if tool == "firebender":
        assert {key[2] for key in gone} == {"firebender-auto"}
        assert len(gone) > 5


@each_tool
def test_exactly_the_restated_rows_say_so(story: Story, tool: Tool) -> None:
    """Neither a re-read day whose figures are the same, nor what else the tool may have changed in its answer."""
    known = remembered(story.world, tool, story.windows)
    rows = [*story.world.rows(tool), *story.world.rows(tool, live=False)]
    marked = {key for key in held(tool, [row for row in rows if row["_restated_at"] is not None]) if key in known}
    assert marked == {key for key, row in known.items() if row.restated}
    if tool in {"cursor", "firebender", "amp"}:
        assert len(marked) > 10


@each_tool
def test_the_first_window_tells_how_late_a_row_came(story: Story, tool: Tool) -> None:
    """It stays what it was when the row is read again."""
    known = remembered(story.world, tool, story.windows)
    rows = [*story.world.rows(tool), *story.world.rows(tool, live=False)]
    first = {(r["usage_date"], r["actor"], r["model"]): r["_first_window_id"] for r in rows}
    assert {key: first[key] for key in known} == {key: row.first_window for key, row in known.items()}


@each_tool
def test_no_day_is_read_before_it_is_complete(story: Story, tool: Tool) -> None:
    """By each tool's own lag, counted from the day's end; the tool was asked for nothing younger."""
    world = story.world
    lag = timedelta(hours=world.registry.source(source_of(tool)).availability_lag_hours)
    for part in world.parts(tool):
        newest = max(date.fromisoformat(scope) for scope in part.scopes)
        assert availability.day_end(newest) + lag <= part.window.end
    for request, at in zip(world.sent.requests, world.sent.shown_at, strict=True):
        if f"/{tool}/" not in request.url or request.url.endswith("/oauth2/token"):
            continue
        day = newest_day_asked_for(tool, request)
        assert day is None or availability.day_end(day) + lag <= at
    # amp can only be asked for its last days, today included: what is not complete must be left out again
    assert {row["usage_date"] for row in world.landed_rows(tool)} <= {
        date.fromisoformat(scope) for part in world.parts(tool) for scope in part.scopes
    }


@each_tool
def test_every_day_is_read_again_as_often_as_the_registry_says(story: Story, tool: Tool) -> None:
    """The new day and the days before it; the history once, with the first window."""
    world, source = story.world, story.world.registry.source(source_of(tool))
    times = Counter(scope for part in world.parts(tool) for scope in part.scopes)
    last = _last_day(story, tool)
    settled = [day for day in times if date(2026, 5, 25) <= date.fromisoformat(day) <= last - timedelta(days=10)]
    assert settled
    assert {times[day] for day in settled} == {source.repull_days + 1}


@each_tool
def test_the_watermark_moves_over_days_without_rows(story: Story, tool: Tool) -> None:
    """It is the end of the last day that was read, whatever was in it."""
    value = story.world.value(f"watermarks/{source_of(tool)}.json")["value"]
    assert from_text(value).date() == _last_day(story, tool) + timedelta(days=1)
    assert story.world.names("windows/open/") == []


@each_tool
def test_the_order_of_loads_does_not_matter(story: Story, tool: Tool) -> None:
    """Every landed part in any order, some twice: the same rows live, with the same figures."""
    world = story.world
    right = _live(world.warehouse, tool)
    for seed in range(3):
        shuffled = [s for s in world.landed() if s.name.startswith(f"landing/{source_of(tool)}/")]
        random.Random(seed).shuffle(shuffled)
        warehouse = MemoryWarehouse(world.landing)
        for stored in [*shuffled, *shuffled[:5]]:
            world.load_into(warehouse, stored)
        assert _live(warehouse, tool) == right


@each_tool
def test_loading_and_reading_twice_changes_nothing(story: Story, tool: Tool) -> None:
    """A second delivery of everything finds the parts and their ledger rows: not one request goes out."""
    world = story.world
    rows, sent, landed = _live(world.warehouse, tool), len(world.sent.requests), len(world.landed())
    for window in story.windows[-5:]:
        world.read(tool, window)
    for stored in world.landed():
        if stored.name.startswith(f"landing/{source_of(tool)}/"):
            world.load(world.notification(stored))
    assert (len(world.sent.requests), len(world.landed())) == (sent, landed)
    assert _live(world.warehouse, tool) == rows


@pytest.mark.parametrize("tool", ["goose", "cursor", "firebender", "chatgpt"])
def test_late_days_are_read_without_anyone_s_help(story: Story, tool: Tool) -> None:
    """What came after its day was read first is there, and says which window brought it."""
    late = [row for row in story.world.rows(tool) if availability.is_late(SEED, tool, row["usage_date"])]
    lag = timedelta(hours=story.world.registry.source(source_of(tool)).availability_lag_hours)
    after_history = [row for row in late if row["usage_date"] > date(2026, 5, 18)]
    usual = {row["usage_date"]: _first_window_after(availability.day_end(row["usage_date"]) + lag) for row in late}
    assert any(row["_first_window_id"] > usual[row["usage_date"]] for row in after_history)
    assert all(row["_first_window_id"] >= usual[row["usage_date"]] for row in after_history)


def _first_window_after(instant: datetime) -> str:
    day = instant.date() if instant.time() <= time(14, 30) else instant.date() + timedelta(days=1)
    return window_of(day).id


def _live(warehouse: MemoryWarehouse, tool: Tool) -> dict[object, object]:
    # what the vendor said and when it was seen; not when it was loaded, nor what was there at that time
    names = ("requests", "tokens_reported", "tokens_estimated", "cost_usd", "payload", "_observed_at", "_source_file")
    return {
        key: [row[name] for name in names]
        for key, row in warehouse.tables[TABLE].items()
        if row["tool"] == tool and not row["_is_deleted"]
    }
