"""A finalised object becomes one Pub/Sub message as GCS publishes it, also over crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound

pytestmark = pytest.mark.emulated
PROJECT = "opp-local"


def subscribed(publisher: Any, subscriber: Any, topic: str) -> str:
    """Make a topic with a pull subscription; returns the subscription's name."""
    name, subscription = f"projects/{PROJECT}/topics/{topic}", f"projects/{PROJECT}/subscriptions/{topic}"
    publisher.create_topic(name=name)
    subscriber.create_subscription(name=subscription, topic=name)
    return subscription


def pulled(subscriber: Any, subscription: str) -> list[Any]:
    answer = subscriber.pull(subscription=subscription, max_messages=100)
    ack_ids = [received.ack_id for received in answer.received_messages]
    if ack_ids:
        subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)
    return [received.message for received in answer.received_messages]


def notify(bucket: Any, topic: str) -> Any:
    notification = bucket.notification(
        topic_name=topic,
        topic_project=PROJECT,
        event_types=["OBJECT_FINALIZE"],
        blob_name_prefix="landing/",
        payload_format="JSON_API_V1",
    )
    notification.create()
    return notification


def test_the_message_is_what_gcs_publishes(
    bucket: Any,
    publisher: Any,
    subscriber: Any,
    emulators: Any,
    unique: Callable[[str], str],
    wait_for: Callable[..., Any],
) -> None:
    topic = unique("landed")
    subscription = subscribed(publisher, subscriber, topic)
    notification = notify(bucket, topic)
    blob = bucket.blob("landing/incidents/20261120T0700Z/r0/part-00000.parquet")
    blob.metadata = {"rows": "3"}
    bucket.blob("elsewhere/x").upload_from_string(b"not below the prefix")
    blob.upload_from_string(b"abc", if_generation_match=0)
    (message,) = wait_for(lambda: pulled(subscriber, subscription))
    resource = json.loads(message.data)
    assert resource["name"] == blob.name
    assert resource["metadata"] == {"rows": "3"}
    assert (resource["generation"], resource["size"]) == (str(blob.generation), "3")
    attributes = dict(message.attributes)
    assert attributes.pop("eventTime").endswith("Z")
    assert attributes == {
        "notificationConfig": f"projects/_/buckets/{bucket.name}/notificationConfigs/{notification.notification_id}",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket.name,
        "objectId": blob.name,
        "objectGeneration": str(blob.generation),
    }
    former = blob.generation
    blob.upload_from_string(b"abcd")
    (second,) = wait_for(lambda: pulled(subscriber, subscription))
    assert second.attributes["overwroteGeneration"] == str(former)
    blob.delete()
    wait_for(lambda: emulators.notifications_pending() == 0)
    assert pulled(subscriber, subscription) == []


def test_configurations_are_listed_read_and_deleted(bucket: Any, unique: Callable[[str], str]) -> None:
    notification = notify(bucket, unique("topic"))
    (listed,) = bucket.list_notifications()
    assert (listed.notification_id, listed.topic_name) == (notification.notification_id, notification.topic_name)
    assert bucket.get_notification(notification.notification_id).event_types == ["OBJECT_FINALIZE"]
    notification.delete()
    assert list(bucket.list_notifications()) == []
    with pytest.raises(NotFound):
        bucket.get_notification(notification.notification_id)
    with pytest.raises(BadRequest):
        bucket.notification(topic_name="t", topic_project=PROJECT, event_types=["NONSENSE"]).create()


def test_a_dropped_notification_is_dropped_and_the_object_stays(
    bucket: Any,
    publisher: Any,
    subscriber: Any,
    emulators: Any,
    unique: Callable[[str], str],
    wait_for: Callable[..., Any],
) -> None:
    topic = unique("landed")
    subscription = subscribed(publisher, subscriber, topic)
    notify(bucket, topic)
    emulators.fault({"action": "drop_notification", "name_contains": "landing/silent"})
    bucket.blob("landing/silent").upload_from_string(b"x")
    bucket.blob("landing/loud").upload_from_string(b"x")
    (message,) = wait_for(lambda: pulled(subscriber, subscription))
    assert message.attributes["objectId"] == "landing/loud"
    assert bucket.get_blob("landing/silent") is not None
    wait_for(lambda: emulators.notifications_pending() == 0)
    assert pulled(subscriber, subscription) == []


def test_notifications_survive_the_death_of_both_emulators(
    launch_emulators: Callable[..., Any], wait_for: Callable[..., Any]
) -> None:
    own = launch_emulators()
    publisher, subscriber = own.publisher(), own.subscriber()
    subscription = subscribed(publisher, subscriber, "landed")
    bucket = own.storage().create_bucket("landing-bucket")
    notify(bucket, "landed")
    bucket.blob("landing/0").upload_from_string(b"publishes once, so that the channel is open")
    wait_for(lambda: own.notifications_pending() == 0)
    own.stack.kill("pubsub")
    for number in range(1, 4):
        bucket.blob(f"landing/{number}").upload_from_string(b"x")
    assert own.notifications_pending() == 3
    own.stack.kill("gcs")
    own.stack.start("gcs")
    assert own.notifications_pending() == 3
    own.stack.start("pubsub")
    wait_for(lambda: own.notifications_pending() == 0)
    with own.subscriber() as fresh:
        names = sorted(message.attributes["objectId"] for message in pulled(fresh, subscription))
    assert sorted(set(names)) == [f"landing/{number}" for number in range(4)]
    subscriber.close()
    publisher.stop()
