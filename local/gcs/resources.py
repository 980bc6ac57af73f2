"""The JSON documents that describe an object, as the JSON API sends them."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.gcs.hashes import Hashes

Resource = dict[str, Any]
"""A JSON document of the API. Its whole numbers of 64 bits are strings, as in the service."""

WRITABLE = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "metadata",
    "storageClass",
    "temporaryHold",
    "eventBasedHold",
)
"""The fields a client may set."""


def utc_now() -> str:
    """The present as RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def etag(generation: int, metageneration: int) -> str:
    """The etag as GCS builds it: base64 of the protobuf {1: generation, 2: metageneration}."""
    return base64.b64encode(b"\x08" + _varint(generation) + b"\x10" + _varint(metageneration)).decode()


def object_resource(
    base_url: str,
    bucket: str,
    name: str,
    generation: int,
    hashes: Hashes,
    given: Mapping[str, Any],
    component_count: int | None = None,
) -> Resource:
    """A new object's resource; `given` is what the client sent, `component_count` marks a composed object (no MD5)."""
    now, quoted = utc_now(), urllib.parse.quote(name, "")
    resource: Resource = {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{generation}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{bucket}/o/{quoted}",
        # Clients follow this link to download, so it has to lead here and not to Google.
        "mediaLink": f"{base_url}/download/storage/v1/b/{bucket}/o/{quoted}?generation={generation}&alt=media",
        "name": name,
        "bucket": bucket,
        "generation": str(generation),
        "metageneration": "1",
        "contentType": "application/octet-stream",
        "storageClass": "STANDARD",
        "size": str(hashes.size),
        "crc32c": hashes.crc32c,
        "etag": etag(generation, 1),
        "timeCreated": now,
        "updated": now,
        "timeStorageClassUpdated": now,
        "timeFinalized": now,
    }
    if component_count is None:
        resource["md5Hash"] = hashes.md5
    else:
        resource["componentCount"] = component_count
    resource |= {field: given[field] for field in WRITABLE if given.get(field) is not None}
    if not resource.get("metadata"):
        resource.pop("metadata", None)
    return resource


def changed_resource(resource: Resource, changes: Mapping[str, Any], *, replace: bool) -> Resource:
    """The resource after a patch, or after an update (`replace`: what is not named is cleared)."""
    changed = dict(resource)
    for field in WRITABLE:
        if field not in changes:
            if replace and field not in ("contentType", "storageClass"):
                changed.pop(field, None)
            continue
        value = changes[field]
        if field == "metadata" and isinstance(value, Mapping):
            kept = {} if replace else changed.get("metadata", {})
            value = {key: item for key, item in {**kept, **value}.items() if item is not None}
        if value in (None, {}):
            changed.pop(field, None)
        else:
            changed[field] = value
    metageneration = int(resource["metageneration"]) + 1
    changed |= {
        "metageneration": str(metageneration),
        "updated": utc_now(),
        "etag": etag(int(resource["generation"]), metageneration),
    }
    return changed
