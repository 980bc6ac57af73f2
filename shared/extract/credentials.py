"""How a source's key travels: always in a header, never in the query string."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from urllib.parse import quote_plus, urlencode

from shared.errors import AuthenticationFailed, SourceUnavailable
from shared.ports import Clock, Http, HttpRequest, Secrets
from shared.registry.model import Source

_TOKEN_MARGIN = timedelta(seconds=60)
_TOKEN_LONGEST_SECONDS = 86_400.0
_TOKEN_BYTES = 64 * 1024
_TOKEN_TIMEOUT_SECONDS = 30.0


@dataclass(slots=True)
class Credentials:
    """The header that authorises a source's requests, by the kind of auth that its registry block names.

    header               `<header>: <scheme> <key>`, or the key alone
    basic                HTTP Basic with the key as user and no password
    client_credentials   OAuth 2: the secret is `<client id>:<client secret>`; the token is fetched once and kept
    """

    source: Source
    http: Http
    secrets: Secrets
    clock: Clock
    token_url: str | None
    _token: str = ""
    _token_until: datetime | None = None

    def header(self) -> tuple[str, str, str]:
        """Name and value of the header, and the secret part that must never be shown.

        Raises AuthenticationFailed when the token endpoint refuses the client, SourceUnavailable when it fails.
        """
        key = self.secrets.fetch(self.source.secret)
        auth = self.source.auth
        match auth.kind:
            case "basic":
                return auth.header, f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}", key
            case "client_credentials":
                token = self._current_token(key)
                return auth.header, f"Bearer {token}", token
            case _:
                return auth.header, f"{auth.scheme} {key}" if auth.scheme else key, key

    def renew(self) -> None:
        """Fetch the secret again, past its cache, and forget a token that it brought."""
        self._token_until = None
        self.secrets.fetch(self.source.secret, fresh=True)

    def _current_token(self, key: str) -> str:
        now = self.clock.now()
        if self._token_until is None or now >= self._token_until:
            self._token, lifetime = self._fetch_token(key)
            self._token_until = now + timedelta(seconds=lifetime) - _TOKEN_MARGIN
        return self._token

    def _fetch_token(self, key: str) -> tuple[str, float]:
        client, _, secret = key.partition(":")
        if not client or not secret:
            raise AuthenticationFailed(
                f"{self.source.name}: secret {self.source.secret!r} is no `id:secret`; put one there",
                secret=self.source.secret,
            )
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        if self.source.auth.scopes:
            form["scope"] = " ".join(self.source.auth.scopes)
        request = HttpRequest(
            "POST",
            self.token_url or "",
            headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
            body=urlencode(form).encode(),
        )
        response = self.http.send(request, timeout_seconds=_TOKEN_TIMEOUT_SECONDS, max_bytes=_TOKEN_BYTES)
        if response.status in (400, 401, 403):
            raise AuthenticationFailed(
                f"{self.source.name}: the token endpoint refuses the client in secret {self.source.secret!r} "
                f"(HTTP {response.status}: {_excerpt(response.body, secret)}); put a valid `id:secret` there",
                secret=self.source.secret,
            )
        try:
            answer = json.loads(response.body)
            token, lifetime = answer["access_token"], float(answer.get("expires_in", 300))
            if response.status != 200 or not isinstance(token, str) or not token or not isfinite(lifetime):
                raise ValueError("no token")  # noqa: TRY301 - one answer for everything that is none
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise SourceUnavailable(
                f"{self.source.name}: the token endpoint answered HTTP {response.status} without a token"
            ) from exc
        return token, min(lifetime, _TOKEN_LONGEST_SECONDS)


def _excerpt(body: bytes, secret: str) -> str:
    text = body[:2000].decode("utf-8", "replace")
    return text.replace(secret, "***").replace(quote_plus(secret), "***")[:200]
