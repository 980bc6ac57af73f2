"""HTTP to the sources, by httpx: one exchange, size-capped, faults translated."""

import io
import time
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from shared.errors import ResponseTooLarge, SourceUnavailable
from shared.ports import HttpRequest, HttpResponse

_GZIP_STREAM = 16 + zlib.MAX_WBITS


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
                params=request.query or None,  # an empty one would take away the query of the address itself
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout_seconds,
            ) as response:
                gzipped = response.headers.get("content-encoding", "").strip().lower() == "gzip"
                # a buffer that is not copied at the end: joined chunks would touch megabytes of new memory per page
                buffer, size = io.BytesIO(), 0
                # decoded bytes are counted: a small compressed body must not become a large one unseen
                for chunk in response.iter_raw() if gzipped else response.iter_bytes():
                    size += len(chunk)
                    if size > max_bytes:
                        raise _too_large(request, max_bytes)
                    buffer.write(chunk)
                    if time.monotonic() > deadline:
                        raise SourceUnavailable(
                            f"{request.method} {request.url}: the body was not whole after {timeout_seconds:g} s"
                        )
                body = buffer.getvalue()
                if gzipped and body:
                    body = _inflated(request, body, max_bytes)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(response.status_code, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise SourceUnavailable(f"{request.method} {request.url}: {type(exc).__name__}: {exc}") from exc


def _inflated(request: HttpRequest, body: bytes, max_bytes: int) -> bytes:
    """A gzip body in one go: cheaper than block by block, and no block of a bomb unfolds beyond the cap."""
    stream = zlib.decompressobj(_GZIP_STREAM)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error as exc:
        raise SourceUnavailable(f"{request.method} {request.url}: the body is no gzip stream: {exc}") from exc
    if len(plain) > max_bytes:
        raise _too_large(request, max_bytes)
    if not stream.eof:
        raise SourceUnavailable(f"{request.method} {request.url}: the gzip stream ends too early")
    return plain


def _too_large(request: HttpRequest, max_bytes: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"{request.url}: more than {max_bytes} bytes; ask for smaller pages")
