"""Publisher: the fake in memory and Pub/Sub's client with the emulator."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from shared.adapters.memory import Faults
from shared.adapters.memory_pubsub import MemoryPublisher
from shared.adapters.pubsub import PubSubPublisher
from shared.errors import PublishFailed
from shared.ports import Publisher
from tests.contract.servers import Answer, Server, closed_port, hang_up, json_reply
from tests.contract.stack import PROJECT, Stack

Sent = tuple[Mapping[str, str], bytes]


@dataclass(frozen=True)
class Desk:
    """A publisher with a topic, and what arrived there."""

    publisher: Publisher
    topic: str
    arrived: Callable[[int], list[Sent]]


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def desk(request: pytest.FixtureRequest) -> Desk:
    if request.param == "memory":
        fake = MemoryPublisher()

        def arrived(_: int) -> list[Sent]:
            return [(attributes, body) for (_, attributes), body in zip(fake.messages, fake.bodies, strict=True)]

        return Desk(fake, "topic", arrived)
    stack: Stack = request.getfixturevalue("stack")
    topic, subscription = stack.new_topic()
    with stack.in_environment():
        publisher = PubSubPublisher(PROJECT)
    return Desk(publisher, topic, lambda count: list(stack.pulled(subscription, count)))


def test_attributes_and_data_arrive_as_they_are(desk: Desk) -> None:
    attributes = {"v": "1", "source": 'it\'s "größe" 🦀; --', "empty": "", "long": "x" * 1024}
    data = bytes(range(256))
    desk.publisher.publish(desk.topic, attributes, data)
    assert desk.arrived(1) == [(attributes, data)]


@pytest.mark.parametrize("data", [None, b""])
def test_a_message_without_data_repeats_its_attributes(desk: Desk, data: bytes | None) -> None:
    """A push with empty data is no event to the functions framework."""
    desk.publisher.publish(desk.topic, {"source": "größe", "revision": "0"}, data)
    ((attributes, body),) = desk.arrived(1)
    assert json.loads(body) == attributes == {"source": "größe", "revision": "0"}


def test_every_publish_is_a_message(desk: Desk) -> None:
    for _ in range(3):
        desk.publisher.publish(desk.topic, {"n": "same"})
    assert [attributes for attributes, _ in desk.arrived(3)] == [{"n": "same"}] * 3


def test_the_fake_can_lose_an_answer() -> None:
    fake = MemoryPublisher(Faults(after=[("publish", "topic", PublishFailed("the answer is lost"))]))
    with pytest.raises(PublishFailed):
        fake.publish("topic", {"a": "b"})
    assert fake.messages == [("topic", {"a": "b"})]


@pytest.fixture
def publisher_at() -> Iterator[Callable[[str], PubSubPublisher]]:
    with pytest.MonkeyPatch.context() as patch:

        def make(host: str) -> PubSubPublisher:
            patch.setenv("PUBSUB_EMULATOR_HOST", host)
            return PubSubPublisher(PROJECT, timeout_seconds=1.0)

        yield make


@pytest.mark.emulated
def test_a_topic_that_does_not_exist(stack: Stack, publisher_at: Callable[[str], PubSubPublisher]) -> None:
    with pytest.raises(PublishFailed, match="absent"):
        publisher_at(stack.pubsub_host).publish("absent", {"a": "b"})


@pytest.mark.emulated
def test_a_message_that_is_too_large(stack: Stack, publisher_at: Callable[[str], PubSubPublisher]) -> None:
    topic, _ = stack.new_topic()
    with pytest.raises(PublishFailed, match=topic):
        publisher_at(stack.pubsub_host).publish(topic, {"k": "v"}, bytes(11_000_000))


def test_a_service_that_is_down(publisher_at: Callable[[str], PubSubPublisher]) -> None:
    with pytest.raises(PublishFailed):
        publisher_at(f"127.0.0.1:{closed_port()}").publish("topic", {"a": "b"})


@pytest.mark.parametrize("answer", [hang_up, json_reply(200, "{}")], ids=["hang-up", "no gRPC"])
def test_a_service_that_speaks_something_else(
    server: Server, publisher_at: Callable[[str], PubSubPublisher], answer: Answer
) -> None:
    server.answer = answer
    with pytest.raises(PublishFailed):
        publisher_at(f"127.0.0.1:{server.port}").publish("topic", {"a": "b"})
