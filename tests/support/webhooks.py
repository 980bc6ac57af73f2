"""A sender of signed webhooks, and events as incident.io describes them."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SECRET = "whsec_" + base64.b64encode(b"the-first-key-of-the-tests").decode()
ROTATED = "whsec_" + base64.b64encode(b"another-key-after-rotation").decode()

EVENT_TYPES = (
    *(f"public_incident.{name}" for name in ("incident_created_v2", "incident_updated_v2")),
    "public_incident.incident_status_updated_v2",
    *(f"{kind}_incident.follow_up_{what}" for kind in ("public", "private") for what in ("created_v1", "updated_v1")),
    *(f"{kind}_incident.follow_up_{what}" for kind in ("public", "private") for what in ("created_v2", "updated_v2")),
    *(f"{kind}_incident.action_{what}" for kind in ("public", "private") for what in ("created_v1", "updated_v1")),
    *(f"{kind}_incident.postmortem_document_status_updated_v1" for kind in ("public", "private")),
    *(f"{kind}_alert.alert_{what}" for kind in ("public", "private") for what in ("created_v1", "resolved_v1")),
    *(f"{kind}_escalation.escalation_created_v1" for kind in ("public", "private")),
    *(f"{kind}_escalation.escalation_status_updated_v1" for kind in ("public", "private")),
    *(f"private_incident.{name}" for name in ("incident_created_v2", "incident_updated_v2")),
    *(f"private_incident.membership_{what}" for what in ("granted_v1", "revoked_v1")),
    *(f"schedule.{what}" for what in ("created_v1", "updated_v1", "deleted_v1", "shift_change_v1")),
)
"""All that the vendor documents."""


def event(event_type: str, **payload: Any) -> bytes:
    """A body: its type, and the payload under that name."""
    return json.dumps({"event_type": event_type, event_type: payload or {"id": "01J"}}).encode()


@dataclass(frozen=True)
class Sender:
    """Signs with a secret; by the letter of the specification, not by our code."""

    secret: str = SECRET

    def signature(self, webhook_id: str, timestamp: str, body: bytes) -> str:
        """`v1,<base64>` over the id, the timestamp and the body."""
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, webhook_id.encode() + b"." + timestamp.encode() + b"." + body, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}"

    def headers(self, webhook_id: str, at: datetime, body: bytes, prefix: str = "webhook-") -> dict[str, str]:
        """The three headers of an attempt."""
        timestamp = str(int(at.timestamp()))
        return {
            f"{prefix}id": webhook_id,
            f"{prefix}timestamp": timestamp,
            f"{prefix}signature": self.signature(webhook_id, timestamp, body),
        }
