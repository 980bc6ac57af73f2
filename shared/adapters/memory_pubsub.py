"""Pub/Sub in memory, beside `memory`: what was published, and what waits to be pulled."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.adapters.memory import Faults
from shared.errors import PipelineError
from shared.ports import HeldMessage


class MemoryPublisher:
    """Keeps what was published, by topic."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.messages: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []

    def publish(self, topic: str, attributes: Mapping[str, str], data: bytes | None = None) -> None:
        """See Publisher."""
        self._faults.raise_before("publish", topic)
        self.messages.append((topic, dict(attributes)))
        self.bodies.append(data or json.dumps(attributes).encode())
        self._faults.raise_after("publish", topic)


class MemorySubscriber:
    """Subscriptions that are pulled. A message is held until it is acknowledged or given back."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.waiting: dict[str, list[HeldMessage]] = defaultdict(list)
        self.held: dict[str, list[HeldMessage]] = defaultdict(list)
        self._receipts = 0

    def put(self, subscription: str, attributes: Mapping[str, str], data: bytes, published_at: datetime) -> str:
        """Let a message wait in a subscription; its id."""
        self._receipts += 1
        name = f"message-{self._receipts:04d}"
        self.waiting[subscription].append(HeldMessage("", name, published_at, dict(attributes), data))
        return name

    def pull(self, subscription: str, limit: int) -> list[HeldMessage]:
        """See Subscriber. Every pull gives a receipt of its own."""
        self._faults.raise_before("pull", subscription)
        taken = []
        for message in self.waiting[subscription][:limit]:
            self._receipts += 1
            taken.append(replace(message, receipt=f"receipt-{self._receipts:04d}"))
        del self.waiting[subscription][:limit]
        self.held[subscription] += taken
        return taken

    def pull_each(self, subscriptions: Sequence[str], limit: int) -> dict[str, list[HeldMessage] | PipelineError]:
        """See Subscriber."""
        pulled: dict[str, list[HeldMessage] | PipelineError] = {}
        for subscription in subscriptions:
            try:
                pulled[subscription] = self.pull(subscription, limit)
            except PipelineError as exc:
                pulled[subscription] = exc
        return pulled

    def acknowledge(self, subscription: str, receipts: Sequence[str]) -> None:
        """See Subscriber."""
        self._faults.raise_before("acknowledge", subscription)
        self._release(subscription, receipts)
        self._faults.raise_after("acknowledge", subscription)

    def give_back(self, subscription: str, receipts: Sequence[str]) -> None:
        """See Subscriber."""
        self._faults.raise_before("give_back", subscription)
        self.waiting[subscription] += self._release(subscription, receipts)

    def expire(self) -> None:
        """The holds of every subscription run out."""
        for subscription, held in self.held.items():
            self.waiting[subscription] += held
            held.clear()

    def _release(self, subscription: str, receipts: Sequence[str]) -> list[HeldMessage]:
        released = [message for message in self.held[subscription] if message.receipt in receipts]
        self.held[subscription] = [message for message in self.held[subscription] if message.receipt not in receipts]
        return released
