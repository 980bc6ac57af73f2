"""Objects made of objects: compose, copy and rewrite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.gcs.content import ContentFiles
from local.gcs.errors import ApiError
from local.gcs.hashes import Hashes, blocks_of
from local.gcs.objects import Finished, Objects, StoredObject
from local.gcs.preconditions import Preconditions
from local.gcs.resources import WRITABLE, Resource

_COMPOSE_MAX = 32


def _joined(files: ContentFiles, sources: Sequence[StoredObject]) -> tuple[Path, Hashes]:
    path, hashes = files.new_upload(), Hashes()
    with path.open("wb") as out:
        for source in sources:
            for block in blocks_of(source.path):
                out.write(block)
                hashes.update(block)
    return path, hashes


def compose(
    files: ContentFiles,
    objects: Objects,
    bucket: str,
    name: str,
    query: Mapping[str, str],
    spec: Mapping[str, Any],
    *,
    notify: bool,
) -> Resource:
    """Join up to 32 objects of a bucket; ApiError 400, 404 or 412."""
    sources: list[StoredObject] = []
    for entry in spec.get("sourceObjects", ()):
        pinned = {"generation": str(entry["generation"])} if entry.get("generation") else {}
        wanted = entry.get("objectPreconditions", {}).get("ifGenerationMatch")
        match = {"ifGenerationMatch": str(wanted)} if wanted is not None else {}
        sources.append(objects.get(bucket, entry["name"], pinned | match))
    if not 1 <= len(sources) <= _COMPOSE_MAX:
        raise ApiError(400, f"The number of source components must be between 1 and {_COMPOSE_MAX}.")
    path, hashes = _joined(files, sources)
    count = sum(source.resource.get("componentCount", 1) for source in sources)
    return objects.create(
        bucket, name, Finished(path, hashes, spec.get("destination", {}), count, notify=notify), query
    )


def copy(
    files: ContentFiles,
    objects: Objects,
    source: tuple[str, str],
    target: tuple[str, str],
    query: Mapping[str, str],
    given: Mapping[str, Any],
    *,
    notify: bool,
) -> Resource:
    """Copy (bucket, name) to (bucket, name), with the source's metadata unless `given`; ApiError 404 or 412."""
    pinned = {"generation": query["sourceGeneration"]} if "sourceGeneration" in query else {}
    found = objects.get(*source, pinned)
    Preconditions.from_query(query, "Source").check(found.version)
    path, hashes = _joined(files, [found])
    metadata = given or {field: found.resource[field] for field in WRITABLE if field in found.resource}
    finished = Finished(path, hashes, metadata, found.resource.get("componentCount"), notify=notify)
    return objects.create(*target, finished, query)


def rewrite_answer(resource: Resource) -> Resource:
    """The answer to a rewrite, which is always done in one call here."""
    size = resource["size"]
    return {
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": size,
        "objectSize": size,
        "done": True,
        "resource": resource,
    }
