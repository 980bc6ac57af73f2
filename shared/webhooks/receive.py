"""One request: verified, kept in the spool, and only then answered with success."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from urllib.parse import urlsplit

from shared import logs
from shared.crc32c import crc32c_base64
from shared.errors import PermanentError, TransientError
from shared.ports import Clock, Creation
from shared.spool import SpooledEvent
from shared.webhooks.bounded import Bounded
from shared.webhooks.event_type import event_type_of
from shared.webhooks.keyring import Keyring
from shared.webhooks.signature import Refusal, SignedHeaders, verdict

_FOLDER = "/incident-io/"

DEADLINE_SECONDS = 10.0
"""The most that secrets and storage may take together. The sender gives up after 15 s, cold start included."""


class Answer(Enum):
    """What the sender is told: a status and a word to it. Only success ends its tries."""

    KEPT = (204, "")
    MALFORMED = (400, "The body did not arrive whole.\n")
    REFUSED = (401, "Not signed, or not by a key that is known here.\n")
    UNKNOWN = (404, "There is no such webhook.\n")
    NOT_POST = (405, "Events are sent by POST.\n")
    TOO_LARGE = (413, "The body is too large.\n")
    LATER = (503, "Not now; send it again.\n")

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self.value[0]
        return status

    @property
    def text(self) -> str:
        """The body; plain text."""
        text: str = self.value[1]
        return text


class SpoolWriter(Protocol):
    """The spool bucket as the one who fills it uses it."""

    def create(self, name: str, data: bytes, *, owner: str, metadata: Mapping[str, str]) -> Creation:
        """See Bucket."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookPorts:
    """What receiving needs."""

    keyring: Keyring
    spool: SpoolWriter
    clock: Clock
    new_token: Callable[[], str]
    bounded: Bounded
    deadline_seconds: float = DEADLINE_SECONDS


def workspace_of(path: str, target: str) -> str | None:
    """The workspace that a path names, as `/incident-io/<workspace>` and in no other way of writing it.

    `target` is the request's target as it was sent, where the server tells it: an encoded slash is none.
    """
    folder, workspace = path[: len(_FOLDER)], path[len(_FOLDER) :]
    if folder != _FOLDER or not workspace.isascii() or not workspace.isalnum():
        return None
    try:
        written = urlsplit(target or path).path
    except ValueError:
        return None
    return workspace if written == path else None


def receive(ports: WebhookPorts, workspace: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Keep a signed event of a known workspace. Header names in `headers` are lower-case.

    Whatever cannot be done now is answered so that the sender tries again; so is a secret that only a person can put
    right, since it is tried for a day. Nothing is written for a request that is refused.
    """
    try:
        return ports.bounded.run(lambda: _receive(ports, workspace, headers, body), ports.deadline_seconds)
    except TransientError as exc:
        logs.warning("webhook.deferred", workspace=workspace, kind="transient", message=str(exc))
    except PermanentError as exc:
        logs.error("webhook.deferred", workspace=workspace, kind="permanent", message=str(exc))
    return Answer.LATER


def _receive(ports: WebhookPorts, workspace: str, headers: Mapping[str, str], body: bytes) -> Answer:
    signed = _verified(ports, workspace, headers, body)
    if isinstance(signed, Refusal):
        logs.warning("webhook.refused", workspace=workspace, reason=str(signed))
        return Answer.REFUSED
    event = SpooledEvent(workspace, signed.webhook_id, event_type_of(body), ports.clock.now())
    kept = ports.spool.create(event.object_name, body, owner=ports.new_token(), metadata=event.to_mapping())
    fields = {"workspace": workspace, "webhook_id": event.webhook_id, "event_type": event.event_type}
    if kept.created:
        logs.info("webhook.spooled", **fields, object_name=event.object_name, bytes=len(body))
    elif kept.object.crc32c == crc32c_base64(body):
        logs.info("webhook.repeated", **fields)
    else:
        # the scheme promises that an id stays with its event; the first one is kept
        logs.error("webhook.id_reused", None, **fields, object_name=event.object_name)
    return Answer.KEPT


def _verified(ports: WebhookPorts, workspace: str, headers: Mapping[str, str], body: bytes) -> SignedHeaders | Refusal:
    now = ports.clock.now()
    keys = ports.keyring.keys(workspace, now)
    found = verdict(headers, body, keys, now)
    if found is not Refusal.NO_MATCH:
        return found
    renewed = ports.keyring.renewed(workspace, keys, now)
    return found if renewed == keys else verdict(headers, body, renewed, now)
