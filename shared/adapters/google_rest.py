"""Google's REST interfaces, for what is asked too seldom to deserve a client."""

from collections.abc import Mapping
from typing import Any

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from shared.errors import PermanentError, TransientError

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TIMEOUT_SECONDS = 30.0


class GoogleRest:
    """Reads resources. `endpoints` replaces a service's address; one of plain http takes no credentials."""

    def __init__(self, endpoints: Mapping[str, str] | None = None) -> None:
        self._endpoints = dict(endpoints or {})
        self._authorised: requests.Session | None = None
        self._open = requests.Session()

    def get(self, service: str, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """See GoogleApis."""
        base = self._endpoints.get(service, f"https://{service}.googleapis.com")
        try:
            response = self._session(base).get(f"{base}/{path}", params=dict(query or {}), timeout=_TIMEOUT_SECONDS)
            if response.status_code == 200:
                body = response.json()
                if not isinstance(body, dict):
                    raise TransientError(f"{service} answered for {path} with something that is no resource")
                return body
        except GoogleAuthError as exc:
            raise PermanentError(f"no credentials for {service}: {exc}; gcloud auth application-default login") from exc
        except (requests.RequestException, ValueError) as exc:
            raise TransientError(f"{service} did not answer for {path}: {exc}") from exc
        if response.status_code == 404:
            return None
        problem = f"{service} answered HTTP {response.status_code} for {path}: {_message(response)}"
        if response.status_code in (400, 401, 403):
            raise PermanentError(problem)
        raise TransientError(problem)

    def _session(self, base: str) -> requests.Session:
        if base.startswith("http://"):
            return self._open
        if self._authorised is None:
            self._authorised = AuthorizedSession(google.auth.default(scopes=_SCOPES)[0])
        return self._authorised


def _message(response: requests.Response) -> str:
    try:
        return str(response.json()["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return response.text[:100]
