"""The double's webhooks: its events as signed messages (Standard Webhooks), sent as badly as the vendor may send them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the signature is HMAC-SHA256
over `id.timestamp.body`, by the key that follows `whsec_` in base64.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import httpx
import msgspec

from local.sources.incident_io.events import Event, events_between
from local.sources.incident_io.ids import base32
from local.sources.incident_io.store import WorkspaceStore

MOST_TOLD = timedelta(days=2)
"""A clock that is moved further leaps through history, which no webhook ever told."""

_REPEATED = 0.1


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is sent, each time with a signature of that time. The id is the same every time."""

    webhook_id: str
    event_type: str
    body: bytes

    def headers(self, secret: str, unix_seconds: int) -> dict[str, str]:
        """The headers of sending it at that second."""
        return {
            "content-type": "application/json",
            "webhook-id": self.webhook_id,
            "webhook-timestamp": str(unix_seconds),
            "webhook-signature": signature(secret, self.webhook_id, unix_seconds, self.body),
        }


def signature(secret: str, webhook_id: str, unix_seconds: int, body: bytes) -> str:
    """The signature's header. ValueError for a secret that is not `whsec_` and base64."""
    prefix, _, encoded = secret.partition("whsec_")
    if prefix or not encoded:
        raise ValueError("a webhook's secret begins with whsec_")
    key = base64.b64decode(encoded, validate=True)
    signed = b"%b.%d.%b" % (webhook_id.encode(), unix_seconds, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def message_of(workspace: str, event: Event) -> Message:
    """The event's message: the same event has the same id in every run."""
    told = f"{workspace}/{event.event_type}/{event.subject}/{event.at.isoformat()}"
    number = int.from_bytes(hashlib.sha256(told.encode()).digest()[:16], "big")
    return Message(f"msg_{base32(number, 26)}", event.event_type, msgspec.json.encode(event.body))


def deliveries(store: WorkspaceStore, start: datetime, end: datetime, seed: int) -> list[Message]:
    """What is sent of (start, end]: every event at least once, some twice, in no order."""
    rng = Random(f"{seed}/{store.workspace.name}/{start.isoformat()}")
    messages = [message_of(store.workspace.name, event) for event in events_between(store, start, end)]
    messages += [message for message in messages if rng.random() < _REPEATED]
    rng.shuffle(messages)
    return messages


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where messages go: a workspace's under `<url>/<workspace>`, signed with its secret."""

    url: str
    secrets: Mapping[str, str] = field(repr=False)

    def send(self, workspace: str, messages: Iterable[Message], unix_seconds: Callable[[], float] = time.time) -> int:
        """Send them in this order; returns how many were taken (2xx). Raises httpx.HTTPError when nobody answers."""
        with httpx.Client(timeout=15) as client:  # the vendor gives 15 s
            return sum(
                client.post(
                    f"{self.url.rstrip('/')}/{workspace}",
                    content=message.body,
                    headers=message.headers(self.secrets[workspace], int(unix_seconds())),
                ).is_success
                for message in messages
            )


class WebhookSender:
    """Tells a target what changed whenever the clock is moved forward, without keeping the clock waiting."""

    def __init__(self, target: WebhookTarget, stores: Sequence[WorkspaceStore], now: datetime, seed: int) -> None:
        self._target = target
        self._stores = [store for store in stores if store.workspace.name in target.secrets]
        self._told_until = now
        self._seed = seed
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webhooks")

    def moved(self, now: datetime) -> None:
        """The clock shows `now`."""
        start, self._told_until = self._told_until, now
        if timedelta() < now - start <= MOST_TOLD:
            for store in self._stores:
                messages = deliveries(store, start, now, self._seed)
                self._worker.submit(self._send, store.workspace.name, messages)

    def drain(self) -> None:
        """Wait until everything was sent; nothing is sent afterwards."""
        self._worker.shutdown(wait=True)

    def _send(self, workspace: str, messages: Sequence[Message]) -> None:
        try:
            taken = self._target.send(workspace, messages)
        except httpx.HTTPError as error:
            print(f"webhooks of {workspace}: {error!r}", file=sys.stderr)
        else:
            if taken < len(messages):
                print(f"webhooks of {workspace}: {taken} of {len(messages)} taken", file=sys.stderr)
