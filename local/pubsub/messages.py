"""What happens to a message: published, leased, acknowledged or put off, and in the end perhaps a dead letter."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.pubsub_v1 import types

from local.pubsub.database import transaction
from local.pubsub.errors import InvalidArgument
from local.pubsub.resources import Subscriptions, Topics, max_attempts

_PUSH_BACKOFF_SECONDS = (0.1, 60.0)
"""What the service documents for a push subscription without a retry policy."""
_DEFAULT_MIN_SECONDS, _DEFAULT_MAX_SECONDS = 10.0, 600.0
"""The bounds that a retry policy has where it names none."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message leased for one delivery; `attempt` counts from 1."""

    seq: int
    attempt: int
    message: types.PubsubMessage


def rfc3339(instant: datetime) -> str:
    """An instant as the service writes it, with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def backoff_seconds(subscription: types.Subscription, attempt: int) -> float:
    """The wait after the `attempt`-th failed delivery, without jitter; 0 for a pull without a retry policy."""
    if "retry_policy" in subscription:
        policy = subscription.retry_policy
        low = policy.minimum_backoff.total_seconds() if "minimum_backoff" in policy else _DEFAULT_MIN_SECONDS
        high = policy.maximum_backoff.total_seconds() if "maximum_backoff" in policy else _DEFAULT_MAX_SECONDS
    elif subscription.push_config.push_endpoint:
        low, high = _PUSH_BACKOFF_SECONDS
    else:
        return 0.0
    return float(min(high, low * 2 ** min(attempt - 1, 20)))


class Messages:
    """The messages of all subscriptions. `changed` is set whenever something may be due sooner than before."""

    def __init__(
        self,
        database: sqlite3.Connection,
        topics: Topics,
        subscriptions: Subscriptions,
        jitter: random.Random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db = database
        self._topics = topics
        self._subscriptions = subscriptions
        self._jitter = jitter
        self._clock = clock
        self._last_id = int(clock() * 1e6)
        self.changed = asyncio.Event()

    def publish(self, topic: str, messages: Iterable[types.PubsubMessage]) -> list[str]:
        """Hand messages to every subscription of a topic, all or none; returns their ids. NotFound, InvalidArgument."""
        self._topics.get(topic)
        wanted = list(messages)
        if not wanted:
            raise InvalidArgument("The value for message_count is too small.")
        if any(not message.data and not message.attributes for message in wanted):
            raise InvalidArgument("One or more messages in the publish request is empty.")
        with transaction(self._db):
            ids = [self._fan_out(topic, message) for message in wanted]
        self.changed.set()
        return ids

    def _fan_out(self, topic: str, message: types.PubsubMessage) -> str:
        self._last_id = max(self._last_id + 1, int(self._clock() * 1e6))
        message.message_id, message.publish_time = str(self._last_id), datetime.fromtimestamp(self._clock(), UTC)
        body = types.PubsubMessage.serialize(message)
        self._db.executemany(
            "INSERT INTO message (subscription, body) VALUES (?, ?)",
            [(name, body) for name in self._subscriptions.names_of_topic(topic)],
        )
        return str(self._last_id)

    def lease_push(self, subscription: types.Subscription, limit: int) -> list[Delivery]:
        """Take due messages for pushes that the caller starts now and ends with `ack` or `fail`."""
        leased = []
        for delivery in self._due(subscription, limit):
            self._db.execute(
                "UPDATE message SET attempt = ?, due = NULL, leased = 1 WHERE seq = ?", (delivery.attempt, delivery.seq)
            )
            leased.append(delivery)
        return leased

    def pull(self, name: str, limit: int) -> list[types.ReceivedMessage]:
        """Lease due messages until the ack deadline; NotFound, InvalidArgument."""
        subscription = self._subscriptions.get(name)
        if limit < 1:
            raise InvalidArgument("max_messages must be positive.")
        received = []
        for delivery in self._due(subscription, limit):
            ack_id = uuid.uuid4().hex
            # A lease that runs out is a failed delivery, so the retry policy's wait follows it.
            wait = subscription.ack_deadline_seconds + backoff_seconds(subscription, delivery.attempt)
            self._db.execute(
                "UPDATE message SET attempt = ?, due = ?, leased = 1, ack_id = ? WHERE seq = ?",
                (delivery.attempt, self._clock() + wait, ack_id, delivery.seq),
            )
            told = delivery.attempt if max_attempts(subscription) else 0
            received.append(
                types.ReceivedMessage(ack_id=ack_id, message=delivery.message, delivery_attempt=told),
            )
        return received

    def acknowledge(self, name: str, ack_ids: Iterable[str]) -> None:
        """Forget leased messages; an ack id of an earlier lease does nothing. NotFound."""
        self._subscriptions.get(name)
        self._db.executemany(
            "DELETE FROM message WHERE subscription = ? AND ack_id = ?", [(name, ack_id) for ack_id in ack_ids]
        )

    def modify_ack_deadline(self, name: str, ack_ids: Iterable[str], seconds: int) -> None:
        """Extend leases, or with 0 give the messages back as failed. NotFound, InvalidArgument."""
        subscription = self._subscriptions.get(name)
        if not 0 <= seconds <= 600:
            raise InvalidArgument("ack_deadline_seconds must be between 0 and 600.")
        for ack_id in ack_ids:
            row = self._db.execute(
                "SELECT seq, attempt FROM message WHERE subscription = ? AND ack_id = ?", (name, ack_id)
            ).fetchone()
            if row is None:
                continue
            if seconds == 0:
                self.fail(subscription, row[0], row[1])
                continue
            due = self._clock() + seconds + backoff_seconds(subscription, row[1])
            self._db.execute("UPDATE message SET due = ? WHERE seq = ?", (due, row[0]))

    def ack(self, seq: int) -> None:
        """A push was accepted."""
        self._db.execute("DELETE FROM message WHERE seq = ?", (seq,))

    def fail(self, subscription: types.Subscription, seq: int, attempt: int) -> None:
        """The `attempt`-th delivery failed: deliver again later, or forward a dead letter."""
        if self._forwarded(subscription, seq, attempt):
            return
        wait = backoff_seconds(subscription, attempt) * self._jitter.uniform(0.9, 1.0)
        self._db.execute(
            "UPDATE message SET due = ?, leased = 0, ack_id = NULL WHERE seq = ?", (self._clock() + wait, seq)
        )
        self.changed.set()

    def next_due(self, name: str) -> float | None:
        """Seconds until a subscription's next message is due; None while nothing waits there."""
        row = self._db.execute("SELECT min(due) FROM message WHERE subscription = ?", (name,)).fetchone()
        return None if row[0] is None else max(0.0, row[0] - self._clock())

    def _due(self, subscription: types.Subscription, limit: int) -> list[Delivery]:
        rows = self._db.execute(
            "SELECT seq, attempt, body FROM message WHERE subscription = ? AND due <= ? ORDER BY seq LIMIT ?",
            (subscription.name, self._clock(), limit),
        ).fetchall()
        return [
            Delivery(seq, attempt + 1, types.PubsubMessage.deserialize(body))
            for seq, attempt, body in rows
            # The last lease of a dead letter may have run out without anybody saying so.
            if not self._forwarded(subscription, seq, attempt)
        ]

    def _forwarded(self, subscription: types.Subscription, seq: int, attempt: int) -> bool:
        """Move a message to the dead letter topic if its attempts are used up; without the topic it stays."""
        limit, topic = max_attempts(subscription), subscription.dead_letter_policy.dead_letter_topic
        if limit is None or attempt < limit or not self._topics.exists(topic):
            return False
        row = self._db.execute("SELECT body FROM message WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            return True
        message = types.PubsubMessage.deserialize(row[0])
        project, name = subscription.name.split("/")[1::2]
        message.attributes.update(
            {
                "CloudPubSubDeadLetterSourceDeliveryCount": str(attempt),
                "CloudPubSubDeadLetterSourceSubscription": name,
                "CloudPubSubDeadLetterSourceSubscriptionProject": project,
                "CloudPubSubDeadLetterSourceTopicPublishTime": rfc3339(message.publish_time),
            }
        )
        with transaction(self._db):
            self._fan_out(topic, message)
            self._db.execute("DELETE FROM message WHERE seq = ?", (seq,))
        self.changed.set()
        return True
