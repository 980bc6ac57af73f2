"""HTTP to the sources, by httpx: one exchange, size-capped, faults translated."""

import io
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from shared.errors import ResponseTooLarge, SourceUnavailable
from shared.ports import HttpRequest, HttpResponse


class HttpxClient:
    """Keeps connections open between requests of a warm instance."""

    def __init__(self) -> None:
        # no cookies are kept: one client serves the keys of several workspaces
        nothing = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._client = httpx.Client(follow_redirects=False, http2=False, cookies=nothing)

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http. The timeout holds for each wait on the network and for the exchange as a whole."""
        deadline = time.monotonic() + timeout_seconds
        try:
            with self._client.stream(
                request.method,
                request.url,
                params=request.query,
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout_seconds,
            ) as response:
                # a buffer that is not copied at the end: joined chunks would touch megabytes of new memory per page
                body, size = io.BytesIO(), 0
                # decoded bytes are counted: a small compressed body must not become a large one unseen
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > max_bytes:
                        raise ResponseTooLarge(f"{request.url}: more than {max_bytes} bytes; ask for smaller pages")
                    body.write(chunk)
                    if time.monotonic() > deadline:
                        raise SourceUnavailable(
                            f"{request.method} {request.url}: the body was not whole after {timeout_seconds:g} s"
                        )
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(response.status_code, headers, body.getvalue())
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise SourceUnavailable(f"{request.method} {request.url}: {type(exc).__name__}: {exc}") from exc
