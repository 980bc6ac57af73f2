"""Dead letters: published again when their cause is gone, taken away when their work was done otherwise.

A letter has failed for hours. It is let rest, then published again as soon as something of its kind succeeded after it
died (a part of its source, for a notification a load), or after a long rest without such a sign: trying is then the
only way to know. After a few times it is left to a person, and named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from shared import logs
from shared.errors import MalformedMessage, PipelineError, RejectedObject
from shared.landing import PartName
from shared.messages import LANDED_TOPIC, SWEEP_TOPIC, ExtractMessage, LandedMessage, Message
from shared.ports import HeldMessage
from shared.quarantine import object_note
from shared.redelivery import dead_topic, first_published_at, pinned, pushed_topics, redrive, redrives
from shared.sweep.round import Round
from shared.windows.markers import complete_markers, has_marker, read_markers
from shared.windows.watermark import read_watermark
from shared.windows.window import Window

MOST_REDRIVES = 3
REST = timedelta(hours=1)
LONG_REST = timedelta(hours=6)
_MOST_A_TOPIC = 20


class Verdict(Enum):
    """What to do with a letter."""

    WAIT = auto()
    REDRIVE = auto()
    DONE = auto()
    LEAVE = auto()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a letter."""

    dead_for: timedelta
    redrives: int
    done: bool
    """Its work was done otherwise, or cannot be done any more."""
    recovered: bool
    """Something of its kind succeeded after it died."""


def verdict(facts: Facts) -> Verdict:
    """What to do. Work that is done needs no letter; one that always fails needs a person."""
    if facts.done:
        return Verdict.DONE
    if facts.redrives >= MOST_REDRIVES:
        return Verdict.LEAVE
    if facts.dead_for >= LONG_REST or (facts.recovered and facts.dead_for >= REST):
        return Verdict.REDRIVE
    return Verdict.WAIT


def redrive_dead_letters(sweep: Round) -> None:
    """Look through the letters of every topic, a bounded number of each."""
    topics = pushed_topics(sweep.ports.registry, enabled_only=True)
    pulled = sweep.ports.subscriber.pull_each([dead_topic(topic) for topic in topics], _MOST_A_TOPIC)
    for topic in topics:
        with sweep.attempt("sweep.dead_letters_failed", topic=topic):
            _look_through(sweep, topic, pulled[dead_topic(topic)])


def _look_through(sweep: Round, topic: str, held: list[HeldMessage] | PipelineError) -> None:
    if isinstance(held, PipelineError):
        raise held
    settled: set[str] = set()
    try:
        for letter in held:
            told = {"source": letter.attributes.get("source"), "dead_since": letter.published_at}
            with logs.bound(topic=topic, letter=letter.id, redrives=redrives(letter.attributes), **told):
                if _settle(sweep, topic, letter):
                    settled.add(letter.receipt)
    finally:
        left = [letter.receipt for letter in held if letter.receipt not in settled]
        sweep.ports.subscriber.give_back(dead_topic(topic), left)


def _settle(sweep: Round, topic: str, letter: HeldMessage) -> bool:
    """Whether the letter is gone from the subscription."""
    match verdict(_facts(sweep, topic, letter)):
        case Verdict.DONE:
            sweep.ports.subscriber.acknowledge(dead_topic(topic), [letter.receipt])
            logs.info("sweep.dead_letter_done")
            return True
        case Verdict.REDRIVE:
            redrive(sweep.ports.registry, sweep.ports.publisher, sweep.ports.subscriber, topic, letter)
            sweep.summary.letters_redriven += 1
            logs.warning("sweep.dead_letter_redriven")
            return True
        case Verdict.LEAVE:
            message = f"a message of {topic} died {MOST_REDRIVES + 1} times; see `dead-letters list --topic {topic}`"
            logs.error("sweep.dead_letter_left", message=message)
    return False


def _facts(sweep: Round, topic: str, letter: HeldMessage) -> Facts:
    done, recovered = _work(sweep, topic, letter)
    return Facts(sweep.now - letter.published_at, redrives(letter.attributes), done, recovered)


def _work(sweep: Round, topic: str, letter: HeldMessage) -> tuple[bool, bool]:
    """Whether a letter's work is done, and whether something of its kind succeeded after it died."""
    if topic == SWEEP_TOPIC:
        return True, True  # this sweep does what that tick asked for
    try:
        if topic == LANDED_TOPIC:
            died = letter.published_at
            recovered = any(_newer(sweep.markers(source), died) for source in sweep.ports.registry.sources)
            return _is_loaded(sweep, letter), recovered
        return _is_extracted(sweep, letter)
    except (MalformedMessage, RejectedObject, ValueError):
        return False, False  # nobody understands it: published again it goes to quarantine


def _is_loaded(sweep: Round, letter: HeldMessage) -> bool:
    message = LandedMessage.parse(Message(letter.id, letter.published_at, letter.attributes, letter.data))
    if sweep.ports.quarantine.stat(object_note(message.object_name, message.generation)) is not None:
        return True
    stored = sweep.ports.landing.stat(message.object_name)
    if stored is None or stored.generation != message.generation:
        return True  # there is nothing to load any more
    return has_marker(sweep.documents, PartName.parse(message.object_name))


def _is_extracted(sweep: Round, letter: HeldMessage) -> tuple[bool, bool]:
    attributes = pinned(
        sweep.ports.registry, letter.attributes, first_published_at(letter.attributes, letter.published_at)
    )
    message = ExtractMessage.parse(attributes)
    source = sweep.ports.registry.sources.get(message.source)
    if source is None or message.interval is None:
        return False, False
    window = Window.from_interval(source.pipeline, message.interval)
    markers = [m for m in read_markers(sweep.documents, source.name, window.id) if m.revision == message.revision]
    covered_to = read_watermark(sweep.documents, source.name).covered_to
    superseded = message.revision == 0 and covered_to is not None and covered_to >= window.end
    recovered = _newer(sweep.markers(source.name), letter.published_at)
    return bool(complete_markers(markers)) or superseded, recovered


def _newer(markers: Mapping[str, datetime], than: datetime) -> bool:
    return any(written_at > than for written_at in markers.values())
