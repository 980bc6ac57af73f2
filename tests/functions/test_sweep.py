"""The sweep function: what events lost is found again and repaired by the ordinary way."""

import json
from typing import Any

import pytest

from tests.functions.envelopes import binary, message, pushed
from tests.functions.platform import LANDING, Platform, new_window, published
from tests.functions.test_load import SOURCE, land, loaded, marker

pytestmark = pytest.mark.emulated


def swept(platform: Platform, wrap: Any = pushed) -> list[dict[str, Any]]:
    """One tick; the notifications that it published."""
    published(platform, "landed")
    outcome = platform.deliver("sweep", wrap(message(None, b"tick")))
    assert outcome.status == 200
    summary = outcome.line("run.finished")
    assert (summary["step"], summary["status"], summary["failures"]) == ("sweep", "done", 0)
    assert len({line["run_id"] for line in outcome.lines}) == 1
    found = published(platform, "landed")
    assert len(found) == summary["republished"]
    return found


def of(notifications: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [n for n in notifications if n["attributes"]["objectId"] == name]


@pytest.mark.parametrize("wrap", [pushed, binary])
def test_a_part_whose_notification_was_lost_is_loaded_after_a_sweep(platform: Platform, wrap: Any) -> None:
    window = new_window()
    stored = land(platform, window, f"1-{window.id}")
    (notification,) = of(swept(platform, wrap), stored.name)
    assert notification["attributes"]["eventType"] == "OBJECT_FINALIZE"
    assert json.loads(notification["data"])["bucket"] == LANDING
    outcome = platform.deliver("load", pushed(message(notification["attributes"], notification["data"])))
    assert outcome.status == 200
    assert marker(platform, window) is not None
    assert loaded(platform, f"1-{window.id}") == 1
    assert of(swept(platform), stored.name) == []


@pytest.mark.parametrize("name", ["x.txt", "20261120T0700Z/r0/part-00000.parquet.tmp", "it's; --"])
def test_a_strangers_object_does_not_stop_the_sweep_and_is_told_once(platform: Platform, name: str) -> None:
    window = new_window()
    stranger = land(platform, window, "stranger", name=f"landing/{SOURCE}/{name}")
    lost = land(platform, window, f"1-{window.id}")
    found = swept(platform)
    assert of(found, lost.name)
    for notification in (*of(found, stranger.name), *of(found, lost.name)):
        platform.deliver("load", pushed(message(notification["attributes"], notification["data"])))
    assert marker(platform, window) is not None
    assert of(swept(platform), stranger.name) == []
