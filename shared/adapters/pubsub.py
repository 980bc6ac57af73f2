"""Publishing to Pub/Sub; the emulator when PUBSUB_EMULATOR_HOST is set."""

import json
from collections.abc import Mapping

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError

from shared.errors import PublishFailed

TIMEOUT_SECONDS = 60.0


class PubSubPublisher:
    """Publishes one message at a time and waits for its id, for `timeout_seconds` at most."""

    def __init__(self, project: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._project = project
        self._timeout_seconds = timeout_seconds
        self._client = pubsub_v1.PublisherClient()

    def publish(self, topic: str, attributes: Mapping[str, str], data: bytes | None = None) -> None:
        """See Publisher."""
        body = data or json.dumps(attributes, sort_keys=True).encode()
        path = self._client.topic_path(self._project, topic)
        try:
            self._client.publish(path, body, **attributes).result(timeout=self._timeout_seconds)
        except (GoogleAPIError, GoogleAuthError, MessageTooLargeError, TimeoutError) as exc:
            raise PublishFailed(f"topic {topic!r} did not take the message: {exc}") from exc
