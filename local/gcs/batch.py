"""Batch requests: several calls on object metadata in one HTTP request."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.responses import Response

from local.gcs.errors import ApiError
from local.gcs.uploads import split_multipart

MetadataCall = Callable[[str, str, bytes], Response]
"""(method, path with query, body) -> answer; may raise ApiError."""


def answer_batch(content_type: str, body: bytes, call: MetadataCall) -> Response:
    """Carry out each part by `call`; one that fails does not stop the others. ApiError 400 for a malformed batch."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if boundary is None:
        raise ApiError(400, "A batch is multipart/mixed with a boundary.")
    out = b""
    for headers, part in split_multipart(content_type, body):
        head, _, payload = part.lstrip().replace(b"\r\n", b"\n").partition(b"\n\n")
        words = head.split(b"\n", 1)[0].decode().split(" ")
        if len(words) < 2:
            raise ApiError(400, "A part of a batch begins with a request line.")
        try:
            answer = call(words[0], words[1], payload)
        except ApiError as error:
            answer = error.response()
        content = bytes(answer.body)
        out += (
            f"--{boundary[1]}\r\nContent-Type: application/http\r\n"
            f"Content-ID: <response-{headers.get('content-id', '').strip('<>')}>\r\n\r\n"
            f"HTTP/1.1 {answer.status_code} -\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode()
        out += content + b"\r\n"
    return Response(out + f"--{boundary[1]}--".encode(), media_type=f"multipart/mixed; boundary={boundary[1]}")
