"""What reaches a function over HTTP: Pub/Sub's raw push, a bucket's notification inside one, and binary CloudEvents."""

import base64
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.instants import to_text
from shared.ports import StoredObject

PROJECT = "opp-functions"
_ids = itertools.count(1_096_434_104_173_400)


@dataclass(frozen=True)
class Envelope:
    """A request to a function."""

    body: bytes
    headers: Mapping[str, str]
    message_id: str


def message(
    attributes: Mapping[str, Any] | None = None, data: bytes | None = None, published_at: datetime | None = None
) -> dict[str, Any]:
    """A message as it stands in a push body; without attributes the key is missing, as in production."""
    number, at = str(next(_ids)), to_text(published_at or datetime.now(UTC))
    return {
        **({"attributes": dict(attributes)} if attributes else {}),
        "data": base64.b64encode(data or json.dumps(attributes or {}).encode()).decode(),
        "messageId": number,
        "message_id": number,
        "publishTime": at,
        "publish_time": at,
    }


def pushed(inner: Mapping[str, Any], topic: str = "topic") -> Envelope:
    """The raw push of a subscription with a dead-letter topic."""
    body = {
        "message": inner,
        "subscription": f"projects/{PROJECT}/subscriptions/{topic}",
        "deliveryAttempt": 1,
    }
    return Envelope(json.dumps(body).encode(), {"content-type": "application/json"}, str(inner.get("messageId")))


def binary(inner: Mapping[str, Any], topic: str = "topic") -> Envelope:
    """The same message as a binary-mode CloudEvent."""
    headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": str(inner["messageId"]),
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-source": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/{topic}",
        "ce-time": str(inner["publishTime"]),
    }
    body = {"message": inner, "subscription": f"projects/{PROJECT}/subscriptions/eventarc-{topic}"}
    return Envelope(json.dumps(body).encode(), headers, str(inner["messageId"]))


def finalised(bucket: str, stored: StoredObject, /, **changes: Any) -> dict[str, Any]:
    """Cloud Storage's notification of an object, as a message; `changes` are made to the object's resource."""
    resource = {
        "kind": "storage#object",
        "id": f"{bucket}/{stored.name}/{stored.generation}",
        "name": stored.name,
        "bucket": bucket,
        "generation": str(stored.generation),
        "metageneration": "1",
        "contentType": "application/octet-stream",
        "size": str(stored.size),
        "crc32c": stored.crc32c,
        "timeCreated": to_text(stored.created_at),
        "metadata": dict(stored.metadata),
    } | changes
    attributes = {
        "notificationConfig": f"projects/_/buckets/{bucket}/notificationConfigs/1",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket,
        "objectId": stored.name,
        "objectGeneration": str(stored.generation),
        "eventTime": to_text(stored.created_at),
    }
    return message(attributes, json.dumps(resource).encode())
