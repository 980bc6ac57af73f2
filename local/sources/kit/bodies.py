"""Response bodies: lists put together from rendered rows, gzip when the client takes it, bodies that break off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.sources.kit.gzip_parts import deflate_part, gzip_of_parts, stored_header

_COMMA = stored_header(1) + b","
_WORTH_GZIP = 1024
PROXY_PAGE = "<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
"""What a proxy says in the vendor's place."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row's JSON, plain and as a part of a gzip stream."""

    json: bytes
    deflated: bytes | None = None


@dataclass(frozen=True, slots=True)
class ListHead:
    """What stands before a list's rows, plain and as a part of a gzip stream."""

    json: bytes
    deflated: bytes

    @classmethod
    def of(cls, json: bytes) -> ListHead:
        """Deflate it once for every page."""
        return cls(json, deflate_part(json))


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether an `Accept-Encoding` header takes gzip (`gzip;q=0` refuses it)."""
    for offer in (accept_encoding or "").lower().split(","):
        coding, _, parameters = offer.strip().partition(";")
        if coding.strip() in {"gzip", "*"}:
            return parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def list_body(head: ListHead, rows: Sequence[Row], tail: bytes, *, gzipped: bool) -> bytes:
    """Head, the rows with commas between them, tail; as a gzip stream if wanted."""
    pieces = [head.json]
    for row in rows:
        pieces += (row.json, b",")
    if rows:
        pieces.pop()
    pieces.append(tail)
    if not gzipped:
        return b"".join(pieces)
    parts = [head.deflated]
    for row in rows:
        parts += (row.deflated or deflate_part(row.json), _COMMA)
    if rows:
        parts.pop()
    parts.append(deflate_part(tail))
    return gzip_of_parts(parts, pieces)


def json_response(
    body: bytes, *, gzipped: bool, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; `gzipped` says that the body is a gzip stream already."""
    all_headers = {"Vary": "Accept-Encoding", **(headers or {})}
    if gzipped:
        all_headers["Content-Encoding"] = "gzip"
    return Response(body, status, all_headers, "application/json")


def encoded_response(
    content: object, *, accept_encoding: str | None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Any JSON value as an answer, gzip where it is taken and worth it."""
    return bytes_response(msgspec.json.encode(content), accept_encoding=accept_encoding, status=status, headers=headers)


def bytes_response(
    body: bytes, *, accept_encoding: str | None, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON text as an answer, gzip where it is taken and worth it."""
    gzipped = accepts_gzip(accept_encoding) and len(body) >= _WORTH_GZIP
    if gzipped:
        body = gzip_of_parts((deflate_part(body),), (body,))
    return json_response(body, gzipped=gzipped, status=status, headers=headers)


class CutResponse(Response):
    """An answer that promises its whole length, sends half of it and goes away without another word."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the start and half the body; the server closes the connection when the rest doesn't come."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
