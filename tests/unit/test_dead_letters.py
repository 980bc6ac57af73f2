"""Dead letters: shown without being taken, published again as what they were, taken away only after that."""

import json

import pytest

from shared.adapters.memory_pubsub import MemorySubscriber
from shared.errors import ConfigurationError, PublishFailed, PullFailed
from shared.operate.dead_letters import DeadLetterPorts, chosen_topics, list_letters, replay_letters
from shared.redelivery import PUBLISHED_AT, REDRIVES, pinned, pushed_topics, redrives
from tests.support.world import World, at, registry_of, source_name

ALPHA = source_name("alpha")
TOPIC, DEAD = "extract-inc-alpha", "extract-inc-alpha-dead"
TOLD = {
    PUBLISHED_AT: "2026-11-20T07:00:03Z",
    "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    "CloudPubSubDeadLetterSourceSubscription": TOPIC,
}


def _ports(world: World) -> DeadLetterPorts:
    return DeadLetterPorts(world.registry, world.subscriber, world.publisher)


def _world(*letters: dict[str, str]) -> World:
    world = World("alpha", now=at(9.5))
    for attributes in letters:
        world.subscriber.put(DEAD, {**attributes, **TOLD}, b"{}", at(9.4))
    return world


def test_listing_takes_nothing() -> None:
    world = _world({"source": ALPHA})
    topics = chosen_topics(world.registry, None)
    for _ in range(2):
        (letter,) = list_letters(_ports(world), topics, limit=10)
        assert letter.described() == {
            "topic": TOPIC,
            "id": "message-0001",
            "published_at": "2026-11-20T07:00:03Z",
            "dead_since": "2026-11-20T09:24:00Z",
            "redrives": 0,
            "attributes": {"source": ALPHA, **TOLD},
            "bytes": 2,
        }
    assert world.subscriber.held[DEAD] == []


def test_a_replayed_letter_is_the_message_that_it_was() -> None:
    """A bare tick gets the window of its first publishing; what Pub/Sub added is gone."""
    world = _world({"source": ALPHA})
    replay_letters(_ports(world), [TOPIC], limit=10)
    window = "2026-11-20T06:00:00Z/2026-11-20T07:00:00Z"
    sent = {"v": "1", "source": ALPHA, "window": window, "revision": "0", "part": "0", REDRIVES: "1"}
    assert world.publisher.messages == [(TOPIC, sent)]
    assert (world.subscriber.waiting[DEAD], world.subscriber.held[DEAD]) == ([], [])


def test_only_the_chosen_ones_and_the_rest_stays() -> None:
    world = _world({"source": ALPHA, "part": "1"}, {"source": ALPHA, "part": "2"})
    (letter,) = replay_letters(_ports(world), [TOPIC], ids=["message-0002"], limit=10)
    assert letter.message.id == "message-0002"
    assert [message.id for message in world.subscriber.waiting[DEAD]] == ["message-0001"]
    with pytest.raises(ConfigurationError, match="message-0002 were not found"):
        replay_letters(_ports(world), [TOPIC], ids=["message-0002"], limit=10)


def test_more_than_one_pull_brings() -> None:
    world = _world(*({"source": ALPHA, "part": str(number)} for number in range(120)))
    assert len(list_letters(_ports(world), [TOPIC], limit=110)) == 110
    assert len(replay_letters(_ports(world), [TOPIC], limit=1000)) == 120


def test_a_letter_that_could_not_be_published_stays() -> None:
    world = _world({"source": ALPHA}, {"source": ALPHA})
    world.faults.before.append(("publish", TOPIC, PublishFailed("no")))
    with pytest.raises(PublishFailed):
        replay_letters(_ports(world), [TOPIC], limit=10)
    assert len(world.subscriber.waiting[DEAD]) == 2


def test_a_death_between_publishing_and_taking_away_doubles_and_does_not_lose() -> None:
    world = _world({"source": ALPHA})
    world.faults.before.append(("acknowledge", DEAD, PullFailed("no")))
    with pytest.raises(PullFailed):
        replay_letters(_ports(world), [TOPIC], limit=10)
    world.subscriber.expire()
    replay_letters(_ports(world), [TOPIC], limit=10)
    assert len(world.publisher.messages) == 2
    assert world.subscriber.waiting[DEAD] == []


def test_topics_are_those_with_a_dead_letter_topic() -> None:
    registry = registry_of("alpha", "beta")
    assert pushed_topics(registry) == ["extract-inc-alpha", "extract-inc-beta", "landed", "sweep"]
    assert chosen_topics(registry, ALPHA) == chosen_topics(registry, TOPIC) == [TOPIC]
    with pytest.raises(ConfigurationError, match="known topics"):
        chosen_topics(registry, "landing")


def test_a_message_with_a_window_or_of_no_source_is_left_as_it_is() -> None:
    registry = registry_of("alpha")
    own = {"source": ALPHA, "window": "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z", "part": "3"}
    assert pinned(registry, own, at(9)) == own
    assert pinned(registry, {"source": "gone"}, at(9)) == {"source": "gone"}
    assert pinned(registry, {"eventType": "OBJECT_FINALIZE", **TOLD}, at(9)) == {"eventType": "OBJECT_FINALIZE"}


@pytest.mark.parametrize("text", ["", "-1", "x", "²", "1.5"])
def test_a_count_that_is_none_counts_as_none(text: str) -> None:
    assert redrives({REDRIVES: text}) == 0


def test_a_subscription_that_is_missing_says_what_to_do() -> None:
    world = _world()
    world.faults.before.append(("pull", DEAD, ConfigurationError(["subscription does not exist"])))
    with pytest.raises(ConfigurationError):
        list_letters(_ports(world), [TOPIC], limit=1)


def test_the_description_is_json() -> None:
    world = _world({"source": ALPHA})
    (letter,) = list_letters(_ports(world), [TOPIC], limit=1)
    assert json.loads(json.dumps(letter.described()))["topic"] == TOPIC


def test_the_fake_gives_a_message_to_one_at_a_time() -> None:
    fake = MemorySubscriber()
    fake.put("s", {}, b"", at(1))
    (held,) = fake.pull("s", 5)
    assert fake.pull("s", 5) == []
    fake.give_back("s", [held.receipt])
    (again,) = fake.pull("s", 5)
    fake.acknowledge("s", [held.receipt])  # a former receipt
    fake.expire()
    assert [message.id for message in fake.pull("s", 5)] == [again.id]
