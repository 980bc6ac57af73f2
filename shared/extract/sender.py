"""Sending page requests: key in the header, rate limit, retries, and a soft deadline that ends the waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared import logs
from shared.errors import AuthenticationFailed, RequestRefused, SourceUnavailable
from shared.extract.credentials import Credentials
from shared.extract.pages import PageRequest
from shared.extract.rate import RateLimit
from shared.extract.retry import RETRIED_STATUSES, asked_wait, backoff
from shared.ports import Clock, Http, HttpRequest, HttpResponse
from shared.registry.model import Source

T = TypeVar("T")

MAX_RESPONSE_BYTES = 32 * 1024 * 1024
# A full page of 250 incidents is 1.4 MB; a page with one absurd record of 10 MB must still arrive to be quarantined.

_REQUEST_TIMEOUT_SECONDS = 60.0
_WAIT_SLICE_SECONDS = 20.0
# Long waits are cut into slices so that the lease can be kept between them.


class UnusableBody(Exception):
    """A body that is no page: HTML, cut JSON, another shape. The sender treats it like a network fault."""


class Throttled(Exception):
    """An answer that says "later" without the status 429; `seconds` is the wait that it asks for, if it does."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class WaitBeyondDeadline(Exception):
    """The wait that is due is longer than the time left: continue by message, not before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"continue at {until}")
        self.until = until


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _Fault:
    """What went wrong, the wait that was asked for, and whether it uses up an attempt."""

    what: str
    asked: float | None = None
    counts: bool = True


@dataclass(slots=True)
class Sender:
    """Sends one source's requests until `deadline`, a soft one: work that cannot be finished by then is continued.

    `keep` is called between requests and during waits (to renew a lease).
    """

    source: Source
    base_url: str
    http: Http
    credentials: Credentials
    clock: Clock
    rate: RateLimit
    deadline: datetime
    keep: Callable[[], None]
    headers: Mapping[str, str]
    requests: int = 0
    _key: str = field(default="", repr=False)
    _fresh_secret: bool = False

    def send(self, request: PageRequest, decode: Callable[[HttpResponse], T]) -> T:
        """The decoded answer; retries what may go away by itself.

        `decode` raises UnusableBody for a body that is no answer, Throttled for one that says "later". Raises
        SourceUnavailable when the attempts are used up, AuthenticationFailed, RequestRefused, ResponseTooLarge, and
        WaitBeyondDeadline.
        """
        faults = 0
        while True:
            self._pace()
            outcome = self._attempt(request, decode)
            if isinstance(outcome, _Answer):
                return outcome.value
            allowed = backoff(faults)
            if outcome.counts:
                faults += 1
                if allowed is None:
                    raise SourceUnavailable(
                        f"{self._what(request)}: {outcome.what}, {faults} attempts; it comes again, see the source"
                    )
            wait = outcome.asked if outcome.asked is not None else allowed or 0.0
            path = _shown(request)
            logs.warning("extract.request_retried", path=path, fault=outcome.what, wait_seconds=round(wait, 3))
            self._wait(wait)

    def _attempt(self, request: PageRequest, decode: Callable[[HttpResponse], T]) -> "_Answer[T] | _Fault":
        try:
            response = self._exchange(request)
        except SourceUnavailable as exc:
            return _Fault(str(exc))
        status = response.status
        if (
            status == 200
            or (status == 404 and request.missing_ok)
            or (status in (400, 422) and request.invalid_ok)
            or (status == 429 and request.limit_in_body)
        ):
            try:
                return _Answer(decode(response))
            except UnusableBody as exc:
                # a front end's 429 says nothing in its body, but is a limit all the same
                if status != 429:
                    return _Fault(f"HTTP {status} with an unusable body ({exc})")
            except Throttled as exc:
                return _Fault(f"HTTP {status} that says later ({exc})", exc.seconds, counts=exc.seconds is None)
        if status == 429 or _is_rate_limit(response):
            asked = asked_wait(response.headers, self.clock.now())
            # whoever is sent away for a while has done nothing wrong: only the deadline ends that
            return _Fault(f"HTTP {status} (the rate limit)", asked, counts=asked is None)
        if status in (401, 403) and _is_link(request):
            raise SourceUnavailable(
                f"{self._what(request)}: HTTP {status}: the link that the source handed out is not good any more; the "
                "message comes again and asks for a new one"
            )
        if status in (401, 403):
            self._refetch_secret(request, response)
            return _Fault(f"HTTP {status} with the key in use", 0.0, counts=False)
        if status in RETRIED_STATUSES:
            asked = asked_wait(response.headers, self.clock.now())
            return _Fault(f"HTTP {status} ({RETRIED_STATUSES[status]})", asked)
        raise RequestRefused(
            f"{self._what(request)}: HTTP {status}: {self._excerpt(response)}; the request or the key's rights are "
            "wrong, a retry will not help"
        )

    def _exchange(self, request: PageRequest) -> HttpResponse:
        self.rate.take()
        self.requests += 1
        is_link = _is_link(request)
        headers = dict(self.headers)
        if not is_link:
            name, value, self._key = self.credentials.header()
            headers[name] = value
        if request.body is not None:
            headers["content-type"] = "application/json"
        url = request.path if is_link else f"{self.base_url.rstrip('/')}{request.path}"
        return self.http.send(
            HttpRequest(request.method, url, request.query, headers, request.body),
            timeout_seconds=_REQUEST_TIMEOUT_SECONDS,
            max_bytes=MAX_RESPONSE_BYTES,
        )

    def _refetch_secret(self, request: PageRequest, response: HttpResponse) -> None:
        if self._fresh_secret:
            raise AuthenticationFailed(
                f"{self._what(request)}: HTTP {response.status} ({self._excerpt(response)}), also after fetching "
                f"secret {self.source.secret!r} again; put a valid key with the needed rights into that secret",
                secret=self.source.secret,
            )
        self._fresh_secret = True
        logs.warning("extract.secret_fetched_again", secret=self.source.secret, status=response.status)
        self.credentials.renew()

    def _pace(self) -> None:
        self.keep()
        wait = self.rate.wait_seconds()
        if wait:
            self._wait(wait)

    def _wait(self, seconds: float) -> None:
        until = self.clock.now() + timedelta(seconds=seconds)
        if until > self.deadline:
            raise WaitBeyondDeadline(until)
        while (left := (until - self.clock.now()).total_seconds()) > 0:
            self.clock.sleep(min(left, _WAIT_SLICE_SECONDS))
            self.keep()

    def _what(self, request: PageRequest) -> str:
        return f"{self.source.name}: {request.method} {_shown(request)}"

    def _excerpt(self, response: HttpResponse) -> str:
        # some front ends repeat the request's headers in their error pages
        text = response.body[:2000].decode("utf-8", "replace")
        return (text.replace(self._key, "***") if self._key else text)[:200]


def _is_link(request: PageRequest) -> bool:
    return "://" in request.path


def _shown(request: PageRequest) -> str:
    # what follows the ? of a link is its signature: as good as a key
    return request.path.partition("?")[0] if _is_link(request) else request.path


def _is_rate_limit(response: HttpResponse) -> bool:
    # some vendors refuse with 403 what others refuse with 429
    headers = response.headers
    return response.status == 403 and ("retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")
