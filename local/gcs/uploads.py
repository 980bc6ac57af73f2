"""The three kinds of upload: media (bytes alone), multipart (metadata and bytes), resumable (a session of chunks)."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import re
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from local.gcs.content import ContentFiles
from local.gcs.errors import ApiError
from local.gcs.faults import Faults, notifies
from local.gcs.hashes import Hashes, from_header
from local.gcs.objects import Finished, Objects

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+|\*)|\*)/(\d+|\*)")


def json_object(body: bytes) -> dict[str, Any]:
    """A request's JSON object, {} for no body; ApiError 400 for anything else."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        raise ApiError(400, "Parse Error") from None
    if not isinstance(parsed, dict):
        raise ApiError(400, "Parse Error")
    return parsed


def split_multipart(content_type: str, body: bytes) -> list[tuple[Mapping[str, str], bytes]]:
    """(headers, bytes) of each part of a multipart body; header names as the client wrote them, case ignored."""
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    parts: list[tuple[Mapping[str, str], bytes]] = []
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        headers = {key.lower(): str(value) for key, value in part.items()}
        parts.append((headers, payload if isinstance(payload, bytes) else b""))
    return parts


@dataclass(frozen=True, slots=True)
class _Session:
    id: str
    path: Path
    bucket: str
    name: str
    query: dict[str, str]
    given: dict[str, Any]
    result: str | None


class Uploads:
    """Takes uploads of all kinds. Sessions outlive a restart: their bytes are on disk and are hashed again."""

    def __init__(self, database: sqlite3.Connection, files: ContentFiles, objects: Objects, faults: Faults) -> None:
        self._db = database
        self._files = files
        self._objects = objects
        self._faults = faults
        self._hashes: dict[str, Hashes] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def handle(self, request: Request, bucket: str, query: dict[str, str]) -> Response:
        """Answer a request under /upload/."""
        if "upload_id" in query:
            await self._faults.apply(request, self._name_of(query["upload_id"]))
            # A client that gave up waiting sends its chunk again while the first is still read.
            async with self._locks[query["upload_id"]]:
                return await self._continue(request, query["upload_id"])
        if request.method != "POST":
            # The client's BlobWriter ends a failed upload by a DELETE without the session: nothing to retry.
            return Response(status_code=404)
        kinds = {"resumable": self._begin, "multipart": self._multipart, "media": self._media}
        kind = kinds.get(query.get("uploadType", ""))
        if kind is None:
            raise ApiError(400, f"Invalid uploadType: '{query.get('uploadType', '')}'")
        return await kind(request, bucket, query)

    async def _media(self, request: Request, bucket: str, query: dict[str, str]) -> Response:
        name = query.get("name", "")
        await self._faults.apply(request, name)
        hashed = from_header(request.headers.get("x-goog-hash", ""))
        given = {"contentType": request.headers.get("content-type")} | hashed
        path, hashes = self._files.new_upload(), Hashes()
        try:
            await _receive(request, path, hashes)
        except ClientDisconnect:
            path.unlink()
            raise
        finished = Finished(path, hashes, given, notify=notifies(request))
        return JSONResponse(self._objects.create(bucket, name, finished, query))

    async def _multipart(self, request: Request, bucket: str, query: dict[str, str]) -> Response:
        parts = split_multipart(request.headers.get("content-type", ""), await request.body())
        if len(parts) != 2:
            raise ApiError(400, "A multipart upload has two parts.")
        (_, metadata), (headers, data) = parts
        given = json_object(metadata)
        given.setdefault("contentType", headers.get("content-type"))
        given |= from_header(request.headers.get("x-goog-hash", ""))
        name = str(query.get("name") or given.get("name", ""))
        await self._faults.apply(request, name)
        path, hashes = self._files.new_upload(), Hashes()
        hashes.update(data)
        path.write_bytes(data)
        finished = Finished(path, hashes, given, notify=notifies(request))
        return JSONResponse(self._objects.create(bucket, name, finished, query))

    async def _begin(self, request: Request, bucket: str, query: dict[str, str]) -> Response:
        given = json_object(await request.body())
        name = str(query.get("name") or given.get("name", ""))
        await self._faults.apply(request, name)
        given.setdefault("contentType", request.headers.get("x-upload-content-type"))
        self._objects.check_create(bucket, name, query)
        session, path = secrets.token_urlsafe(48), self._files.new_upload()
        path.touch()
        self._db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (session, path.name, bucket, name, json.dumps(query), json.dumps(given)),
        )
        where = f"{request.url.scheme}://{request.headers['host']}/upload/storage/v1/b/{bucket}/o"
        location = f"{where}?uploadType=resumable&upload_id={session}"
        return Response(headers={"location": location, "x-guploader-uploadid": session})

    def _session(self, session: str) -> _Session | None:
        row = self._db.execute(
            "SELECT file, bucket, name, query, body, result FROM session WHERE id = ?", (session,)
        ).fetchone()
        if row is None:
            return None
        file, bucket, name, query, body, result = row
        path = self._files.uploads / file
        return _Session(session, path, bucket, name, json.loads(query), json.loads(body), result)

    def _name_of(self, session_id: str) -> str:
        session = self._session(session_id)
        return session.name if session else ""

    async def _continue(self, request: Request, session_id: str) -> Response:
        session = self._session(session_id)
        if session is None:
            return Response(status_code=404)
        if session.result is not None:
            # The answer to the last chunk was lost: the service tells the result again.
            return Response(session.result, media_type="application/json")
        if request.method == "DELETE":
            self._end(session)
            session.path.unlink(missing_ok=True)
            return Response(status_code=499)
        hashes = self._hashes.get(session.id)
        if hashes is None:
            hashes = self._hashes[session.id] = Hashes.of_file(session.path)
        total = await _append(request, session.path, hashes)
        if total is None or hashes.size < total:
            received = {"range": f"bytes=0-{hashes.size - 1}"} if hashes.size else {}
            return Response(status_code=308, headers=received)
        if hashes.size > total:
            raise ApiError(400, f"Received {hashes.size} bytes of {total}.")
        return self._finish(session, hashes, request)

    def _finish(self, session: _Session, hashes: Hashes, request: Request) -> Response:
        given = session.given | from_header(request.headers.get("x-goog-hash", ""))
        finished = Finished(session.path, hashes, given, notify=notifies(request), session=session.id)
        try:
            resource = self._objects.create(session.bucket, session.name, finished, session.query)
        except ApiError:
            self._end(session)
            raise
        self._forget(session)
        return JSONResponse(resource)

    def _forget(self, session: _Session) -> None:
        self._hashes.pop(session.id, None)
        self._locks.pop(session.id, None)

    def _end(self, session: _Session) -> None:
        self._forget(session)
        self._db.execute("DELETE FROM session WHERE id = ?", (session.id,))


async def _receive(request: Request, path: Path, hashes: Hashes, skip: int = 0) -> None:
    """Append the request's bytes to a file except the first `skip`, and hash what is appended."""
    with path.open("ab") as file:
        async for chunk in request.stream():
            fresh = chunk[skip:]
            skip -= len(chunk) - len(fresh)
            file.write(fresh)
            hashes.update(fresh)


async def _append(request: Request, path: Path, hashes: Hashes) -> int | None:
    """Take a chunk of a session; returns the object's size, None while the client has not said it."""
    header = request.headers.get("content-range")
    if header is None:
        await _receive(request, path, hashes, skip=hashes.size)
        return hashes.size
    match = _CONTENT_RANGE.fullmatch(header)
    if match is None:
        raise ApiError(400, f"Invalid Content-Range: '{header}'")
    start, total = match[1], match[3]
    if start is not None and int(start) <= hashes.size:
        # A chunk that is sent again after a lost answer overlaps what is there; those bytes are the same.
        await _receive(request, path, hashes, skip=hashes.size - int(start))
    return None if total == "*" else int(total)
