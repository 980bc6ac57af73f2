"""Publishing to Pub/Sub; the emulator when PUBSUB_EMULATOR_HOST is set."""

import json
from collections.abc import Mapping

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud import pubsub_v1

from shared.errors import PublishFailed

_TIMEOUT_SECONDS = 60.0


class PubSubPublisher:
    """Publishes one message at a time and waits for its id."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._client = pubsub_v1.PublisherClient()

    def publish(self, topic: str, attributes: Mapping[str, str], data: bytes | None = None) -> None:
        """See Publisher."""
        body = data or json.dumps(attributes, sort_keys=True).encode()
        path = self._client.topic_path(self._project, topic)
        try:
            self._client.publish(path, body, **attributes).result(timeout=_TIMEOUT_SECONDS)
        except (GoogleAPIError, GoogleAuthError, TimeoutError) as exc:
            raise PublishFailed(f"topic {topic!r} did not take the message: {exc}") from exc
