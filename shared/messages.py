"""The platform's own messages: what they carry, and what a delivered one says. They hold references, never data."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from shared.errors import MalformedMessage
from shared.instants import from_text, to_text
from shared.ports import StoredObject
from shared.windows.window import Window

VERSION = "1"
LANDED_TOPIC = "landed"
SWEEP_TOPIC = "sweep"


@dataclass(frozen=True, slots=True)
class Message:
    """A delivered Pub/Sub message."""

    id: str
    published_at: datetime
    attributes: Mapping[str, str]
    data: bytes


def delivered_message(data: object, event_id: str, event_time: str) -> Message:
    """The Pub/Sub message inside a CloudEvent's data. Raises MalformedMessage."""
    message = data.get("message") if isinstance(data, dict) else None
    if not isinstance(message, dict):
        raise MalformedMessage("the event holds no Pub/Sub message; push subscriptions send one")
    attributes = message.get("attributes") or {}
    try:
        return Message(
            id=str(message.get("messageId") or event_id),
            published_at=from_text(str(message.get("publishTime") or event_time)),
            attributes={str(k): str(v) for k, v in attributes.items()},
            data=base64.b64decode(message.get("data") or "", validate=True),
        )
    except (ValueError, AttributeError, TypeError) as exc:
        raise MalformedMessage(f"the Pub/Sub message cannot be read: {exc}") from exc


class _Event(Protocol):
    data: object

    def __getitem__(self, name: str) -> str: ...


def notified_object(event: _Event) -> str:
    """Which object and generation a notification is about, by its attributes; the message's id when it names none."""
    message = event.data.get("message") if isinstance(event.data, dict) else None
    attributes = message.get("attributes") if isinstance(message, dict) else None
    if not isinstance(attributes, dict) or not attributes.get("objectId"):
        return event["id"]
    return f"{attributes.get('bucketId')}/{attributes['objectId']}#{attributes.get('objectGeneration')}"


@dataclass(frozen=True, slots=True)
class ExtractMessage:
    """Extract a source's window. A scheduler's bare tick names the source only; every message of ours names all."""

    source: str
    interval: str | None = None
    revision: int = 0
    part: int = 0
    not_before: datetime | None = None

    def attributes(self) -> dict[str, str]:
        """As message attributes."""
        return {
            "v": VERSION,
            "source": self.source,
            **({"window": self.interval} if self.interval else {}),
            "revision": str(self.revision),
            "part": str(self.part),
            **({"not_before": to_text(self.not_before)} if self.not_before else {}),
        }

    def continued(self, window: Window, part: int, not_before: datetime | None) -> "ExtractMessage":
        """The message that asks for the next part."""
        return replace(self, interval=window.interval, part=part, not_before=not_before)

    @classmethod
    def parse(cls, attributes: Mapping[str, str]) -> "ExtractMessage":
        """Raises MalformedMessage naming what is missing or wrong."""
        if attributes.get("v", VERSION) != VERSION:
            raise MalformedMessage(f"message version {attributes['v']!r} is not understood here; deploy newer code")
        if not attributes.get("source"):
            raise MalformedMessage("the message names no source (attribute 'source')")
        try:
            not_before, interval = attributes.get("not_before"), attributes.get("window")
            if interval:
                Window.from_interval(attributes["source"], interval)
            parsed = cls(
                source=attributes["source"],
                interval=interval or None,
                revision=int(attributes.get("revision", "0")),
                part=int(attributes.get("part", "0")),
                not_before=from_text(not_before) if not_before else None,
            )
        except ValueError as exc:
            raise MalformedMessage(f"source {attributes['source']!r}: unusable attribute: {exc}") from exc
        if not (0 <= parsed.revision < 1_000_000 and 0 <= parsed.part < 100_000):
            raise MalformedMessage(f"source {parsed.source!r}: revision or part is out of range")
        return parsed


def landed_notification(bucket: str, stored: StoredObject) -> tuple[dict[str, str], bytes]:
    """Attributes and data of the notification that Cloud Storage sends for a finalised object."""
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket,
        "objectId": stored.name,
        "objectGeneration": str(stored.generation),
    }
    resource = {
        "kind": "storage#object",
        "bucket": bucket,
        "name": stored.name,
        "generation": str(stored.generation),
        "size": str(stored.size),
        "crc32c": stored.crc32c,
        "metadata": dict(stored.metadata),
    }
    return attributes, json.dumps(resource).encode()


@dataclass(frozen=True, slots=True)
class LandedMessage:
    """An object was finalised in the landing bucket: Cloud Storage's notification, or the sweep's copy of one."""

    bucket: str
    object_name: str
    generation: int
    crc32c: str
    metadata: Mapping[str, str]

    @classmethod
    def parse(cls, message: Message) -> "LandedMessage":
        """Raises MalformedMessage for anything but a notification of a finalised object."""
        event = message.attributes.get("eventType")
        if event != "OBJECT_FINALIZE":
            raise MalformedMessage(f"expected a notification of a finalised object, got event type {event!r}")
        try:
            resource: dict[str, Any] = json.loads(message.data)
            return cls(
                bucket=str(resource["bucket"]),
                object_name=str(resource["name"]),
                generation=int(resource["generation"]),
                crc32c=str(resource.get("crc32c", "")),
                metadata={str(k): str(v) for k, v in (resource.get("metadata") or {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
            raise MalformedMessage(f"the notification's object resource cannot be read: {exc!r}") from exc
