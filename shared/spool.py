"""Spooled events: a webhook's delivery as an object that waits to be drained; its name and what its metadata tells.

The name follows from the sender's id of the event, so a delivery that is repeated minutes later finds itself there.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.errors import RejectedObject
from shared.instants import from_text, to_text

_NAME = re.compile(r"(?P<workspace>[a-z][a-z0-9]{0,30})/(?P<digest>[0-9a-f]{64})")


def spooled_name(workspace: str, webhook_id: str) -> str:
    """The event's name in the spool bucket."""
    return f"{workspace}/{hashlib.sha256(webhook_id.encode()).hexdigest()}"


def spool_prefix(workspace: str) -> str:
    """What the names of all of a workspace's events begin with."""
    return f"{workspace}/"


@dataclass(frozen=True, slots=True)
class SpooledEvent:
    """A spooled event without its body. `event_type` is empty where the body does not tell one."""

    workspace: str
    webhook_id: str
    event_type: str
    received_at: datetime

    @property
    def object_name(self) -> str:
        """Its name in the spool bucket."""
        return spooled_name(self.workspace, self.webhook_id)

    def to_mapping(self) -> dict[str, str]:
        """As object metadata: text by text."""
        return {
            "webhook_id": self.webhook_id,
            "event_type": self.event_type,
            "received_at": to_text(self.received_at),
        }

    @classmethod
    def from_mapping(cls, object_name: str, metadata: Mapping[str, str]) -> "SpooledEvent":
        """Raises RejectedObject for an object that the webhook function did not write."""
        match = _NAME.fullmatch(object_name) if object_name.isascii() else None
        if match is None:
            raise RejectedObject(f"object {object_name!r} of the spool is no event: its name is none of an event's")
        try:
            event = cls(
                match["workspace"], metadata["webhook_id"], metadata["event_type"], from_text(metadata["received_at"])
            )
        except (KeyError, ValueError) as exc:
            raise RejectedObject(f"object {object_name!r} of the spool is no event: {exc}") from exc
        if event.object_name != object_name:
            raise RejectedObject(f"object {object_name!r} of the spool holds the event of another name")
        return event


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """A spooled event as a listing found it: which generation of its object, and how large its body."""

    event: SpooledEvent
    generation: int
    size: int

    @property
    def version(self) -> tuple[str, int]:
        """The object's name and generation."""
        return self.event.object_name, self.generation
