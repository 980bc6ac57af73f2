"""Three weeks of all AI tools, read once for every test that looks at the outcome."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from shared import logs
from shared.adapters.memory import MemoryClock
from shared.windows.window import Window
from tests.support.ai_tools import ToolsWorld, days, doubles, read_at, tools_registry, window_of


@dataclass(frozen=True)
class Story:
    """A world after its windows were read, each on its own day, and loaded."""

    world: ToolsWorld
    windows: tuple[Window, ...]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    # what the platform logs of thousands of requests would hide what pytest has to say
    with logs.captured(io.StringIO()):
        yield


@pytest.fixture(scope="session")
def story() -> Iterator[Story]:
    """Nine days of history with the first window, then one a day; late, re-stated, empty, renamed in between."""
    windows = tuple(window_of(day) for day in days(date(2026, 5, 18), 22))
    clock = MemoryClock(read_at(windows[0]))
    with doubles(clock) as served:
        world = ToolsWorld(served, tools_registry(history_from="2026-05-09T00:00:00Z"), clock)
        with logs.captured(io.StringIO()):
            for window in windows:
                assert world.read_all(window) == [], "a double that answers can be read"
        yield Story(world, windows)
