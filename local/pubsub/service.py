"""The gRPC services Publisher and Subscriber, method by method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.pubsub_v1 import types

from local.pubsub.errors import Refused
from local.pubsub.messages import Messages
from local.pubsub.resources import Subscriptions, Topics


@dataclass(frozen=True, slots=True)
class Service:
    """What a call is carried out on."""

    topics: Topics
    subscriptions: Subscriptions
    messages: Messages

    def publisher(self) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
        """Method name → (request type, implementation)."""
        topics, subscriptions, messages = self.topics, self.subscriptions, self.messages
        return {
            "CreateTopic": (types.Topic, topics.create),
            "GetTopic": (types.GetTopicRequest, lambda r: topics.get(r.topic)),
            "ListTopics": (
                types.ListTopicsRequest,
                lambda r: types.ListTopicsResponse(topics=topics.of_project(r.project)),
            ),
            "ListTopicSubscriptions": (
                types.ListTopicSubscriptionsRequest,
                lambda r: types.ListTopicSubscriptionsResponse(subscriptions=subscriptions.names_of_topic(r.topic)),
            ),
            "DeleteTopic": (types.DeleteTopicRequest, lambda r: topics.delete(r.topic)),
            "Publish": (
                types.PublishRequest,
                lambda r: types.PublishResponse(message_ids=messages.publish(r.topic, r.messages)),
            ),
        }

    def subscriber(self) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
        """Method name → (request type, implementation)."""
        subscriptions, messages = self.subscriptions, self.messages
        return {
            "CreateSubscription": (types.Subscription, subscriptions.create),
            "GetSubscription": (types.GetSubscriptionRequest, lambda r: subscriptions.get(r.subscription)),
            "UpdateSubscription": (types.UpdateSubscriptionRequest, self._update),
            "ListSubscriptions": (
                types.ListSubscriptionsRequest,
                lambda r: types.ListSubscriptionsResponse(subscriptions=subscriptions.of_project(r.project)),
            ),
            "DeleteSubscription": (types.DeleteSubscriptionRequest, lambda r: subscriptions.delete(r.subscription)),
            "ModifyPushConfig": (types.ModifyPushConfigRequest, self._modify_push),
            "Pull": (
                types.PullRequest,
                lambda r: types.PullResponse(received_messages=messages.pull(r.subscription, r.max_messages)),
            ),
            "Acknowledge": (types.AcknowledgeRequest, lambda r: messages.acknowledge(r.subscription, r.ack_ids)),
            "ModifyAckDeadline": (
                types.ModifyAckDeadlineRequest,
                lambda r: messages.modify_ack_deadline(r.subscription, r.ack_ids, r.ack_deadline_seconds),
            ),
        }

    def _update(self, request: types.UpdateSubscriptionRequest) -> types.Subscription:
        changed = self.subscriptions.change(request.subscription, list(request.update_mask.paths))
        self.messages.changed.set()
        return changed

    def _modify_push(self, request: types.ModifyPushConfigRequest) -> None:
        changed = types.Subscription(name=request.subscription, push_config=request.push_config)
        self.subscriptions.change(changed, ["push_config"])
        self.messages.changed.set()


def _handler(request_type: Any, implementation: Callable[[Any], Any]) -> Any:
    async def call(request: Any, context: Any) -> Any:
        try:
            return implementation(request)
        except Refused as error:
            await context.abort(error.status, str(error))

    def serialize(answer: Any) -> bytes:
        # A method without an answer returns google.protobuf.Empty, which is no bytes at all.
        return b"" if answer is None else bytes(type(answer).serialize(answer))

    return grpc.unary_unary_rpc_method_handler(call, request_type.deserialize, serialize)


def handlers(service: Service) -> list[Any]:
    """The generic handlers to add to a grpc.aio server."""
    methods = {"Publisher": service.publisher(), "Subscriber": service.subscriber()}
    return [
        grpc.method_handlers_generic_handler(
            f"google.pubsub.v1.{name}", {method: _handler(*entry) for method, entry in table.items()}
        )
        for name, table in methods.items()
    ]
