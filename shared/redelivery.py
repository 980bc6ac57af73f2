"""A message that is published again: the same work as the first time, however much later that is.

A scheduler's bare tick means the window of the instant at which it was published. Published again as it is, it would
mean another one; so it is given its window before.
"""

from collections.abc import Mapping
from datetime import datetime

from shared.instants import from_text
from shared.messages import LANDED_TOPIC, SWEEP_TOPIC, ExtractMessage
from shared.ports import HeldMessage, Publisher, Subscriber
from shared.registry.load import Registry
from shared.windows.schedule import window_at

_DEAD_LETTER = "CloudPubSubDeadLetter"
PUBLISHED_AT = "CloudPubSubDeadLetterSourceTopicPublishTime"
"""Attribute of a dead letter: when the message was published first."""
REDRIVES = "redrives"
"""Attribute of a dead letter that was published again: how often."""


def dead_topic(topic: str) -> str:
    """The dead-letter topic of a topic, and the subscription that keeps its letters."""
    return f"{topic}-dead"


def pushed_topics(registry: Registry, *, enabled_only: bool = False) -> list[str]:
    """Every topic that is pushed to a function and has a dead-letter topic; of the enabled sources only, if asked."""
    sources = [source for source in registry.sources.values() if source.enabled or not enabled_only]
    return [*sorted({source.topic for source in sources}), LANDED_TOPIC, SWEEP_TOPIC]


def first_published_at(attributes: Mapping[str, str], published_at: datetime) -> datetime:
    """When a dead letter was published first; its own instant when it does not say."""
    try:
        return from_text(attributes[PUBLISHED_AT])
    except (KeyError, ValueError):
        return published_at


def pinned(registry: Registry, attributes: Mapping[str, str], published_at: datetime) -> dict[str, str]:
    """The attributes to publish again of a message that was first published at `published_at`."""
    own = {name: value for name, value in attributes.items() if not name.startswith(_DEAD_LETTER)}
    source = registry.sources.get(own.get("source", ""))
    if source is None or own.get("window"):
        return own
    pipeline = registry.pipeline_of(source)
    window = window_at(pipeline.name, pipeline.cron, published_at)
    return {**own, **ExtractMessage(source.name, window.interval).attributes()}


def redrives(attributes: Mapping[str, str]) -> int:
    """How often a dead letter was published again already."""
    text = attributes.get(REDRIVES, "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def redrive(
    registry: Registry, publisher: Publisher, subscriber: Subscriber, topic: str, letter: HeldMessage
) -> dict[str, str]:
    """Publish a dead letter of `topic` again, then take it away; the attributes that it got.

    A death in between doubles the message, which nobody minds. Raises PublishFailed, PullFailed.
    """
    attributes = pinned(registry, letter.attributes, first_published_at(letter.attributes, letter.published_at))
    attributes[REDRIVES] = str(redrives(letter.attributes) + 1)
    publisher.publish(topic, attributes, letter.data)
    subscriber.acknowledge(dead_topic(topic), [letter.receipt])
    return attributes
