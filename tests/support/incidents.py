"""Incident records as the vendor writes them, small enough to read."""

import json
from copy import deepcopy
from datetime import datetime
from typing import Any

from shared.instants import to_text

_STATUS = {"id": "01STATUS", "name": "Closed", "category": "closed", "rank": 9}


def incident(
    incident_id: str,
    created_at: datetime | str,
    updated_at: datetime | str | None = None,
    *,
    stamps: dict[str, datetime | str | None] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A record with every required field; `changes` replace or add fields."""
    record: dict[str, Any] = {
        "id": incident_id,
        "reference": f"INC-{incident_id}",
        "name": f"Incident {incident_id}",
        "visibility": "public",
        "mode": "standard",
        "incident_status": _STATUS,
        "creator": {"user": {"id": "01USER", "name": "Ada", "email": "ada@example.com"}},
        "created_at": _text(created_at),
        "updated_at": _text(updated_at if updated_at is not None else created_at),
        "incident_role_assignments": [],
        "custom_field_entries": [],
        "incident_timestamp_values": [
            {"incident_timestamp": {"name": name}, "value": None if at is None else {"value": _text(at)}}
            for name, at in (stamps or {}).items()
        ],
    }
    return {**deepcopy(record), **changes}


def encoded(record: dict[str, Any]) -> bytes:
    """The record's bytes."""
    return json.dumps(record).encode()


def with_raw_field(record: dict[str, Any], name: str, value: bytes) -> bytes:
    """The record's bytes with a field whose value is not for a JSON library to write."""
    return encoded({k: v for k, v in record.items() if k != name})[:-1] + b', "%b": %b}' % (name.encode(), value)


def _text(instant: datetime | str) -> str:
    return instant if isinstance(instant, str) else to_text(instant)
