"""Messages say what to do, or are refused; nothing in them crashes a reader."""

import base64
import json
from typing import Any

import pytest

from shared.errors import MalformedMessage
from shared.messages import ExtractMessage, LandedMessage, Message, delivered_message, notified_object
from shared.windows.window import Window
from tests.support.world import at

WINDOW = Window("ops_incidents", at(6), at(7))
FULL = {
    "v": "1",
    "source": "s",
    "window": WINDOW.interval,
    "revision": "2",
    "part": "5",
    "not_before": "2026-11-20T08:00:00Z",
}


def test_a_bare_tick_names_the_source_only() -> None:
    """Everything else follows from when it was published."""
    assert ExtractMessage.parse({"source": "s"}) == ExtractMessage("s")
    assert ExtractMessage.parse({"source": "s", "window": ""}).interval is None


def test_every_message_of_ours_is_read_back() -> None:
    """With window, revision, part and when it may begin."""
    message = ExtractMessage("s", revision=2).continued(WINDOW, 5, at(8))
    assert message.attributes() == FULL
    assert ExtractMessage.parse(FULL) == message
    assert "not_before" not in ExtractMessage("s").continued(WINDOW, 1, None).attributes()


@pytest.mark.parametrize(
    "changes",
    [
        {"v": "2"},
        {"source": ""},
        {"window": "20261120T0700Z"},
        {"window": "2026-11-20T07:00:00Z/2026-11-20T06:00:00Z"},
        {"window": "2026-11-20T06:00:30Z/2026-11-20T07:00:00Z"},
        {"window": "0001-01-01T00:00:00+05:00/2026-11-20T07:00:00Z"},
        {"revision": "one"},
        {"revision": "-1"},
        {"revision": "1000000"},
        {"part": "1.0"},
        {"part": "100000"},
        {"part": "-1"},
        {"not_before": "later"},
        {"not_before": "2026-11-20T08:00:00"},
    ],
)
def test_a_message_that_does_not_say_what_to_do_is_malformed(changes: dict[str, str]) -> None:
    """Sent again it would say the same, so it is refused for good."""
    with pytest.raises(MalformedMessage):
        ExtractMessage.parse({**FULL, **changes})


def test_a_message_without_a_source_is_malformed() -> None:
    """Not even a tick."""
    with pytest.raises(MalformedMessage, match="names no source"):
        ExtractMessage.parse({})


def _push(**message: Any) -> dict[str, Any]:
    return {
        "message": {
            "messageId": "7",
            "publishTime": "2026-11-20T07:00:01.5Z",
            "attributes": {"a": "b"},
            "data": base64.b64encode(b"{}").decode(),
            **message,
        }
    }


def test_a_push_body_is_read() -> None:
    """Id, instant, attributes and data."""
    message = delivered_message(_push(), "event", "2026-11-20T09:00:00Z")
    assert (message.id, message.attributes, message.data) == ("7", {"a": "b"}, b"{}")
    assert message.published_at == at(7).replace(second=1, microsecond=500_000)


def test_what_the_message_lacks_the_event_says() -> None:
    """Id and time."""
    message = delivered_message({"message": {}}, "event", "2026-11-20T09:00:00Z")
    assert (message.id, message.published_at, message.data) == ("event", at(9), b"")


@pytest.mark.parametrize(
    "data",
    [
        None,
        "text",
        [],
        {},
        {"message": None},
        {"message": "x"},
        {"message": []},
        _push(publishTime="now"),
        _push(publishTime=5),
        _push(publishTime="0001-01-01T00:00:00+05:00"),
        _push(attributes=["a"]),
        _push(attributes="a"),
        _push(data="***"),
        _push(data="YQ"),
        _push(data=5),
        _push(data={"a": 1}),
        _push(data="ä"),
    ],
)
def test_a_body_that_holds_no_message_is_malformed(data: object) -> None:
    """Whatever somebody posts to the address."""
    with pytest.raises(MalformedMessage):
        delivered_message(data, "event", "2026-11-20T09:00:00Z")


RESOURCE = {"bucket": "landing", "name": "n", "generation": "5", "crc32c": "c", "metadata": {"rows": "1"}}


def _landed(body: bytes, event: str = "OBJECT_FINALIZE") -> LandedMessage:
    return LandedMessage.parse(Message("1", at(7), {"eventType": event}, body))


def test_a_notification_is_read() -> None:
    """The object's own description, with its metadata."""
    assert _landed(json.dumps(RESOURCE).encode()) == LandedMessage("landing", "n", 5, "c", {"rows": "1"})
    bare = {k: v for k, v in RESOURCE.items() if k not in ("metadata", "crc32c")}
    assert _landed(json.dumps(bare).encode()).metadata == {}


@pytest.mark.parametrize("event", ["OBJECT_DELETE", "OBJECT_METADATA_UPDATE", "object_finalize", ""])
def test_only_a_finalised_object_is_loaded(event: str) -> None:
    """An archived or deleted one is none."""
    with pytest.raises(MalformedMessage, match="finalised object"):
        _landed(json.dumps(RESOURCE).encode(), event)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        json.dumps({**RESOURCE, "generation": "new"}).encode(),
        json.dumps({**RESOURCE, "generation": None}).encode(),
        b'{"bucket": "b", "name": "n", "generation": 1e999}',
        b'{"bucket": "b", "name": "n", "generation": NaN}',
        json.dumps({**RESOURCE, "metadata": ["a"]}).encode(),
        json.dumps({**RESOURCE, "metadata": "a"}).encode(),
        b"[" * 200_000,
    ],
)
def test_a_notification_that_cannot_be_read_is_malformed(body: bytes) -> None:
    """Never a crash, which would come again twenty times."""
    with pytest.raises(MalformedMessage):
        _landed(body)


def test_a_notification_sent_again_is_about_the_same_object() -> None:
    """Whoever sends it: Cloud Storage, or the sweep under another message id."""

    class Delivered(dict[str, str]):
        data: object = {"message": {"attributes": {"bucketId": "b", "objectId": "o", "objectGeneration": "7"}}}

    assert notified_object(Delivered(id="1")) == notified_object(Delivered(id="2")) == "b/o#7"
    unnamed = Delivered(id="3")
    unnamed.data = {"message": {"attributes": None}}
    assert notified_object(unnamed) == "3"
