"""Notification configurations of a bucket, and the Pub/Sub messages that an event makes of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.gcs.errors import ApiError
from local.gcs.resources import Resource

_EVENT_TYPES = frozenset({"OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"})
_TOPIC_PREFIX = "//pubsub.googleapis.com/"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to publish; `topic` is projects/P/topics/T."""

    topic: str
    data: bytes
    attributes: dict[str, str]


class Notifications:
    """The configurations of all buckets. That the topic exists is not checked at creation, unlike in GCS."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def create(self, bucket: str, given: Mapping[str, Any]) -> Resource:
        """Add a configuration to an existing bucket; ApiError 400 for a bad topic, format or event type."""
        topic, payload_format = str(given.get("topic", "")), given.get("payload_format", "JSON_API_V1")
        parts = topic.removeprefix(_TOPIC_PREFIX).split("/")
        if not topic.startswith(_TOPIC_PREFIX) or len(parts) != 4 or parts[0::2] != ["projects", "topics"]:
            raise ApiError(400, f"Invalid Google Cloud Pub/Sub topic: '{topic}'")
        if payload_format not in ("JSON_API_V1", "NONE"):
            raise ApiError(400, f"Invalid payload format: '{payload_format}'")
        if unknown := set(given.get("event_types") or ()) - _EVENT_TYPES:
            raise ApiError(400, f"Invalid event types: {sorted(unknown)}")
        fields = ("event_types", "object_name_prefix", "custom_attributes")
        config: Resource = {
            "kind": "storage#notification",
            "topic": topic,
            "payload_format": payload_format,
            "etag": "1",
        }
        config |= {field: given[field] for field in fields if given.get(field)}
        cursor = self._db.execute("INSERT INTO notification (bucket, body) VALUES (?, ?)", (bucket, json.dumps(config)))
        return self.get(bucket, str(cursor.lastrowid))

    def get(self, bucket: str, notification_id: str) -> Resource:
        """One configuration; ApiError 404 when there is none."""
        for config in self._of(bucket):
            if config["id"] == notification_id:
                return config
        raise ApiError(404, f"The specified notification '{notification_id}' does not exist.")

    def list_all(self, bucket: str) -> Resource:
        """All configurations of a bucket."""
        return {"kind": "storage#notifications", "items": list(self._of(bucket))}

    def delete(self, bucket: str, notification_id: str) -> None:
        """Remove a configuration; ApiError 404 when there is none."""
        self.get(bucket, notification_id)
        self._db.execute("DELETE FROM notification WHERE id = ?", (notification_id,))

    def _of(self, bucket: str) -> Iterator[Resource]:
        rows = self._db.execute("SELECT id, body FROM notification WHERE bucket = ? ORDER BY id", (bucket,))
        for number, body in rows.fetchall():
            link = f"https://www.googleapis.com/storage/v1/b/{bucket}/notificationConfigs/{number}"
            yield json.loads(body) | {"id": str(number), "selfLink": link}

    def messages(self, event_type: str, resource: Resource, more: Mapping[str, str]) -> list[Message]:
        """What GCS publishes for an event on an object; `more` is overwroteGeneration or overwrittenByGeneration."""
        messages = []
        for config in self._of(resource["bucket"]):
            wanted = config.get("event_types") or _EVENT_TYPES
            if event_type not in wanted or not resource["name"].startswith(config.get("object_name_prefix", "")):
                continue
            attributes = {
                **config.get("custom_attributes", {}),
                "notificationConfig": f"projects/_/buckets/{resource['bucket']}/notificationConfigs/{config['id']}",
                "eventType": event_type,
                "payloadFormat": config["payload_format"],
                "bucketId": resource["bucket"],
                "objectId": resource["name"],
                "objectGeneration": resource["generation"],
                "eventTime": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
                **more,
            }
            data = json.dumps(resource, indent=2).encode() if config["payload_format"] == "JSON_API_V1" else b""
            messages.append(Message(config["topic"].removeprefix(_TOPIC_PREFIX), data, attributes))
        return messages
