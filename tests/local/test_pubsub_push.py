"""Push delivery: what goes over the wire, retries, dead letters, duplicates, independence of subscriptions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import types

from local.pubsub.messages import Delivery, backoff_seconds
from local.pubsub.push import Duplicates, push_request

PROJECT = "projects/opp-local"
Unique = Callable[[str], str]
emulated = pytest.mark.emulated


def topic_of(publisher: Any, name: str) -> str:
    return str(publisher.create_topic(name=f"{PROJECT}/topics/{name}").name)


def retry(seconds: float) -> dict[str, Any]:
    wait = Duration()
    wait.FromTimedelta(timedelta(seconds=seconds))
    return {"minimum_backoff": wait, "maximum_backoff": wait}


def pushed(subscriber: Any, topic: str, url: str, name: str = "", **more: Any) -> str:
    name = name or topic.rsplit("/", 1)[-1]
    request = {
        "name": f"{PROJECT}/subscriptions/{name}",
        "topic": topic,
        "push_config": {"push_endpoint": url},
        "retry_policy": retry(0.05),
        **more,
    }
    return str(subscriber.create_subscription(request=request).name)


def decoded(endpoint: Any) -> list[str]:
    return [base64.b64decode(data).decode() for data in endpoint.data()]


@emulated
def test_a_push_is_the_wrapped_json(
    publisher: Any, subscriber: Any, push_endpoint: Callable[..., Any], unique: Unique, wait_for: Callable[..., Any]
) -> None:
    topic, endpoint = topic_of(publisher, unique("wire")), push_endpoint()
    subscription = pushed(subscriber, topic, endpoint.url)
    message_id = publisher.publish(topic, b'{"source": "a"}', source="a", window="20261120T0700Z").result(10)
    wait_for(lambda: endpoint.received)
    (body,) = endpoint.received
    published = body["message"].pop("publishTime")
    assert published.endswith("Z")
    assert body == {
        "subscription": subscription,
        "message": {
            "data": base64.b64encode(b'{"source": "a"}').decode(),
            "attributes": {"source": "a", "window": "20261120T0700Z"},
            "messageId": message_id,
            "message_id": message_id,
            "publish_time": published,
        },
    }
    assert endpoint.headers[0]["content-type"] == "application/json"


@emulated
def test_a_push_is_repeated_until_it_is_accepted(
    publisher: Any, subscriber: Any, push_endpoint: Callable[..., Any], unique: Unique, wait_for: Callable[..., Any]
) -> None:
    topic, endpoint = topic_of(publisher, unique("retry")), push_endpoint([500, 429, 302])
    pushed(subscriber, topic, endpoint.url)
    publisher.publish(topic, b"again").result(10)
    wait_for(lambda: len(endpoint.received) == 4)
    publisher.publish(topic, b"next").result(10)
    wait_for(lambda: len(endpoint.received) == 5)
    assert decoded(endpoint) == ["again"] * 4 + ["next"]
    assert len({body["message"]["messageId"] for body in endpoint.received}) == 2
    assert "deliveryAttempt" not in endpoint.received[0]


@emulated
def test_after_its_attempts_a_message_is_a_dead_letter(
    publisher: Any, subscriber: Any, push_endpoint: Callable[..., Any], unique: Unique, wait_for: Callable[..., Any]
) -> None:
    topic, dead, endpoint = topic_of(publisher, unique("t")), topic_of(publisher, unique("dead")), push_endpoint()
    endpoint.statuses = [500] * 5
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    source = pushed(subscriber, topic, endpoint.url, dead_letter_policy=policy)
    letters = subscriber.create_subscription(name=f"{PROJECT}/subscriptions/{unique('letters')}", topic=dead).name
    publisher.publish(topic, b"poison", source="a").result(10)

    def arrived() -> Any:
        return subscriber.pull(subscription=letters, max_messages=10).received_messages

    (received,) = wait_for(arrived)
    assert [body["deliveryAttempt"] for body in endpoint.received] == [1, 2, 3, 4, 5]
    assert received.message.data == b"poison"
    attributes = dict(received.message.attributes)
    assert attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime").endswith("Z")
    assert attributes == {
        "source": "a",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": source.rsplit("/", 1)[-1],
        "CloudPubSubDeadLetterSourceSubscriptionProject": "opp-local",
    }
    subscriber.acknowledge(subscription=letters, ack_ids=[received.ack_id])
    assert len(endpoint.received) == 5


@emulated
def test_a_slow_endpoint_holds_up_neither_others_nor_their_retries(
    publisher: Any, subscriber: Any, push_endpoint: Callable[..., Any], unique: Unique, wait_for: Callable[..., Any]
) -> None:
    slow, quick = push_endpoint(), push_endpoint([500, 500])
    slow.gate.clear()
    stuck, free = topic_of(publisher, unique("slow")), topic_of(publisher, unique("quick"))
    pushed(subscriber, stuck, slow.url, ack_deadline_seconds=60)
    pushed(subscriber, free, quick.url)
    for number in range(70):
        publisher.publish(stuck, str(number).encode())
    wait_for(lambda: len(slow.received) == 64)
    publisher.publish(free, b"passes").result(10)
    wait_for(lambda: len(quick.received) == 3)
    assert len(slow.received) == 64
    slow.gate.set()
    wait_for(lambda: len(slow.received) == 70)


@emulated
def test_what_was_in_flight_at_a_crash_is_delivered_again(
    launch_emulators: Callable[..., Any], push_endpoint: Callable[..., Any], wait_for: Callable[..., Any]
) -> None:
    own = launch_emulators()
    publisher, endpoint = own.publisher(), push_endpoint()
    endpoint.gate.clear()
    topic = topic_of(publisher, "crash")
    with own.subscriber() as subscriber:
        pushed(subscriber, topic, endpoint.url, ack_deadline_seconds=600)
    publisher.publish(topic, b"once more").result(10)
    wait_for(lambda: endpoint.received)
    own.stack.kill("pubsub")
    endpoint.gate.set()
    own.stack.start("pubsub")
    wait_for(lambda: len(endpoint.received) == 2)
    assert decoded(endpoint) == ["once more"] * 2
    publisher.stop()


@emulated
def test_duplicates_are_the_same_for_the_same_seed(
    launch_emulators: Callable[..., Any], push_endpoint: Callable[..., Any], wait_for: Callable[..., Any]
) -> None:
    own = launch_emulators("--duplicate", "0.5", "--seed", "7")
    publisher, endpoint = own.publisher(), push_endpoint()
    topic = topic_of(publisher, "twice")
    with own.subscriber() as subscriber:
        pushed(subscriber, topic, endpoint.url)
    for number in range(20):
        publisher.publish(topic, str(number).encode()).result(10)
    rule = Duplicates(0.5, 7)
    message = types.PubsubMessage()
    expected = {str(number): rule.copies(Delivery(number + 1, 1, message)) for number in range(20)}
    assert set(expected.values()) == {1, 2}
    wait_for(lambda: len(endpoint.received) == sum(expected.values()))
    got = decoded(endpoint)
    assert {number: got.count(number) for number in expected} == expected
    publisher.stop()


def subscription_with(**fields: Any) -> types.Subscription:
    return types.Subscription(name=f"{PROJECT}/subscriptions/s", topic=f"{PROJECT}/topics/t", **fields)


def test_backoff_doubles_between_the_bounds_of_the_policy() -> None:
    policy = {"minimum_backoff": Duration(seconds=10), "maximum_backoff": Duration(seconds=600)}
    waits = [backoff_seconds(subscription_with(retry_policy=policy), attempt) for attempt in (1, 2, 3, 7, 100)]
    assert waits == [10, 20, 40, 600, 600]
    assert backoff_seconds(subscription_with(retry_policy={}), 1) == 10
    assert backoff_seconds(subscription_with(push_config={"push_endpoint": "http://x"}), 1) == 0.1
    assert backoff_seconds(subscription_with(), 5) == 0


def test_an_eventarc_endpoint_gets_a_cloud_event() -> None:
    url = "http://127.0.0.1:1/?__GCP_CloudEventsMode=CUSTOM_PUBSUB_projects%2Fp%2Ftopics%2Ft"
    message = types.PubsubMessage(data=b"x", message_id="9", ordering_key="k", publish_time="2026-11-20T07:00:00Z")
    request = push_request(subscription_with(push_config={"push_endpoint": url}), Delivery(1, 1, message))
    assert request.headers["ce-type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert request.headers["ce-source"] == "//pubsub.googleapis.com/projects/p/topics/t"
    assert (request.headers["ce-id"], request.headers["ce-time"]) == ("9", "2026-11-20T07:00:00.000Z")
    assert b'"orderingKey": "k"' in request.body
