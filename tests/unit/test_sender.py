"""Sending: what is retried and how long, the key in the header only, and a deadline that ends the waiting."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from shared import logs
from shared.adapters.memory import MemoryClock, MemoryHttp, MemorySecrets
from shared.errors import AuthenticationFailed, RequestRefused, ResponseTooLarge, SourceUnavailable
from shared.extract.credentials import Credentials
from shared.extract.pages import PageRequest
from shared.extract.rate import RateLimit
from shared.extract.sender import MAX_RESPONSE_BYTES, Sender, Throttled, UnusableBody, WaitBeyondDeadline
from shared.ports import HttpRequest, HttpResponse
from tests.support.incident_io import response, unavailable
from tests.support.world import registry_of

SECRET = "s3cr3t-value"
REQUEST = PageRequest("/v2/incidents", (("page_size", "3"),))
OK = response(200, {"fine": True})


class Sending:
    """A sender over answers that are given in turn; the last one repeats."""

    def __init__(self, *answers: HttpResponse | BaseException, deadline_seconds: float = 420, **source: Any) -> None:
        self.clock = MemoryClock(datetime(2026, 11, 20, 7, tzinfo=UTC))
        self.answers = list(answers)
        self.http = MemoryHttp(lambda request: self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        self.secrets = MemorySecrets({"incident-io-alpha": SECRET})
        self.kept: list[datetime] = []
        registry = registry_of("alpha", **source)
        self.log = io.StringIO()
        source_of = registry.source("incident_io_alpha_incidents")
        self.sender = Sender(
            source_of,
            "https://api.incident.io/",
            self.http,
            Credentials(source_of, self.http, self.secrets, self.clock, None),
            self.clock,
            RateLimit(6000, self.clock),
            self.clock.now() + timedelta(seconds=deadline_seconds),
            lambda: self.kept.append(self.clock.now()),
            {"accept": "application/json"},
        )

    def send(self, decode: Callable[[bytes], Any] = json.loads, request: PageRequest = REQUEST) -> Any:
        """Send the one request."""
        with logs.captured(self.log):
            return self.sender.send(request, lambda response: decode(response.body))


def _page(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as exc:
        raise UnusableBody(str(exc)) from exc


def test_the_request_carries_key_query_and_headers() -> None:
    """The key stands in the header that the registry names, never in the address."""
    sending = Sending(OK)
    assert sending.send() == {"fine": True}
    (request,) = sending.http.requests
    assert request.url == "https://api.incident.io/v2/incidents"
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in request.url + str(request.query) + repr(request)


def test_a_key_without_a_scheme_stands_alone() -> None:
    """As some tools want it."""
    sending = Sending(OK, auth={"header": "X-Api-Key"})
    sending.send()
    assert sending.http.requests[0].headers["X-Api-Key"] == SECRET


@pytest.mark.parametrize("fault", [response(500), response(503, b"<html>"), response(408), unavailable()])
def test_faults_are_retried_after_2_4_8_and_16_seconds(fault: HttpResponse | BaseException) -> None:
    """Five attempts, then the message comes again later."""
    sending = Sending(fault)
    with pytest.raises(SourceUnavailable, match=r"incident_io_alpha_incidents: GET /v2/incidents: .*5 attempts"):
        sending.send()
    assert sending.clock.slept == [2, 4, 8, 16]
    assert sending.sender.requests == 5


def test_a_source_that_recovers_is_read() -> None:
    """Within the attempts."""
    sending = Sending(response(502), unavailable(), response(504), response(500), OK)
    assert sending.send() == {"fine": True}
    assert sum(sending.clock.slept) == 30


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17.0), ("1.25", 1.25), ("0", 0.0), (None, 2.0), ("soon", 2.0), ("45", 45.0)]
)
def test_a_rate_limit_is_waited_for_exactly(header: str | None, seconds: float) -> None:
    """The source's own wait, to the fraction; the ordinary one when it says nothing."""
    sending = Sending(response(429, **({"retry_after": header} if header else {})), OK)
    began = sending.clock.now()
    sending.send()
    assert (sending.clock.now() - began).total_seconds() == seconds


def test_a_rate_limit_until_a_date_is_waited_for() -> None:
    """An HTTP date."""
    sending = Sending(OK)
    until = sending.clock.now() + timedelta(seconds=33)
    sending.answers.insert(0, response(429, retry_after=format_datetime(until, usegmt=True)))
    sending.send()
    assert sending.clock.now() == until


def test_waits_that_the_source_asks_for_use_up_no_attempts() -> None:
    """Ten of them in a row are obedience, not faults."""
    sending = Sending(*[response(429, retry_after="5")] * 10, OK)
    assert sending.send() == {"fine": True}


@pytest.mark.parametrize("asked", ["421", "86400", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_deadline_is_continued_later(asked: str) -> None:
    """Nobody sleeps; the caller learns when, a day ahead at most."""
    sending = Sending(response(429, retry_after=asked))
    with pytest.raises(WaitBeyondDeadline) as caught:
        sending.send()
    assert sending.clock.slept == []
    wait = (caught.value.until - sending.clock.now()).total_seconds()
    assert wait == (421 if asked == "421" else 86_400)


def test_a_rate_limit_without_end_and_without_a_wait_ends_at_the_deadline() -> None:
    """`Retry-After: 0` for ever must not turn into a loop for ever."""
    sending = Sending(response(429, retry_after="0"), deadline_seconds=5)
    sending.sender.rate = RateLimit(60, sending.clock)
    with pytest.raises(WaitBeyondDeadline):
        sending.send()


def test_the_lease_is_kept_in_long_waits() -> None:
    """At least every twenty seconds."""
    sending = Sending(response(429, retry_after="100"), OK)
    sending.send()
    gaps = [(b - a).total_seconds() for a, b in zip(sending.kept, sending.kept[1:], strict=False)]
    assert max(gaps) <= 20
    assert sum(gaps) == 100


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_fetched_again_once(status: int) -> None:
    """A rotated key shows as a refusal; the new version is used at once."""
    sending = Sending(response(status, {"type": "authentication_error"}), OK)
    sending.secrets.rotate("incident-io-alpha", "new-value")
    assert sending.send() == {"fine": True}
    assert [r.headers["Authorization"] for r in sending.http.requests] == [f"Bearer {SECRET}", "Bearer new-value"]
    assert sending.clock.slept == []


def test_a_key_that_stays_refused_is_an_error_that_names_the_secret() -> None:
    """By its reference. Two requests, not an endless exchange."""
    sending = Sending(response(401, {"type": "authentication_error"}))
    with pytest.raises(AuthenticationFailed, match="secret 'incident-io-alpha'") as caught:
        sending.send()
    assert caught.value.secret == "incident-io-alpha"
    assert sending.sender.requests == 2
    assert sending.secrets.fetched_fresh == ["incident-io-alpha"]


def test_one_fresh_key_is_all_that_a_run_gets() -> None:
    """A key refused, renewed, and refused again later is not fetched a third time."""
    sending = Sending(response(401), OK, response(401))
    sending.send()
    with pytest.raises(AuthenticationFailed):
        sending.send()
    assert sending.secrets.fetched_fresh == ["incident-io-alpha"]


@pytest.mark.parametrize("status", [400, 404, 405, 410, 422, 301, 302, 307, 308, 204, 206])
def test_anything_not_on_the_list_is_refused_at_once(status: int) -> None:
    """A redirect is not followed: the key would go along. An empty success is no page."""
    sending = Sending(response(status, b"", location="https://elsewhere.example/"))
    with pytest.raises(RequestRefused, match=f"HTTP {status}"):
        sending.send()
    assert sending.sender.requests == 1


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b'{"incidents": [{"id": "1', b"", b"\xff\xfe"])
def test_a_body_that_is_no_page_counts_as_a_fault(body: bytes) -> None:
    """HTML from a front end, JSON that was cut: retried, then unavailable."""
    sending = Sending(response(200, body), OK)
    assert sending.send(_page) == {"fine": True}
    with pytest.raises(SourceUnavailable, match="unusable body"):
        Sending(response(200, body)).send(_page)


def test_a_body_beyond_every_measure_is_refused() -> None:
    """Memory is bounded."""
    sending = Sending(response(200, b" " * (MAX_RESPONSE_BYTES + 1)))
    with pytest.raises(ResponseTooLarge):
        sending.send()


def test_the_client_paces_itself() -> None:
    """The limit of the registry, before the source has to say it."""
    sending = Sending(OK)
    sending.sender.rate = RateLimit(60, sending.clock)
    for _ in range(61):
        sending.send()
    assert abs(sum(sending.clock.slept) - 1) < 0.01


def _echo(request: HttpRequest) -> str:
    return f"refused header Authorization: {request.headers['Authorization']}"


@pytest.mark.parametrize("status", [400, 401, 500, 429])
def test_the_secret_is_in_no_message_and_no_log(status: int) -> None:
    """Also when the source's error page repeats the request's headers."""
    sending = Sending(OK, deadline_seconds=60)
    sending.http._answer = lambda request: response(status, _echo(request).encode())
    with pytest.raises((SourceUnavailable, RequestRefused, AuthenticationFailed, WaitBeyondDeadline)) as caught:
        sending.send()
    assert SECRET not in str(caught.value) + repr(caught.value)
    assert SECRET not in sending.log.getvalue()
    assert SECRET not in repr(sending.sender)


def test_a_503_that_asks_for_no_wait_uses_up_its_attempts() -> None:
    """`Retry-After` sets the wait of a fault; it does not make it none."""
    sending = Sending(response(503, retry_after="0"))
    with pytest.raises(SourceUnavailable, match="5 attempts"):
        sending.send()
    assert len(sending.http.requests) == 5
    assert sum(sending.clock.slept) == 0


def test_a_limit_that_the_body_explains_is_judged_by_the_decoder() -> None:
    """It may tell of a minute's limit, which is waited for, or of one that waiting does not help against."""

    def later(body: bytes) -> object:
        if body == b"credits":
            raise RequestRefused("spent")
        if body == b"minute":
            raise Throttled("slow down", 60)
        return json.loads(body)

    request = PageRequest("/list", limit_in_body=True)
    sending = Sending(response(429, b"minute"), response(429, b"minute"), OK)
    assert sending.send(later, request) == {"fine": True}
    assert sum(sending.clock.slept) == 120
    with pytest.raises(RequestRefused, match="spent"):
        Sending(response(429, b"credits")).send(later, request)
    front_end = Sending(response(429, b"<html>", retry_after="90"), OK)
    assert front_end.send(_page, request) == {"fine": True}
    assert sum(front_end.clock.slept) == 90
    unasked = Sending(response(429, b"credits", retry_after="5"), OK)
    assert unasked.send(later) == {"fine": True}


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_id_that_is_none_may_be_an_answer(status: int) -> None:
    """Where it was somebody else's; other requests are refused for good."""
    body = response(status, {"type": "not_found"})
    asked = PageRequest("/v2/incidents/x", missing_ok=True, invalid_ok=True)
    assert Sending(body).send(request=asked) == {"type": "not_found"}
    with pytest.raises(RequestRefused):
        Sending(body).send(request=PageRequest("/v2/incidents/x"))
