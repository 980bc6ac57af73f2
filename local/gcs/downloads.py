"""Media downloads, whole or a range."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.gcs.errors import ApiError
from local.gcs.hashes import BLOCK_BYTES
from local.gcs.objects import StoredObject

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte of a Range header, None when there is none to honour; ApiError 416 when it lies outside."""
    match = _RANGE.fullmatch(header)
    if match is None or match[0] == "bytes=-":
        return None
    if match[1]:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    else:
        first, last = max(0, size - int(match[2])), size - 1
    if first >= size or last < first:
        raise ApiError(416, "Request range not satisfiable")
    return first, last


def _blocks(file: IO[bytes], left: int) -> Iterator[bytes]:
    with file:
        while left > 0 and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block


def _opened(path: Path, first: int) -> IO[bytes]:
    file = path.open("rb")
    file.seek(first)
    return file


def download(request: Request, stored: StoredObject) -> Response:
    """The object's bytes. The file is opened here, so an overwrite does not disturb a download that runs."""
    resource, size = stored.resource, int(stored.resource["size"])
    chosen = byte_range(request.headers.get("range", ""), size)
    first, last = chosen or (0, size - 1)
    md5 = f",md5={resource['md5Hash']}" if "md5Hash" in resource else ""
    headers = {
        "content-length": str(last - first + 1),
        "content-type": resource["contentType"],
        "etag": resource["etag"],
        "accept-ranges": "bytes",
        "x-goog-generation": resource["generation"],
        "x-goog-metageneration": resource["metageneration"],
        "x-goog-stored-content-length": resource["size"],
        "x-goog-storage-class": resource["storageClass"],
        "x-goog-hash": f"crc32c={resource['crc32c']}{md5}",
    }
    if "contentEncoding" in resource:
        headers |= {"content-encoding": resource["contentEncoding"]}
    if chosen:
        headers |= {"content-range": f"bytes {first}-{last}/{size}"}
    if request.method == "HEAD":
        return Response(status_code=206 if chosen else 200, headers=headers)
    return StreamingResponse(_blocks(_opened(stored.path, first), last - first + 1), 206 if chosen else 200, headers)
