"""Dead letters: messages that every attempt failed on, kept in a subscription of their own until somebody decides."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from shared.errors import ConfigurationError
from shared.instants import to_text
from shared.ports import HeldMessage, Publisher, Subscriber
from shared.redelivery import dead_topic, first_published_at, pushed_topics, redrive, redrives
from shared.registry.load import Registry

_AT_A_TIME = 50
_LOOKED_AT_AT_ONCE = 8
# An empty subscription holds its pull for seconds; dozens of them one after another would take minutes.


@dataclass(frozen=True, slots=True)
class DeadLetterPorts:
    """What dead letters are read from and published to."""

    registry: Registry
    subscriber: Subscriber
    publisher: Publisher


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter of a topic."""

    topic: str
    message: HeldMessage

    def described(self) -> dict[str, Any]:
        """Everything but the data, which may be long."""
        message = self.message
        return {
            "topic": self.topic,
            "id": message.id,
            "published_at": to_text(first_published_at(message.attributes, message.published_at)),
            "dead_since": to_text(message.published_at),
            "redrives": redrives(message.attributes),
            "attributes": dict(message.attributes),
            "bytes": len(message.data),
        }


def chosen_topics(registry: Registry, wanted: str | None) -> list[str]:
    """The topics to look through: the one of that name, or of that source; else all. Raises ConfigurationError."""
    known = pushed_topics(registry)
    if wanted is None:
        return known
    source = registry.sources.get(wanted)
    topic = source.topic if source is not None else wanted
    if topic not in known:
        raise ConfigurationError([f"{wanted!r} is neither a topic nor a source; known topics: {', '.join(known)}"])
    return [topic]


def list_letters(ports: DeadLetterPorts, topics: Sequence[str], *, limit: int) -> list[Letter]:
    """At most `limit` letters of each topic, oldest first; they stay where they are."""

    def look(topic: str) -> list[Letter]:
        held = _held(ports.subscriber, topic, limit)
        ports.subscriber.give_back(dead_topic(topic), [message.receipt for message in held])
        return [Letter(topic, message) for message in held]

    return sorted(_each(topics, look), key=lambda letter: (letter.message.published_at, letter.message.id))


def replay_letters(
    ports: DeadLetterPorts, topics: Sequence[str], *, ids: Sequence[str] = (), limit: int
) -> list[Letter]:
    """Publish letters to their own topics again, and take each away once that is done; those that were replayed.

    With `ids` only these. Raises ConfigurationError naming ids that were not found: no such letter, or somebody else
    holds it for the moment.
    """
    wanted = set(ids)

    def again(topic: str) -> list[Letter]:
        held = _held(ports.subscriber, topic, limit)
        replayed: list[Letter] = []
        try:
            for message in held:
                if not wanted or message.id in wanted:
                    redrive(ports.registry, ports.publisher, ports.subscriber, topic, message)
                    replayed.append(Letter(topic, message))
        finally:
            done = {letter.message.receipt for letter in replayed}
            ports.subscriber.give_back(dead_topic(topic), [m.receipt for m in held if m.receipt not in done])
        return replayed

    replayed = _each(topics, again)
    missing = wanted - {letter.message.id for letter in replayed}
    if missing:
        raise ConfigurationError(
            [f"dead letters {', '.join(sorted(missing))} were not found ({len(replayed)} others were replayed); "
             "see `dead-letters list`, or try again in ten minutes: somebody may hold them"]
        )  # fmt: skip
    return replayed


def _held(subscriber: Subscriber, topic: str, limit: int) -> list[HeldMessage]:
    held: dict[str, HeldMessage] = {}
    while len(held) < limit:
        pulled = subscriber.pull(dead_topic(topic), min(_AT_A_TIME, limit - len(held)))
        new = [message for message in pulled if message.id not in held]
        if not new:
            break
        held.update((message.id, message) for message in new)
    return list(held.values())


def _each(topics: Iterable[str], act: Callable[[str], list[Letter]]) -> list[Letter]:
    with ThreadPoolExecutor(_LOOKED_AT_AT_ONCE) as pool:
        return [letter for letters in pool.map(act, topics) for letter in letters]
