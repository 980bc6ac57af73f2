"""A request's body: read up to a limit, as the bytes that came."""

from typing import Protocol

MOST_BYTES = 1024 * 1024
"""The largest body that is taken. incident.io's events are some kilobytes; the specification asks for less than 20."""

_BLOCK = 64 * 1024


class BodyTooLarge(Exception):
    """More than MOST_BYTES."""


class BodyCut(Exception):
    """The sender went away, or its chunks make no sense."""


class Stream(Protocol):
    """What a server gives to read from."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


def read_body(stream: Stream, *, length: int | None, ends: bool) -> bytes:
    """The body, never holding more than MOST_BYTES and a block of it.

    `length` is what the request states; a chunked one states none, and only a stream that `ends` by itself may be read
    without. Nothing is inflated, whatever Content-Encoding says: the sender signs what it sends. Raises BodyTooLarge,
    BodyCut.
    """
    if length is None and not ends:
        return b""
    if length is not None and length > MOST_BYTES:
        raise BodyTooLarge
    wanted = MOST_BYTES + 1 if length is None else length
    body = bytearray()
    try:
        while len(body) < wanted and (block := stream.read(min(_BLOCK, wanted - len(body)))):
            body += block
    except Exception:  # noqa: BLE001 - every server has its own errors for chunks, and theirs show the body's bytes
        raise BodyCut from None
    if len(body) > MOST_BYTES:
        raise BodyTooLarge
    if length is not None and len(body) < length:
        raise BodyCut
    return bytes(body)
