"""Which request goes where."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import traceback
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gcs import batch, copies, downloads, listing
from local.gcs.errors import ApiError
from local.gcs.faults import Connections, drops_response, notifies
from local.gcs.outbox import OutboxPump
from local.gcs.store import Store
from local.gcs.uploads import json_object

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_NO_CONTENT = 204

Handler = Callable[["Routes", Request, dict[str, str], tuple[str, ...]], Awaitable[Response]]


class Routes:
    """Answers requests by their undecoded path: an object's name may hold encoded slashes."""

    def __init__(self, store: Store, connections: Connections) -> None:
        self._store = store
        self._connections = connections

    async def __call__(self, request: Request) -> Response:
        """The answer to any request, errors included."""
        try:
            response = await self._dispatch(request)
        except ApiError as error:
            response = error.response()
        except ClientDisconnect:
            # Nobody is left to read it; the status is only for the log of a proxy.
            response = Response(status_code=499)
        if drops_response(request):
            await self._connections.cut(request.scope)
        return response

    async def _dispatch(self, request: Request) -> Response:
        raw = request.scope["raw_path"].decode("latin-1").split("?")[0]
        query = dict(request.query_params)
        for pattern, handler in _TABLE:
            if match := pattern.fullmatch(raw):
                parts = tuple(urllib.parse.unquote(part or "") for part in match.groups())
                return await handler(self, request, query, parts)
        raise ApiError(501, f"Not emulated: {request.method} {raw}")

    async def upload(self, request: Request, query: dict[str, str], parts: tuple[str, ...]) -> Response:
        self._store.buckets.get(parts[0])
        return await self._store.uploads.handle(request, parts[0], query)

    async def media(self, request: Request, query: dict[str, str], parts: tuple[str, ...]) -> Response:
        bucket, name = parts
        await self._store.faults.apply(request, name)
        return downloads.download(request, self._store.objects.get(bucket, name, query))

    async def batch(self, request: Request, _query: dict[str, str], _parts: tuple[str, ...]) -> Response:
        await self._store.faults.apply(request)
        return batch.answer_batch(request.headers.get("content-type", ""), await request.body(), self._batched)

    def _batched(self, method: str, target: str, body: bytes) -> Response:
        url = urllib.parse.urlsplit(target)
        match = _OBJECT.fullmatch(url.path)
        if match is None:
            raise ApiError(501, f"Not emulated in a batch: {method} {url.path}")
        bucket, name = (urllib.parse.unquote(part) for part in match.groups())
        return self._metadata(method, bucket, name, dict(urllib.parse.parse_qsl(url.query)), body)

    def _metadata(self, method: str, bucket: str, name: str, query: dict[str, str], body: bytes) -> Response:
        objects = self._store.objects
        if method in ("GET", "HEAD"):
            return JSONResponse(objects.get(bucket, name, query).resource)
        if method == "DELETE":
            objects.delete(bucket, name, query)
            return Response(status_code=_NO_CONTENT)
        if method in ("PATCH", "PUT"):
            return JSONResponse(objects.change(bucket, name, query, json_object(body), replace=method == "PUT"))
        raise ApiError(501, f"Not emulated: {method} of an object")

    async def object(self, request: Request, query: dict[str, str], parts: tuple[str, ...]) -> Response:
        bucket, name = parts
        if query.get("alt") == "media" and request.method in ("GET", "HEAD"):
            return await self.media(request, query, parts)
        body = await request.body()
        await self._store.faults.apply(request, name)
        return self._metadata(request.method, bucket, name, query, body)

    async def compose(self, request: Request, query: dict[str, str], parts: tuple[str, ...]) -> Response:
        bucket, name = parts
        spec = json_object(await request.body())
        await self._store.faults.apply(request, name)
        store = self._store
        notify = notifies(request)
        return JSONResponse(copies.compose(store.files, store.objects, bucket, name, query, spec, notify=notify))

    async def copy(self, request: Request, query: dict[str, str], parts: tuple[str, ...]) -> Response:
        bucket, name, kind, to_bucket, to_name = parts
        given = json_object(await request.body())
        await self._store.faults.apply(request, to_name)
        resource = copies.copy(
            self._store.files,
            self._store.objects,
            (bucket, name),
            (to_bucket, to_name),
            query,
            given,
            notify=notifies(request),
        )
        return JSONResponse(copies.rewrite_answer(resource) if kind == "rewriteTo" else resource)

    async def objects(self, request: Request, query: dict[str, str], parts: tuple[str, ...]) -> Response:
        await self._store.faults.apply(request, query.get("prefix", ""))
        self._store.buckets.get(parts[0])
        return JSONResponse(listing.list_page(self._store.objects, parts[0], query))

    async def notifications(self, request: Request, _query: dict[str, str], parts: tuple[str, ...]) -> Response:
        bucket, notification = parts[0], parts[1] if len(parts) > 1 else ""
        body = await request.body()
        await self._store.faults.apply(request)
        self._store.buckets.get(bucket)
        configs = self._store.notifications
        if request.method == "POST" and not notification:
            return JSONResponse(configs.create(bucket, json_object(body)))
        if request.method == "DELETE" and notification:
            configs.delete(bucket, notification)
            return Response(status_code=_NO_CONTENT)
        return JSONResponse(configs.get(bucket, notification) if notification else configs.list_all(bucket))

    async def buckets(self, request: Request, query: dict[str, str], _parts: tuple[str, ...]) -> Response:
        body = await request.body()
        await self._store.faults.apply(request)
        if request.method == "POST":
            return JSONResponse(self._store.buckets.create(json_object(body)))
        return JSONResponse(self._store.buckets.list_all(query.get("prefix", "")))

    async def bucket(self, request: Request, _query: dict[str, str], parts: tuple[str, ...]) -> Response:
        body = await request.body()
        await self._store.faults.apply(request)
        if request.method == "DELETE":
            self._store.buckets.delete(parts[0])
            return Response(status_code=_NO_CONTENT)
        if request.method in ("PATCH", "PUT"):
            return JSONResponse(self._store.buckets.patch(parts[0], json_object(body)))
        return JSONResponse(self._store.buckets.get(parts[0]))

    async def faults(self, request: Request, _query: dict[str, str], _parts: tuple[str, ...]) -> Response:
        faults = self._store.faults
        if request.method == "PUT":
            faults.replace(_json(await request.body()))
        elif request.method == "DELETE":
            faults.replace([])
        return JSONResponse(faults.as_json())

    async def outbox(self, _request: Request, _query: dict[str, str], _parts: tuple[str, ...]) -> Response:
        return JSONResponse({"pending": self._store.outbox.pending()})


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise ApiError(400, f"Not JSON: {error}") from None


_B = r"(?:/storage/v1)?/b/([^/]+)"
_OBJECT = re.compile(_B + r"/o/([^/]+)")
_TABLE: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(r"/_emulator/faults"), Routes.faults),
    (re.compile(r"/_emulator/outbox"), Routes.outbox),
    (re.compile(r"(?:/resumable)?/upload/storage/v1/b/([^/]+)/o"), Routes.upload),
    (re.compile(r"/download/storage/v1/b/([^/]+)/o/([^/]+)"), Routes.media),
    (re.compile(r"/batch/storage/v1"), Routes.batch),
    (re.compile(_B + r"/o"), Routes.objects),
    (re.compile(_B + r"/o/([^/]+)/compose"), Routes.compose),
    (re.compile(_B + r"/o/([^/]+)/(rewriteTo|copyTo)/b/([^/]+)/o/([^/]+)"), Routes.copy),
    (_OBJECT, Routes.object),
    (re.compile(_B + r"/notificationConfigs(?:/([^/]+))?"), Routes.notifications),
    (re.compile(r"(?:/storage/v1)?/b"), Routes.buckets),
    (re.compile(_B), Routes.bucket),
    # What signed URLs use; the signature is not looked at.
    (re.compile(r"/([^/]+)/(.+)"), Routes.media),
]


def _end_process_unless_cancelled(pump: asyncio.Task[None]) -> None:
    """An emulator that takes uploads and notifies nobody would be worse than none."""
    if not pump.cancelled():
        traceback.print_exception(pump.exception())
        signal.raise_signal(signal.SIGTERM)


def application(root: Path, base_url: str, pubsub_host: str | None, connections: Connections) -> Starlette:
    """The ASGI application over a data directory; `base_url` is where clients reach it."""
    routes: dict[str, Routes] = {}

    async def endpoint(request: Request) -> Response:
        return await routes["all"](request)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        store = Store.open(root, base_url)
        routes["all"] = Routes(store, connections)
        pump = asyncio.create_task(OutboxPump(store.outbox, pubsub_host).run())
        pump.add_done_callback(_end_process_unless_cancelled)
        try:
            yield
        finally:
            pump.cancel()
            await asyncio.wait([pump])
            store.database.close()

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=_METHODS)], lifespan=lifespan)
