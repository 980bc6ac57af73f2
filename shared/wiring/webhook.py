"""The adapters of the webhook function: each client comes with the first event that needs it."""

from collections.abc import Mapping
from functools import cache, cached_property

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.secrets import EnvironmentSecrets, ManagedSecrets
from shared.ports import Bucket, Creation, Secrets
from shared.settings import Settings
from shared.webhooks.bounded import Bounded
from shared.webhooks.keyring import Keyring
from shared.webhooks.receive import WebhookPorts
from shared.webhooks.workspaces import read_webhook_secrets

CLIENT_SECONDS = 4.0
"""The most that a client waits for one answer, and for how long storage's begins again: secret, write and look-up in
turn fit into the deadline, and a thread that nobody waits for any more is soon free."""

THREADS = 100
"""More than requests that one instance is given at a time, and those it gave up, together."""


@cache
def webhook_ports() -> WebhookPorts:
    """What receiving needs."""
    chosen = wiring.settings()
    return WebhookPorts(
        keyring=Keyring(_secrets(chosen), read_webhook_secrets()),
        spool=_SpoolOnDemand(chosen),
        clock=SystemClock(),
        new_token=wiring.new_token,
        bounded=Bounded(THREADS),
    )


def _secrets(chosen: Settings) -> Secrets:
    if chosen.secrets == "environment":
        return EnvironmentSecrets()
    return ManagedSecrets(chosen.project, SystemClock(), timeout_seconds=CLIENT_SECONDS)


class _SpoolOnDemand:
    """See SpoolWriter. Its client looks for credentials when it is made, which may hang like any request."""

    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen

    def create(self, name: str, data: bytes, *, owner: str, metadata: Mapping[str, str]) -> Creation:
        """See Bucket."""
        return self._bucket.create(name, data, owner=owner, metadata=metadata)

    @cached_property
    def _bucket(self) -> Bucket:
        from shared.adapters.gcs import GcsBucket, storage_client

        client = storage_client(self._chosen.project)
        limits = {"retry_seconds": CLIENT_SECONDS, "timeout_seconds": CLIENT_SECONDS}
        return GcsBucket(client, self._chosen.spool_bucket, **limits)
