"""Pull, acknowledge, give back; topics and subscriptions; what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound

pytestmark = pytest.mark.emulated
PROJECT = "projects/opp-local"


@pytest.fixture
def topic(publisher: Any, unique: Callable[[str], str]) -> str:
    return str(publisher.create_topic(name=f"{PROJECT}/topics/{unique('topic')}").name)


@pytest.fixture
def subscription(subscriber: Any, topic: str) -> str:
    name = topic.replace("/topics/", "/subscriptions/")
    return str(subscriber.create_subscription(name=name, topic=topic, ack_deadline_seconds=60).name)


def pull(subscriber: Any, subscription: str) -> list[Any]:
    return list(subscriber.pull(subscription=subscription, max_messages=10).received_messages)


def test_a_message_is_leased_given_back_and_acknowledged(
    publisher: Any, subscriber: Any, topic: str, subscription: str
) -> None:
    publisher.publish(topic, b"m", key="value").result(10)
    (first,) = pull(subscriber, subscription)
    assert (first.message.data, dict(first.message.attributes)) == (b"m", {"key": "value"})
    assert pull(subscriber, subscription) == []
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[first.ack_id], ack_deadline_seconds=0)
    (second,) = pull(subscriber, subscription)
    assert second.message.message_id == first.message.message_id
    subscriber.acknowledge(subscription=subscription, ack_ids=[first.ack_id])  # a former lease acknowledges nothing
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[second.ack_id], ack_deadline_seconds=0)
    (third,) = pull(subscriber, subscription)
    subscriber.acknowledge(subscription=subscription, ack_ids=[third.ack_id])
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[third.ack_id], ack_deadline_seconds=0)
    assert pull(subscriber, subscription) == []


def test_every_subscription_gets_every_message(
    publisher: Any, subscriber: Any, topic: str, subscription: str, unique: Callable[[str], str]
) -> None:
    other = subscriber.create_subscription(name=f"{PROJECT}/subscriptions/{unique('other')}", topic=topic).name
    ids = {publisher.publish(topic, str(number).encode()).result(10) for number in range(5)}
    for name in (subscription, other):
        assert {received.message.message_id for received in pull(subscriber, name)} == ids


def test_a_dead_letter_after_pulls_counts_its_deliveries(
    publisher: Any, subscriber: Any, topic: str, unique: Callable[[str], str]
) -> None:
    dead = publisher.create_topic(name=f"{PROJECT}/topics/{unique('dead')}").name
    letters = subscriber.create_subscription(name=f"{PROJECT}/subscriptions/{unique('letters')}", topic=dead).name
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    name = f"{PROJECT}/subscriptions/{unique('source')}"
    subscriber.create_subscription(request={"name": name, "topic": topic, "dead_letter_policy": policy})
    publisher.publish(topic, b"poison").result(10)
    for attempt in range(1, 6):
        (received,) = pull(subscriber, name)
        assert received.delivery_attempt == attempt
        subscriber.modify_ack_deadline(subscription=name, ack_ids=[received.ack_id], ack_deadline_seconds=0)
    assert pull(subscriber, name) == []
    (letter,) = pull(subscriber, letters)
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


def test_topics_and_subscriptions_are_found_and_deleted(
    publisher: Any, subscriber: Any, topic: str, subscription: str
) -> None:
    assert topic in [found.name for found in publisher.list_topics(project=PROJECT)]
    assert subscription in [found.name for found in subscriber.list_subscriptions(project=PROJECT)]
    assert list(publisher.list_topic_subscriptions(topic=topic)) == [subscription]
    with pytest.raises(AlreadyExists):
        publisher.create_topic(name=topic)
    with pytest.raises(AlreadyExists):
        subscriber.create_subscription(name=subscription, topic=topic)
    publisher.delete_topic(topic=topic)
    assert subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    with pytest.raises(NotFound):
        publisher.publish(topic, b"x").result(10)
    subscriber.delete_subscription(subscription=subscription)
    with pytest.raises(NotFound):
        pull(subscriber, subscription)


def test_a_subscription_is_changed_field_by_field(subscriber: Any, subscription: str) -> None:
    changed = {
        "name": subscription,
        "ack_deadline_seconds": 120,
        "push_config": {"push_endpoint": "http://127.0.0.1:1"},
    }
    subscriber.update_subscription(
        request={"subscription": changed, "update_mask": {"paths": ["ack_deadline_seconds"]}}
    )
    found = subscriber.get_subscription(subscription=subscription)
    assert (found.ack_deadline_seconds, found.push_config.push_endpoint) == (120, "")
    subscriber.modify_push_config(subscription=subscription, push_config={"push_endpoint": "http://127.0.0.1:1"})
    found = subscriber.get_subscription(subscription=subscription)
    assert (found.ack_deadline_seconds, found.push_config.push_endpoint) == (120, "http://127.0.0.1:1")
    with pytest.raises(InvalidArgument):
        subscriber.update_subscription(request={"subscription": changed, "update_mask": {"paths": ["topic"]}})


@pytest.mark.parametrize(
    "field",
    [
        {"filter": 'attributes.source = "a"'},
        {"ack_deadline_seconds": 5},
        {"push_config": {"push_endpoint": "ftp://x"}},
        {"dead_letter_policy": {"dead_letter_topic": f"{PROJECT}/topics/t", "max_delivery_attempts": 4}},
    ],
    ids=lambda field: next(iter(field)),
)
def test_what_is_not_emulated_or_makes_no_sense_is_refused(subscriber: Any, topic: str, field: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        subscriber.create_subscription(request={"name": f"{PROJECT}/subscriptions/refused", "topic": topic, **field})
    with pytest.raises(NotFound):
        subscriber.get_subscription(subscription=f"{PROJECT}/subscriptions/refused")


def test_an_empty_message_is_refused(publisher: Any, topic: str) -> None:
    with pytest.raises(InvalidArgument):
        publisher.publish(topic, b"").result(10)
