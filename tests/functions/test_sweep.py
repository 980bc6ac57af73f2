"""The sweep function: what events lost is found again and repaired by the ordinary way."""

import json
from typing import Any

import pytest
from google.cloud.pubsub_v1 import PublisherClient

from shared.redelivery import dead_topic
from shared.registry import registry
from tests.functions.envelopes import PROJECT, binary, message, pushed
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


def test_a_dead_letter_whose_part_is_loaded_is_taken_away_and_a_young_one_stays(platform: Platform) -> None:
    """Over the real client, from the subscriptions that every topic has."""
    done, lost = new_window(), new_window()
    for window in (done, lost):
        stored = land(platform, window, f"1-{window.id}")
        attributes = {"eventType": "OBJECT_FINALIZE", "objectId": stored.name}
        body = {"bucket": LANDING, "name": stored.name, "generation": str(stored.generation), "crc32c": stored.crc32c}
        envelope = pushed(message(attributes, json.dumps({**body, "metadata": dict(stored.metadata)}).encode()))
        if window is done:
            assert platform.deliver("load", envelope).status == 200
        _bury(platform, "landed", attributes, json.dumps(body).encode())
    topic = registry().source(SOURCE).topic
    _bury(platform, topic, {"source": SOURCE, "window": lost.interval, "revision": "9"}, b"{}")
    swept(platform)
    assert [letter["attributes"]["objectId"].split("/")[2] for letter in published(platform, dead_topic("landed"))] == [
        lost.id
    ]
    assert [letter["attributes"]["revision"] for letter in published(platform, dead_topic(topic))] == ["9"]


def _bury(platform: Platform, topic: str, attributes: dict[str, str], data: bytes) -> None:
    with platform.stack.in_environment():
        publisher = PublisherClient()
    publisher.publish(publisher.topic_path(PROJECT, dead_topic(topic)), data, **attributes).result(10)
    publisher.transport.close()
