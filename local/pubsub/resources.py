"""Topics and subscriptions: create, read, change, list and delete."""

from __future__ import annotations

import re
import sqlite3
import urllib.parse

from google.pubsub_v1 import types

from local.pubsub.errors import AlreadyExists, InvalidArgument, NotFound

DELETED_TOPIC = "_deleted-topic_"
_NAME = re.compile(r"projects/[^/]+/(topics|subscriptions)/[A-Za-z][\w.~+%-]{2,254}")


def max_attempts(subscription: types.Subscription) -> int | None:
    """After how many failed deliveries a message is a dead letter; None without a dead letter policy."""
    if "dead_letter_policy" not in subscription:
        return None
    return subscription.dead_letter_policy.max_delivery_attempts or 5


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _checked(subscription: types.Subscription) -> types.Subscription:
    if subscription.filter:
        raise InvalidArgument("Filters are not emulated: use a topic for each kind of message.")
    attempts = max_attempts(subscription)
    if attempts is not None and not 5 <= attempts <= 100:
        raise InvalidArgument("max_delivery_attempts must be between 5 and 100.")
    subscription.ack_deadline_seconds = subscription.ack_deadline_seconds or 10
    if not 10 <= subscription.ack_deadline_seconds <= 600:
        raise InvalidArgument("ack_deadline_seconds must be between 10 and 600.")
    endpoint = subscription.push_config.push_endpoint
    if endpoint and urllib.parse.urlsplit(endpoint).scheme not in ("http", "https"):
        raise InvalidArgument(f"Invalid push endpoint given (endpoint={endpoint}).")
    return subscription


class Topics:
    """The topics of all projects."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def create(self, topic: types.Topic) -> types.Topic:
        """Add a topic; InvalidArgument for a bad name, AlreadyExists."""
        if (match := _NAME.fullmatch(topic.name)) is None or match[1] != "topics":
            raise InvalidArgument(f"Invalid topic name: '{topic.name}'.")
        try:
            self._db.execute("INSERT INTO topic VALUES (?, ?)", (topic.name, types.Topic.serialize(topic)))
        except sqlite3.IntegrityError:
            raise AlreadyExists(f"Topic already exists (resource={_short(topic.name)}).") from None
        return topic

    def exists(self, name: str) -> bool:
        """Whether there is such a topic."""
        return self._db.execute("SELECT 1 FROM topic WHERE name = ?", (name,)).fetchone() is not None

    def get(self, name: str) -> types.Topic:
        """The topic; NotFound."""
        row = self._db.execute("SELECT body FROM topic WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NotFound(f"Topic not found (resource={_short(name)}).")
        topic: types.Topic = types.Topic.deserialize(row[0])
        return topic

    def of_project(self, project: str) -> list[types.Topic]:
        """All topics of `projects/P`, by name."""
        rows = self._db.execute("SELECT name, body FROM topic ORDER BY name")
        return [types.Topic.deserialize(body) for name, body in rows if name.startswith(f"{project}/topics/")]

    def delete(self, name: str) -> None:
        """Remove a topic; its subscriptions stay and keep what they hold, as in the service. NotFound."""
        self.get(name)
        self._db.execute("DELETE FROM topic WHERE name = ?", (name,))
        for row in self._db.execute("SELECT body FROM subscription WHERE topic = ?", (name,)).fetchall():
            subscription = types.Subscription.deserialize(row[0])
            subscription.topic = DELETED_TOPIC
            self._db.execute(
                "UPDATE subscription SET topic = ?, body = ? WHERE name = ?",
                (DELETED_TOPIC, types.Subscription.serialize(subscription), subscription.name),
            )


class Subscriptions:
    """The subscriptions of all projects."""

    def __init__(self, database: sqlite3.Connection, topics: Topics) -> None:
        self._db = database
        self._topics = topics
        self._pushed: list[types.Subscription] | None = None

    def create(self, subscription: types.Subscription) -> types.Subscription:
        """Add a subscription to an existing topic; NotFound, AlreadyExists, InvalidArgument."""
        if (match := _NAME.fullmatch(subscription.name)) is None or match[1] != "subscriptions":
            raise InvalidArgument(f"Invalid subscription name: '{subscription.name}'.")
        self._topics.get(subscription.topic)
        if self._db.execute("SELECT 1 FROM subscription WHERE name = ?", (subscription.name,)).fetchone():
            raise AlreadyExists(f"Subscription already exists (resource={_short(subscription.name)}).")
        return self._save(_checked(subscription))

    def get(self, name: str) -> types.Subscription:
        """The subscription; NotFound."""
        row = self._db.execute("SELECT body FROM subscription WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NotFound(f"Subscription does not exist (resource={_short(name)}).")
        subscription: types.Subscription = types.Subscription.deserialize(row[0])
        return subscription

    def change(self, changed: types.Subscription, paths: list[str]) -> types.Subscription:
        """Set the named fields; NotFound, InvalidArgument."""
        subscription = self.get(changed.name)
        fixed = {"name", "topic", "filter", "enable_message_ordering"}
        for path in paths:
            if path in fixed or path not in types.Subscription.meta.fields:
                raise InvalidArgument(f"Invalid update_mask path: '{path}'.")
            setattr(subscription, path, getattr(changed, path) if path in changed else None)
        return self._save(_checked(subscription))

    def of_project(self, project: str) -> list[types.Subscription]:
        """All subscriptions of `projects/P`, by name."""
        prefix = f"{project}/subscriptions/"
        rows = self._db.execute("SELECT name, body FROM subscription ORDER BY name")
        return [types.Subscription.deserialize(body) for name, body in rows if name.startswith(prefix)]

    def names_of_topic(self, topic: str) -> list[str]:
        """The names of a topic's subscriptions."""
        rows = self._db.execute("SELECT name FROM subscription WHERE topic = ? ORDER BY name", (topic,))
        return [row[0] for row in rows]

    def pushed(self) -> list[types.Subscription]:
        """The subscriptions with a push endpoint, read anew only after a change: the pump asks often."""
        if self._pushed is None:
            rows = self._db.execute("SELECT body FROM subscription WHERE push_endpoint <> ''")
            self._pushed = [types.Subscription.deserialize(row[0]) for row in rows]
        return self._pushed

    def delete(self, name: str) -> None:
        """Remove a subscription and what it holds; NotFound."""
        self.get(name)
        self._pushed = None
        self._db.execute("DELETE FROM subscription WHERE name = ?", (name,))
        self._db.execute("DELETE FROM message WHERE subscription = ?", (name,))

    def _save(self, subscription: types.Subscription) -> types.Subscription:
        self._pushed = None
        self._db.execute(
            "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?)",
            (
                subscription.name,
                subscription.topic,
                subscription.push_config.push_endpoint,
                types.Subscription.serialize(subscription),
            ),
        )
        return subscription
