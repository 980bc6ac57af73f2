"""Secrets by reference: Secret Manager in the cloud, the environment on a developer's machine."""

import os
from collections.abc import Mapping
from typing import Any

from shared.errors import ConfigurationError, TransientError
from shared.ports import Clock

_CACHE_SECONDS = 300.0
# Short: a rotated key is picked up within minutes, and at once when the old one is refused.


class EnvironmentSecrets:
    """`incident-io-companya` is the variable `OPP_SECRET_INCIDENT_IO_COMPANYA`."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def fetch(self, reference: str, *, fresh: bool = False) -> str:  # noqa: ARG002 - the environment has no versions
        """See Secrets."""
        variable = f"OPP_SECRET_{reference.upper().replace('-', '_')}"
        try:
            return self._environment[variable]
        except KeyError:
            raise ConfigurationError([f"secret {reference!r}: set the variable {variable}"]) from None


class ManagedSecrets:
    """Secret Manager's latest versions, cached for some minutes.

    `client` replaces the client of the environment, which is made by the first fetch. With `timeout_seconds` a fetch is
    one try of that length, without it the client's own retries of a minute.
    """

    def __init__(self, project: str, clock: Clock, client: Any = None, *, timeout_seconds: float | None = None) -> None:
        self._client = client
        self._project = project
        self._clock = clock
        self._limits = {} if timeout_seconds is None else {"timeout": timeout_seconds, "retry": None}
        self._cache: dict[str, tuple[str, float]] = {}

    def fetch(self, reference: str, *, fresh: bool = False) -> str:
        """See Secrets."""
        from google.api_core import exceptions as api
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import secretmanager
        from google.protobuf.json_format import ParseError
        from requests.exceptions import RequestException

        now = self._clock.now().timestamp()
        cached = self._cache.get(reference)
        if cached is not None and not fresh and now < cached[1]:
            return cached[0]
        name = f"projects/{self._project}/secrets/{reference}/versions/latest"
        try:
            if self._client is None:
                self._client = secretmanager.SecretManagerServiceClient(transport="rest")
            answer = self._client.access_secret_version(name=name, **self._limits)
            value: str = answer.payload.data.decode().strip()
        except (api.NotFound, api.Forbidden, api.BadRequest) as exc:
            # over REST a refused permission is plain Forbidden, a destroyed version plain BadRequest
            raise ConfigurationError(
                [f"secret {reference!r} in project {self._project}: {exc.message}; add a version, grant access"]
            ) from exc
        except UnicodeDecodeError:
            raise ConfigurationError(
                [f"secret {reference!r} in project {self._project} is no UTF-8 text; add a version that is"]
            ) from None  # the error would show the value
        except (api.GoogleAPIError, GoogleAuthError, RequestException, ParseError) as exc:
            raise TransientError(f"Secret Manager failed on {reference!r}: {exc}") from exc
        if not value:
            raise ConfigurationError([f"secret {reference!r} in project {self._project} is empty; add a version"])
        self._cache[reference] = (value, now + _CACHE_SECONDS)
        return value
