"""The keys of each workspace, fetched by reference: seldom, whatever is sent to us."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared import logs
from shared.errors import ConfigurationError, PipelineError, TransientError
from shared.ports import Secrets
from shared.webhooks.signature import SigningKey, parse_keys

KEPT = timedelta(minutes=5)
"""How long keys are used before the secret is looked at again: a withdrawn one ends within this time."""

PAUSE = timedelta(seconds=15)
"""The least time between two fetches of one secret. Anybody can send requests that no key fits, or to a workspace whose
secret cannot be read; the sender's own tries lie seconds, then minutes apart."""


@dataclass(slots=True)
class _Held:
    keys: tuple[SigningKey, ...] = ()
    fetched_at: datetime | None = None
    tried_at: datetime | None = None
    failure: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Keyring:
    """Keys by workspace. Safe to use from several threads."""

    def __init__(self, secrets: Secrets, references: Mapping[str, str]) -> None:
        self._secrets = secrets
        self._references = references
        self._held = {workspace: _Held() for workspace in references}

    def __contains__(self, workspace: str) -> bool:
        return workspace in self._held

    def keys(self, workspace: str, now: datetime) -> tuple[SigningKey, ...]:
        """The workspace's keys. Raises ConfigurationError or TransientError when its secret cannot be read."""
        held = self._held[workspace]
        if not _within(held.fetched_at, now, KEPT):
            with held.lock:
                if not _within(held.fetched_at, now, KEPT):
                    self._fetch(workspace, held, now)
        return held.keys

    def renewed(self, workspace: str, known: tuple[SigningKey, ...], now: datetime) -> tuple[SigningKey, ...]:
        """The keys after another look at the secret, for a request that fits none of the `known` ones.

        The same keys again when the last look is too short a time ago. Raises as `keys`.
        """
        held = self._held[workspace]
        with held.lock:
            if held.keys == known and not _within(held.tried_at, now, PAUSE):
                self._fetch(workspace, held, now)
        return held.keys

    def _fetch(self, workspace: str, held: _Held, now: datetime) -> None:
        if held.failure and _within(held.tried_at, now, PAUSE):
            raise TransientError(f"{held.failure} (not tried again before {PAUSE.seconds} s have passed)")
        held.tried_at = now
        try:
            held.keys = self._read(self._references[workspace])
        except PipelineError as exc:
            held.failure = str(exc)
            raise
        held.fetched_at, held.failure = now, ""

    def _read(self, reference: str) -> tuple[SigningKey, ...]:
        keys, strange = parse_keys(self._secrets.fetch(reference, fresh=True))
        if not keys:
            raise ConfigurationError(
                [f"secret {reference!r}: none of its {strange} words is a key; add a version with the whsec_ value"]
            )
        if strange:
            logs.warning("webhook.secret_malformed", secret=reference, words_ignored=strange)
        return keys


def _within(since: datetime | None, now: datetime, span: timedelta) -> bool:
    return since is not None and since <= now < since + span
