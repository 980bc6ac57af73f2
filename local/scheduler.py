"""What Cloud Scheduler does: one message a source, on the source's topic, and one for the sweep."""

from datetime import datetime, timedelta

import httpx

from local.addresses import PROJECT, Addresses
from shared.adapters.pubsub import PubSubPublisher
from shared.instants import from_text, to_text
from shared.messages import SWEEP_TOPIC, ExtractMessage
from shared.registry import registry
from shared.windows.schedule import windows_between
from shared.windows.window import Window


def tick(pipeline: str, window: Window | None = None) -> int:
    """Publish a tick for every enabled source of the pipeline; returns their number.

    Without a window they are a scheduler's bare ticks, and the window derives from the message's publish time.
    """
    publisher = PubSubPublisher(PROJECT)
    sources = registry().enabled(pipeline)
    for source in sources:
        message = ExtractMessage(source.name, interval=window.interval if window else None)
        attributes = message.attributes() if window else {"source": source.name}
        publisher.publish(source.topic, attributes)
    return len(sources)


def sweep() -> None:
    """Publish a tick for the sweep."""
    PubSubPublisher(PROJECT).publish(SWEEP_TOPIC, {"tick": "1"})


def move_clock(addresses: Addresses, instant: datetime) -> None:
    """Set the instant that the doubles of the sources show."""
    url = f"http://127.0.0.1:{addresses.sources}/_double/clock"
    httpx.put(url, json={"now": to_text(instant)}, timeout=60).raise_for_status()


def read_clock(addresses: Addresses) -> datetime:
    """The instant that the doubles of the sources show."""
    response = httpx.get(f"http://127.0.0.1:{addresses.sources}/_double/clock", timeout=60).raise_for_status()
    return from_text(response.json()["now"])


def next_window(addresses: Addresses, pipeline: str) -> Window:
    """The pipeline's first window that ends after the instant that the doubles show."""
    now = read_clock(addresses)
    return windows_between(pipeline, registry().pipelines[pipeline].cron, now, now + timedelta(days=2))[0]
