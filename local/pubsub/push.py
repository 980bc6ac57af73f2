"""Push delivery: one POST for a message, many at once, each subscription within its own limit."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx
from google.pubsub_v1 import types

from local.pubsub.messages import Delivery, Messages, rfc3339
from local.pubsub.resources import Subscriptions, max_attempts

_ACCEPTED = frozenset({102, 200, 201, 202, 204})
_AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"
_OUTSTANDING_MAX = 64
"""Pushes of one subscription at a time, so that a slow endpoint holds up only its own."""
_EVENTARC_MODE, _EVENTARC_PREFIX = "__GCP_CloudEventsMode", "CUSTOM_PUBSUB_"


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push as it goes over the wire."""

    url: str
    headers: dict[str, str]
    body: bytes


def push_request(subscription: types.Subscription, delivery: Delivery) -> PushRequest:
    """The wrapped push JSON; `deliveryAttempt` is there only with a dead letter policy, as in the service.

    An endpoint with the query parameter that Eventarc sets gets a CloudEvent in binary mode instead.
    """
    message, url = delivery.message, subscription.push_config.push_endpoint
    published = rfc3339(message.publish_time)
    wrapped: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode(),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.attributes:
        wrapped["attributes"] = dict(message.attributes)
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": wrapped, "subscription": subscription.name}
    if max_attempts(subscription):
        body["deliveryAttempt"] = delivery.attempt
    headers = {"content-type": "application/json", "user-agent": _AGENT}
    mode = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get(_EVENTARC_MODE, [""])[0]
    if mode.startswith(_EVENTARC_PREFIX):
        headers |= {
            "ce-specversion": "1.0",
            "ce-id": message.message_id,
            "ce-time": published,
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "ce-source": "//pubsub.googleapis.com/" + mode.removeprefix(_EVENTARC_PREFIX),
        }
    return PushRequest(url, headers, json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which deliveries go out twice: a share of them, decided by the seed and the message, not by timing."""

    probability: float = 0.0
    seed: int = 0

    def copies(self, delivery: Delivery) -> int:
        """1, or 2 for a delivery to double."""
        draw = random.Random(f"{self.seed}:{delivery.seq}:{delivery.attempt}").random()
        return 2 if draw < self.probability else 1


class PushPump:
    """Delivers what is due to every push subscription."""

    def __init__(self, subscriptions: Subscriptions, messages: Messages, duplicates: Duplicates) -> None:
        self._subscriptions = subscriptions
        self._messages = messages
        self._duplicates = duplicates
        self._outstanding: Counter[str] = Counter()

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as http, asyncio.TaskGroup() as tasks:
            while True:
                self._messages.changed.clear()
                waits: list[float] = []
                for subscription in self._subscriptions.pushed():
                    room = _OUTSTANDING_MAX - self._outstanding[subscription.name]
                    leased = self._messages.lease_push(subscription, room)
                    self._outstanding[subscription.name] += len(leased)
                    for delivery in leased:
                        tasks.create_task(self._deliver(http, subscription, delivery))
                    wait = self._messages.next_due(subscription.name)
                    # A subscription that is full looks again when one of its pushes ends.
                    if wait is not None and len(leased) < room:
                        waits.append(max(wait, 0.01))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(waits, default=None)):
                        await self._messages.changed.wait()

    async def _deliver(self, http: httpx.AsyncClient, subscription: types.Subscription, delivery: Delivery) -> None:
        request = push_request(subscription, delivery)
        timeout = float(subscription.ack_deadline_seconds)
        pushes = [self._post(http, request, timeout) for _ in range(self._duplicates.copies(delivery))]
        try:
            accepted = await asyncio.gather(*pushes)
        finally:
            self._outstanding[subscription.name] -= 1
        # Both copies of a doubled delivery are the same message: one acceptance acknowledges it.
        if any(accepted):
            self._messages.ack(delivery.seq)
        else:
            self._messages.fail(subscription, delivery.seq, delivery.attempt)
        self._messages.changed.set()

    async def _post(self, http: httpx.AsyncClient, request: PushRequest, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                answer = await http.post(request.url, content=request.body, headers=request.headers, timeout=timeout)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return False
        return answer.status_code in _ACCEPTED
