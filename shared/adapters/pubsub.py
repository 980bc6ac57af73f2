"""Pub/Sub, publishing and pulling; the emulator when PUBSUB_EMULATOR_HOST is set."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

from google.api_core.exceptions import DeadlineExceeded, GoogleAPIError, NotFound, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError

from shared.errors import ConfigurationError, PipelineError, PublishFailed, PullFailed
from shared.ports import HeldMessage

TIMEOUT_SECONDS = 60.0

PULL_SECONDS = 3.0
# The service holds a pull of an empty subscription open; whoever looks through dozens of them cannot wait for long.

PULLS_AT_ONCE = 16


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


class PubSubSubscriber:
    """Pulls by hand. A pull waits `pull_seconds` for a first message."""

    def __init__(
        self, project: str, *, pull_seconds: float = PULL_SECONDS, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._project = project
        self._pull_seconds = pull_seconds
        self._timeout_seconds = timeout_seconds
        self._client = pubsub_v1.SubscriberClient()
        # the client's own default goes on for longer than it is told to
        self._retry = Retry(if_exception_type(ServiceUnavailable), initial=0.1, maximum=5.0, timeout=timeout_seconds)

    def pull(self, subscription: str, limit: int) -> list[HeldMessage]:
        """See Subscriber."""
        request = {"subscription": self._path(subscription), "max_messages": limit}
        with self._translated(subscription):
            try:
                answer = self._client.pull(request=request, timeout=self._pull_seconds, retry=None)
            except DeadlineExceeded:
                return []  # nothing came while we waited
        return [
            HeldMessage(
                received.ack_id,
                received.message.message_id,
                datetime.fromtimestamp(received.message.publish_time.timestamp(), UTC),
                dict(received.message.attributes),
                bytes(received.message.data),
            )
            for received in answer.received_messages
        ]

    def pull_each(self, subscriptions: Sequence[str], limit: int) -> dict[str, list[HeldMessage] | PipelineError]:
        """See Subscriber."""

        def pulled(subscription: str) -> list[HeldMessage] | PipelineError:
            try:
                return self.pull(subscription, limit)
            except PipelineError as exc:
                return exc

        with ThreadPoolExecutor(PULLS_AT_ONCE) as pool:
            return dict(zip(subscriptions, pool.map(pulled, subscriptions), strict=True))

    def acknowledge(self, subscription: str, receipts: Sequence[str]) -> None:
        """See Subscriber."""
        if receipts:
            request = {"subscription": self._path(subscription), "ack_ids": list(receipts)}
            with self._translated(subscription):
                self._client.acknowledge(request=request, timeout=self._timeout_seconds, retry=self._retry)

    def give_back(self, subscription: str, receipts: Sequence[str]) -> None:
        """See Subscriber."""
        if receipts:
            request = {
                "subscription": self._path(subscription), "ack_ids": list(receipts), "ack_deadline_seconds": 0,
            }  # fmt: skip
            with self._translated(subscription):
                self._client.modify_ack_deadline(request=request, timeout=self._timeout_seconds, retry=self._retry)

    def _path(self, subscription: str) -> str:
        path: str = self._client.subscription_path(self._project, subscription)
        return path

    @contextmanager
    def _translated(self, subscription: str) -> Iterator[None]:
        try:
            yield
        except NotFound as exc:
            raise ConfigurationError(
                [f"subscription {subscription!r} does not exist in project {self._project}; apply the infrastructure"]
            ) from exc
        except (GoogleAPIError, GoogleAuthError) as exc:
            raise PullFailed(f"subscription {subscription!r} failed: {exc}") from exc
