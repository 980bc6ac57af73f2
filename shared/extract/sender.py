"""Sending page requests: key in the header, rate limit, retries, and a soft deadline that ends the waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from shared import logs
from shared.errors import AuthenticationFailed, RequestRefused, SourceUnavailable
from shared.extract.pages import PageRequest
from shared.extract.rate import RateLimit
from shared.extract.retry import RETRIED_STATUSES, asked_wait, backoff
from shared.ports import Clock, Http, HttpRequest, HttpResponse, Secrets
from shared.registry.model import Source

T = TypeVar("T")

MAX_RESPONSE_BYTES = 32 * 1024 * 1024
# A full page of 250 incidents is 1.4 MB; a page with one absurd record of 10 MB must still arrive to be quarantined.

_REQUEST_TIMEOUT_SECONDS = 60.0
_WAIT_SLICE_SECONDS = 20.0
# Long waits are cut into slices so that the lease can be kept between them.


class UnusableBody(Exception):
    """A body that is no page: HTML, cut JSON, another shape. The sender treats it like a network fault."""


class WaitBeyondDeadline(Exception):
    """The wait that is due is longer than the time left: continue by message, not before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"continue at {until}")
        self.until = until


@dataclass(slots=True)
class Sender:
    """Sends one source's requests until `deadline`, a soft one: work that cannot be finished by then is continued.

    `keep` is called between requests and during waits (to renew a lease).
    """

    source: Source
    base_url: str
    http: Http
    secrets: Secrets
    clock: Clock
    rate: RateLimit
    deadline: datetime
    keep: Callable[[], None]
    headers: Mapping[str, str]
    requests: int = 0
    _key: str = field(default="", repr=False)
    _fresh_secret: bool = False

    def send(self, request: PageRequest, decode: Callable[[bytes], T]) -> T:
        """The decoded answer; retries what may go away by itself.

        `decode` raises UnusableBody for a body that is no answer. Raises SourceUnavailable when the attempts are used
        up, AuthenticationFailed, RequestRefused, ResponseTooLarge, and WaitBeyondDeadline.
        """
        faults = 0
        while True:
            self._pace()
            asked: float | None = None
            counts = True
            try:
                response = self._exchange(request)
            except SourceUnavailable as exc:
                fault = str(exc)
            else:
                if response.status == 200:
                    try:
                        return decode(response.body)
                    except UnusableBody as exc:
                        fault = f"HTTP 200 with an unusable body ({exc})"
                elif response.status in (401, 403):
                    self._refetch_secret(request, response)
                    continue
                elif response.status not in RETRIED_STATUSES:
                    raise RequestRefused(
                        f"{self._what(request)}: HTTP {response.status}: {self._excerpt(response)}; the request or the "
                        "key's rights are wrong, a retry will not help"
                    )
                else:
                    fault = f"HTTP {response.status} ({RETRIED_STATUSES[response.status]})"
                    asked = asked_wait(response.headers, self.clock.now())
                    # whoever is sent away for a while has done nothing wrong: only the deadline ends that
                    counts = response.status != 429 or asked is None
            allowed = backoff(faults)
            if counts:
                faults += 1
                if allowed is None:
                    raise SourceUnavailable(
                        f"{self._what(request)}: {fault}, {faults} attempts; the message comes again, see the source"
                    )
            wait = asked if asked is not None else allowed or 0.0
            logs.warning("extract.request_retried", path=request.path, fault=fault, wait_seconds=round(wait, 3))
            self._wait(wait)

    def _exchange(self, request: PageRequest) -> HttpResponse:
        self.rate.take()
        self.requests += 1
        auth = self.source.auth
        key = self.secrets.fetch(self.source.secret)
        self._key = key
        value = f"{auth.scheme} {key}" if auth.scheme else key
        return self.http.send(
            HttpRequest(
                request.method,
                f"{self.base_url.rstrip('/')}{request.path}",
                request.query,
                {**self.headers, auth.header: value},
                request.body,
            ),
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
        self.secrets.fetch(self.source.secret, fresh=True)

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
        return f"{self.source.name}: {request.method} {request.path}"

    def _excerpt(self, response: HttpResponse) -> str:
        # some front ends repeat the request's headers in their error pages
        text = response.body[:2000].decode("utf-8", "replace")
        return (text.replace(self._key, "***") if self._key else text)[:200]
