"""How keys travel: in a header, by the kind of auth; tokens are fetched once, renewed in time, and never shown."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from shared.adapters.memory import MemoryClock, MemoryHttp, MemorySecrets
from shared.errors import AuthenticationFailed, SourceUnavailable
from shared.extract.credentials import Credentials
from shared.ports import HttpRequest, HttpResponse
from tests.support.ai_pages import source
from tests.support.incident_io import response

NOW = datetime(2026, 6, 1, 14, 30, tzinfo=UTC)
SECRET = "s3cr3t/with+signs&="
TOKEN_URL = "https://auth.example.test/oauth2/token"


class _TokenEndpoint:
    """Hands out tokens by number, or gives the answers that are queued."""

    def __init__(self, **answer: Any) -> None:
        self.queued: list[HttpResponse | BaseException] = []
        self.answer = {"token_type": "Bearer", "expires_in": 3600, **answer}
        self.given = 0

    def __call__(self, request: HttpRequest) -> HttpResponse | BaseException:
        if self.queued:
            return self.queued.pop(0)
        self.given += 1
        return response(200, {"access_token": f"token-{self.given}", **self.answer})


class _Case:
    def __init__(self, tool: str, endpoint: _TokenEndpoint | None = None, secret: str = f"client-1:{SECRET}") -> None:
        self.clock = MemoryClock(NOW)
        self.endpoint = endpoint or _TokenEndpoint()
        self.http = MemoryHttp(self.endpoint)
        block = source(tool)
        self.secrets = MemorySecrets({block.secret: secret})
        self.credentials = Credentials(block, self.http, self.secrets, self.clock, TOKEN_URL)


def test_a_header_carries_the_key_with_its_scheme_or_alone() -> None:
    """As the registry's block says."""
    assert _Case("chatgpt", secret="k").credentials.header() == ("Authorization", "Bearer k", "k")
    assert _Case("claude_code", secret="k").credentials.header() == ("x-api-key", "k", "k")


def test_basic_carries_the_key_as_user_without_a_password() -> None:
    """RFC 7617."""
    name, value, shown_by_nobody = _Case("cursor", secret="kéy").credentials.header()
    assert name == "Authorization"
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == "kéy:"
    assert shown_by_nobody == "kéy"


def test_client_credentials_ask_once_and_carry_the_token() -> None:
    """The secret goes to the token endpoint only, in the body."""
    case = _Case("amp")
    assert case.credentials.header() == ("Authorization", "Bearer token-1", "token-1")
    assert case.credentials.header()[1] == "Bearer token-1"
    (request,) = case.http.requests
    form = parse_qs((request.body or b"").decode(), strict_parsing=True)
    assert (request.method, request.url, request.query) == ("POST", TOKEN_URL, ())
    assert form == {
        "grant_type": ["client_credentials"],
        "client_id": ["client-1"],
        "client_secret": [SECRET],
        "scope": ["amp.api:workspace.analytics:view amp.api:workspace.members:view"],
    }
    assert SECRET not in f"{request.url}{request.query}{request.headers}"


def test_a_token_is_renewed_before_it_ends() -> None:
    """A minute before, since the request with it takes time too."""
    case = _Case("amp", _TokenEndpoint(expires_in="600"))
    seen = []
    for seconds in (0, 539, 1, 539, 1):
        case.clock.sleep(seconds)
        seen.append(case.credentials.header()[2])
    assert seen == ["token-1", "token-1", "token-2", "token-2", "token-3"]


def test_a_token_without_a_lifetime_is_kept_for_five_minutes() -> None:
    """RFC 6749 only recommends to tell it."""
    endpoint = _TokenEndpoint()
    del endpoint.answer["expires_in"]
    case = _Case("amp", endpoint)
    case.credentials.header()
    case.clock.sleep(239)
    assert case.credentials.header()[2] == "token-1"
    case.clock.sleep(1)
    assert case.credentials.header()[2] == "token-2"


def test_a_rotated_secret_brings_a_new_token() -> None:
    """After the source refused the one in use."""
    case = _Case("amp")
    case.credentials.header()
    case.secrets.rotate("amp", "client-1:other")
    case.credentials.renew()
    assert case.credentials.header()[2] == "token-2"
    assert parse_qs((case.http.requests[-1].body or b"").decode())["client_secret"] == ["other"]
    assert case.secrets.fetched_fresh == ["amp"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_client_is_permanent_and_names_the_secret_s_reference_only(status: int) -> None:
    """Some endpoints repeat what they were sent."""
    case = _Case("amp")
    quoted = "s3cr3t%2Fwith%2Bsigns%26%3D"
    case.endpoint.queued = [response(status, f"invalid_client {SECRET} {quoted}".encode())]
    with pytest.raises(AuthenticationFailed, match=r"'amp'.*invalid_client") as caught:
        case.credentials.header()
    assert caught.value.secret == "amp"
    assert SECRET not in str(caught.value)
    assert quoted not in str(caught.value)


@pytest.mark.parametrize("secret", ["no-colon", ":only-secret", "only-id:", ""])
def test_a_secret_that_is_no_pair_is_said_before_it_is_sent(secret: str) -> None:
    """It may be the secret without its id: that must not go out as an id, which is no secret."""
    case = _Case("amp", secret=secret)
    with pytest.raises(AuthenticationFailed, match="no `id:secret`") as caught:
        case.credentials.header()
    assert case.http.requests == []
    assert not secret or secret not in str(caught.value)


BODIES: Mapping[str, HttpResponse] = {
    "a fault": response(500, {"error": "x"}),
    "a fault with a token": response(503, {"access_token": "t", "expires_in": 60}),
    "a proxy's page": response(200, b"<html>"),
    "no object": response(200, []),
    "no token": response(200, {"token_type": "Bearer"}),
    "a null token": response(200, {"access_token": None}),
    "an empty token": response(200, {"access_token": ""}),
    "a lifetime that is none": response(200, {"access_token": "t", "expires_in": "soon"}),
    "an endless lifetime": response(200, b'{"access_token": "t", "expires_in": Infinity}'),
    "endless nesting": response(200, b"[" * 50_000),
}


@pytest.mark.parametrize("answer", BODIES)
def test_an_answer_without_a_token_is_tried_again_later(answer: str) -> None:
    """Nothing is kept of it: the next request asks anew."""
    case = _Case("amp")
    case.endpoint.queued = [BODIES[answer]]
    with pytest.raises(SourceUnavailable, match="without a token"):
        case.credentials.header()
    assert case.credentials.header()[2] == "token-1"


def test_an_absurd_lifetime_is_cut_to_a_day() -> None:
    """A token that would be kept for centuries is asked for again tomorrow."""
    case = _Case("amp", _TokenEndpoint(expires_in=1e300))
    case.credentials.header()
    case.clock.sleep(86_400)
    assert case.credentials.header()[2] == "token-2"
