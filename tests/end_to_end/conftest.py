"""The stacks that the stories run on: one for the ordinary hours, one for a history read in many parts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.archives import HOURS_FROM, hourly_archive
from tests.end_to_end.running import Running, canary_secrets, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every story here needs the whole stack."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.end_to_end)


@pytest.fixture(scope="session")
def canary() -> str:
    """Stands in every secret of the shared stack, and must stand nowhere else."""
    return f"canary-{secrets.token_hex(12)}"


@pytest.fixture(scope="session")
def hours(tmp_path_factory: pytest.TempPathFactory, canary: str) -> Iterator[Running]:
    """The shared stack: every hour has an incident in every workspace. A story takes windows that no other has."""
    folder = tmp_path_factory.mktemp("hours")
    with running(
        folder, hourly_archive(), HOURS_FROM, environment=canary_secrets(canary), max_delivery_attempts=7
    ) as stack:
        # never readable before its time, so it fails until it is a dead letter; meanwhile other stories run
        stack.publisher.publish("extract-inc-companya", {"v": "1", "source": "x", "not_before": "2999-01-01T00:00:00Z"})
        with stack.builds_held():
            stack.run_window(stack.take_window())
        yield stack


@pytest.fixture
def stack(hours: Running) -> Iterator[Running]:
    """The shared stack without faults, before and after."""
    yield hours
    hours.source_faults()
    hours.storage_faults()
    hours.revive("load")  # a story that failed half way may have left it stopped, and all others after it


@pytest.fixture
def unbuilt(stack: Running) -> Iterator[None]:
    """For stories that end in RAW: dbt builds their windows with those of a later story."""
    with stack.builds_held():
        yield
