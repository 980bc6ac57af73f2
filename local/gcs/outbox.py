"""The durable outbox of notifications, and the pump that publishes from it until Pub/Sub has them.

A row is written in the object's own transaction and removed after the publish is confirmed: at least once, as GCS.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from collections.abc import Iterable
from typing import Any

from local.gcs.notifications import Message

_BACKOFF_FIRST_SECONDS = 0.1
_BACKOFF_MAX_SECONDS = 5.0
_PUBLISH_TIMEOUT_SECONDS = 5.0
_AT_ONCE = 256


class Outbox:
    """Messages that wait for Pub/Sub."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self.changed = asyncio.Event()

    def add(self, messages: Iterable[Message]) -> None:
        """Queue messages, inside the caller's transaction; `wake` the pump after its commit."""
        self._db.executemany(
            "INSERT INTO outbox (topic, data, attributes) VALUES (?, ?, ?)",
            [(message.topic, message.data, json.dumps(message.attributes)) for message in messages],
        )

    def wake(self) -> None:
        """Let the pump look at once."""
        self.changed.set()

    def pending(self) -> int:
        """How many messages are not published yet."""
        count: int = self._db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        return count

    def due(self, now: float, but: set[int]) -> list[tuple[int, int, Message]]:
        """(row, failed attempts, message) of those to publish now, except rows `but`."""
        rows = self._db.execute(
            "SELECT id, attempt, topic, data, attributes FROM outbox WHERE due <= ? ORDER BY id LIMIT ?",
            (now, _AT_ONCE + len(but)),
        ).fetchall()
        fresh = [row for row in rows if row[0] not in but][: max(0, _AT_ONCE - len(but))]
        return [(row[0], row[1], Message(row[2], row[3], json.loads(row[4]))) for row in fresh]

    def published(self, row: int) -> None:
        """Forget a message that Pub/Sub has confirmed."""
        self._db.execute("DELETE FROM outbox WHERE id = ?", (row,))

    def failed(self, row: int, attempt: int, now: float) -> None:
        """Put a message off, longer each time."""
        delay = min(_BACKOFF_MAX_SECONDS, _BACKOFF_FIRST_SECONDS * 2 ** min(attempt, 10))
        self._db.execute("UPDATE outbox SET attempt = ?, due = ? WHERE id = ?", (attempt + 1, now + delay, row))


class OutboxPump:
    """Publishes the outbox with the real client to a Pub/Sub emulator, never to the service itself."""

    def __init__(self, outbox: Outbox, emulator_host: str | None) -> None:
        self._outbox = outbox
        self._host = emulator_host
        self._publisher: Any = None
        self._in_flight: set[int] = set()
        self._last_error = ""

    async def run(self) -> None:
        """Publish for ever; ends by cancellation."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._outbox.changed.clear()
                if self._outbox.pending() and await self._ready():
                    for row, attempt, message in self._outbox.due(time.time(), self._in_flight):
                        self._in_flight.add(row)
                        tasks.create_task(self._publish(row, attempt, message))
                # Rows that were put off need a look without anybody waking the pump.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_BACKOFF_FIRST_SECONDS if self._outbox.pending() else None):
                        await self._outbox.changed.wait()

    async def _ready(self) -> bool:
        if not self._host:
            self._say("notifications wait: PUBSUB_EMULATOR_HOST is not set")
            return False
        if self._publisher is None:
            # Importing the client takes most of a second: not before a notification exists, not in the event loop.
            self._publisher = await asyncio.to_thread(_publisher, self._host)
        return True

    async def _publish(self, row: int, attempt: int, message: Message) -> None:
        from google.api_core.exceptions import GoogleAPIError

        try:
            future = self._publisher.publish(
                message.topic, message.data, retry=None, timeout=_PUBLISH_TIMEOUT_SECONDS, **message.attributes
            )
            await asyncio.wait_for(asyncio.wrap_future(future), 2 * _PUBLISH_TIMEOUT_SECONDS)
        except (GoogleAPIError, TimeoutError) as error:
            self._outbox.failed(row, attempt, time.time())
            self._say(f"notification to {message.topic} not published yet: {type(error).__name__}: {error}")
        else:
            self._outbox.published(row)
            self._last_error = ""
        finally:
            self._in_flight.discard(row)
            self._outbox.wake()

    def _say(self, problem: str) -> None:
        if problem != self._last_error:
            print(problem, file=sys.stderr, flush=True)
        self._last_error = problem


def _publisher(host: str) -> Any:
    import grpc
    from google.cloud import pubsub_v1
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    # A channel waits up to two minutes before it connects again; an emulator that restarts is back in a second. The
    # pool of its own keeps the waiting of another channel in this process out of it.
    options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.use_local_subchannel_pool", 1)]
    transport = PublisherGrpcTransport(channel=grpc.insecure_channel(host, options=options))
    return pubsub_v1.PublisherClient(pubsub_v1.types.BatchSettings(max_latency=0.005), transport=transport)
