"""A spooled event's name follows from the sender's id alone, and its metadata tells the rest."""

from datetime import UTC, datetime

import pytest

from shared.errors import RejectedObject
from shared.spool import SpooledEvent, spool_prefix, spooled_name

EVENT = SpooledEvent("companya", "msg_1", "public_incident.incident_updated_v2", datetime(2026, 11, 20, 7, tzinfo=UTC))


def test_what_is_written_is_read_back() -> None:
    """Name and metadata are all of it."""
    assert SpooledEvent.from_mapping(EVENT.object_name, EVENT.to_mapping()) == EVENT


def test_a_repeated_delivery_has_the_same_name() -> None:
    """Whenever it comes; another workspace's event of the same id has another."""
    assert EVENT.object_name == spooled_name("companya", "msg_1")
    assert EVENT.object_name.startswith(spool_prefix("companya"))
    assert spooled_name("companyb", "msg_1") != EVENT.object_name


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("companya/msg_1", EVENT.to_mapping()),
        (EVENT.object_name.replace("companya", "compan\u0443a"), EVENT.to_mapping()),
        (f"../{EVENT.object_name}", EVENT.to_mapping()),
        (EVENT.object_name, {"webhook_id": "msg_1"}),
        (EVENT.object_name, {**EVENT.to_mapping(), "webhook_id": "msg_2"}),
        (EVENT.object_name, {**EVENT.to_mapping(), "received_at": "yesterday"}),
    ],
)
def test_what_the_webhook_did_not_write_is_refused(name: str, metadata: dict[str, str]) -> None:
    """Other names, other contents."""
    with pytest.raises(RejectedObject, match="of the spool"):
        SpooledEvent.from_mapping(name, metadata)
