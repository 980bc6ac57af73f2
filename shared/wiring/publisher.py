"""Pub/Sub for entry points that seldom publish: its client, slow to import, comes with the first message."""

from collections.abc import Mapping
from functools import cached_property

from shared.ports import Publisher


class PublisherOnDemand:
    """See Publisher. Imports and opens the client at the first message: most runs have none to send."""

    def __init__(self, project: str) -> None:
        self._project = project

    def publish(self, topic: str, attributes: Mapping[str, str], data: bytes | None = None) -> None:
        """See Publisher."""
        self._publisher.publish(topic, attributes, data)

    @cached_property
    def _publisher(self) -> Publisher:
        from shared.adapters.pubsub import PubSubPublisher

        return PubSubPublisher(self._project)
