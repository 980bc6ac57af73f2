"""Subscriber: the fake in memory and Pub/Sub's client with the emulator."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.memory import Faults
from shared.adapters.memory_pubsub import MemorySubscriber
from shared.adapters.pubsub import PubSubPublisher, PubSubSubscriber
from shared.errors import ConfigurationError, PullFailed
from shared.ports import HeldMessage, Subscriber
from tests.contract.servers import Server, closed_port, hang_up
from tests.contract.stack import PROJECT, Stack, eventually


@dataclass(frozen=True)
class Box:
    """A subscription, and how a message gets there."""

    subscriber: Subscriber
    name: str
    other: str
    """Another subscription, of which nothing comes."""
    put: Callable[[Mapping[str, str], bytes], None]

    def pulled(self, count: int = 1) -> list[HeldMessage]:
        """So many messages, once they are there."""
        taken: list[HeldMessage] = []

        def enough() -> bool:
            taken.extend(self.subscriber.pull(self.name, 10))
            return len(taken) >= count

        eventually(enough)
        return taken


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def box(request: pytest.FixtureRequest) -> Box:
    if request.param == "memory":
        fake = MemorySubscriber()

        def keep(attributes: Mapping[str, str], data: bytes) -> None:
            fake.put("letters", attributes, data, datetime.now(UTC))

        return Box(fake, "letters", "others", keep)
    stack: Stack = request.getfixturevalue("stack")
    topic, _ = stack.new_topic()
    other, _ = stack.new_topic()
    with stack.in_environment():
        publisher, subscriber = PubSubPublisher(PROJECT), PubSubSubscriber(PROJECT)
    return Box(subscriber, topic, other, lambda attributes, data: publisher.publish(topic, attributes, data))


def test_a_message_comes_whole(box: Box) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    box.put({"source": "größe 🦀"}, bytes(range(256)))
    (held,) = box.pulled()
    assert (held.attributes, held.data) == ({"source": "größe 🦀"}, bytes(range(256)))
    assert held.published_at.tzinfo is UTC
    assert before < held.published_at < datetime.now(UTC) + timedelta(seconds=5)
    assert held.id


def test_a_held_message_is_nobody_else_s_until_it_is_given_back(box: Box) -> None:
    box.put({"n": "1"}, b"x")
    (held,) = box.pulled()
    assert box.subscriber.pull(box.name, 10) == []
    box.subscriber.give_back(box.name, [held.receipt])
    (again,) = box.pulled()
    assert again.id == held.id


def test_an_acknowledged_message_is_gone_and_a_former_receipt_takes_nothing(box: Box) -> None:
    box.put({"n": "1"}, b"x")
    (held,) = box.pulled()
    box.subscriber.give_back(box.name, [held.receipt])
    box.subscriber.acknowledge(box.name, [held.receipt])
    (again,) = box.pulled()
    box.subscriber.acknowledge(box.name, [again.receipt])
    box.subscriber.give_back(box.name, [again.receipt])
    assert box.subscriber.pull(box.name, 10) == []


def test_a_pull_takes_no_more_than_it_may(box: Box) -> None:
    for number in range(3):
        box.put({"n": str(number)}, b"x")
    assert len(box.subscriber.pull(box.name, 2)) <= 2


def test_many_are_looked_into_at_once_and_each_has_its_answer(box: Box) -> None:
    box.put({"n": "1"}, b"x")
    held: list[HeldMessage] = []

    def came() -> bool:
        pulled = box.subscriber.pull_each([box.name, box.other], 10)
        assert pulled[box.other] == []
        found = pulled[box.name]
        assert isinstance(found, list)
        held.extend(found)
        return bool(held)

    eventually(came)
    assert [message.attributes["n"] for message in held] == ["1"]
    assert box.subscriber.pull_each([], 10) == {}


def test_one_that_fails_is_its_own_answer() -> None:
    faults = Faults()
    faults.before.append(("pull", "letters", PullFailed("no")))
    pulled = MemorySubscriber(faults).pull_each(["letters", "others"], 1)
    assert isinstance(pulled["letters"], PullFailed)
    assert pulled["others"] == []


@pytest.mark.emulated
def test_one_that_does_not_exist_is_its_own_answer(stack: Stack) -> None:
    topic, _ = stack.new_topic()
    with stack.in_environment():
        pulled = PubSubSubscriber(PROJECT, pull_seconds=1.0).pull_each(["absent", topic], 1)
    assert isinstance(pulled["absent"], ConfigurationError)
    assert pulled[topic] == []


def test_nothing_to_say_is_no_call(box: Box) -> None:
    box.subscriber.acknowledge(box.name, [])
    box.subscriber.give_back(box.name, [])


@pytest.fixture
def subscriber_at() -> Iterator[Callable[[str], PubSubSubscriber]]:
    with pytest.MonkeyPatch.context() as patch:

        def make(host: str) -> PubSubSubscriber:
            patch.setenv("PUBSUB_EMULATOR_HOST", host)
            return PubSubSubscriber(PROJECT, pull_seconds=1.0, timeout_seconds=1.0)

        yield make


@pytest.mark.emulated
def test_a_subscription_that_does_not_exist(stack: Stack, subscriber_at: Callable[[str], PubSubSubscriber]) -> None:
    subscriber = subscriber_at(stack.pubsub_host)
    for act in (
        lambda: subscriber.pull("absent", 1),
        lambda: subscriber.acknowledge("absent", ["r"]),
        lambda: subscriber.give_back("absent", ["r"]),
    ):
        with pytest.raises(ConfigurationError, match="'absent' does not exist"):
            act()


def test_a_service_that_is_down(subscriber_at: Callable[[str], PubSubSubscriber]) -> None:
    subscriber = subscriber_at(f"127.0.0.1:{closed_port()}")
    with pytest.raises(PullFailed, match="letters"):
        subscriber.pull("letters", 1)
    with pytest.raises(PullFailed, match="letters"):
        subscriber.acknowledge("letters", ["r"])


def test_a_service_that_speaks_something_else(server: Server, subscriber_at: Callable[[str], PubSubSubscriber]) -> None:
    server.answer = hang_up
    with pytest.raises(PullFailed):
        subscriber_at(f"127.0.0.1:{server.port}").pull("letters", 1)
