"""A body is read up to its limit, whatever the sender states, and its type is looked for without trust."""

import gzip
import io
import json
from traceback import format_exception

import pytest

from shared.webhooks.body import MOST_BYTES, BodyCut, BodyTooLarge, Stream, read_body
from shared.webhooks.event_type import event_type_of
from tests.support.webhooks import EVENT_TYPES, event


class Counted:
    """A stream that counts what is taken from it; endless when it has no end."""

    def __init__(self, size: int | None, most: int = 1 << 20) -> None:
        self.left, self.most, self.taken, self.largest = size, most, 0, 0

    def read(self, size: int, /) -> bytes:
        size = min(size, self.most) if self.left is None else min(size, self.most, self.left)
        if self.left is not None:
            self.left -= size
        self.taken += size
        self.largest = max(self.largest, size)
        return b"x" * size


class Broken:
    """Fails as servers do: by the connection, or by an error of their own that shows what was sent."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, size: int, /) -> bytes:
        raise self.error


@pytest.mark.parametrize("size", [0, 1, 70_000, MOST_BYTES - 1, MOST_BYTES])
@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("most", [1000, 1 << 20])
def test_a_body_up_to_the_limit(size: int, stated: bool, most: int) -> None:
    """With its length or without, in blocks of any size."""
    assert len(read_body(Counted(size, most), length=size if stated else None, ends=True)) == size


def test_a_stated_length_over_the_limit_is_not_read_at_all() -> None:
    stream = Counted(None)
    with pytest.raises(BodyTooLarge):
        read_body(stream, length=MOST_BYTES + 1, ends=True)
    assert stream.taken == 0


def test_an_endless_body_is_read_to_the_limit_only() -> None:
    stream = Counted(None)
    with pytest.raises(BodyTooLarge):
        read_body(stream, length=None, ends=True)
    assert stream.taken == MOST_BYTES + 1
    assert stream.largest <= 64 * 1024


def test_without_a_length_a_stream_that_does_not_end_is_not_waited_for() -> None:
    stream = Counted(None)
    assert read_body(stream, length=None, ends=False) == b""
    assert stream.taken == 0


def test_what_follows_the_stated_length_is_left() -> None:
    stream = Counted(None)
    assert len(read_body(stream, length=10, ends=False)) == 10
    assert stream.taken == 10


@pytest.mark.parametrize(
    "stream", [io.BytesIO(b"half"), Broken(ConnectionResetError()), Broken(RuntimeError("bad chunk: b'shown'"))]
)
def test_a_body_that_is_cut(stream: Stream) -> None:
    with pytest.raises(BodyCut) as caught:
        read_body(stream, length=8, ends=True)
    assert "shown" not in "".join(format_exception(caught.value))


def test_every_documented_event_tells_its_type() -> None:
    """All 33."""
    assert len(set(EVENT_TYPES)) == len(EVENT_TYPES) == 33
    assert [event_type_of(event(name)) for name in EVENT_TYPES] == list(EVENT_TYPES)
    assert event_type_of(event("public_incident.invented_v9")) == "public_incident.invented_v9"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{}",
        b"\xff\xfe",
        b'{"event_type": "\xff"}',
        b'{"event_type": 7}',
        b'{"event_type": null}',
        b'{"event_type": ["a"]}',
        b'{"event_type": ""}',
        b'{"event_type": "a\\u0000b"}',
        b'{"event_type": "\\ud800"}',
        b'{"event_type": "\xd1\x81"}',
        b'{"event_type": "a b"}',
        json.dumps({"event_type": "x" * 201}).encode(),
        b"[" * 500_000,
        b'{"a":' * 200_000,
        b'{"event_type": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        gzip.compress(event("public_incident.incident_created_v2")),
        event("x").decode().encode("utf-16"),
    ],
    ids=range(22),
)
def test_a_body_that_tells_no_type_is_no_reason_to_fail(body: bytes) -> None:
    """Not JSON, not an object, nested beyond any stack, or not to be written into metadata."""
    assert event_type_of(body) == ""


def test_of_two_types_the_last_one_counts() -> None:
    """As in every reader of JSON that the platform uses."""
    body = b'{"event_type": "first", "event_type": "second"}'
    assert event_type_of(body) == json.loads(body)["event_type"] == "second"
