"""HTTP to the sources, by urllib3: one exchange, size-capped, faults translated."""

import io
import time
import zlib
from urllib.parse import urlencode

import certifi
import urllib3

from shared.errors import RequestRefused, ResponseTooLarge, SourceUnavailable
from shared.ports import HttpRequest, HttpResponse

_BLOCK_BYTES = 256 * 1024
_GZIP_STREAM = 16 + zlib.MAX_WBITS


class PooledHttp:
    """Keeps connections open between requests of a warm instance; keeps no cookies, follows no redirects."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(retries=False, ca_certs=certifi.where())

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http. The timeout holds for each wait on the network and for the exchange as a whole."""
        deadline = time.monotonic() + timeout_seconds
        try:
            response = self._pool.urlopen(
                request.method,
                _address(request),
                body=request.body,
                headers={"accept-encoding": "gzip", **_headers(request)},
                timeout=timeout_seconds,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                body = _body(request, response, deadline, timeout_seconds, max_bytes)
            except BaseException:
                response.close()  # what is left of the answer must not be taken for the next one
                raise
            response.release_conn()
        except (urllib3.exceptions.HTTPError, UnicodeError) as exc:
            # what the exception says may repeat the address; it never says a header
            raise SourceUnavailable(f"{_what(request)}: {type(exc).__name__}: {exc}") from exc
        headers = {name.lower(): value for name, value in response.headers.itermerged()}
        return HttpResponse(response.status, headers, _decoded(request, headers, body, max_bytes))


def _body(
    request: HttpRequest,
    response: urllib3.BaseHTTPResponse,
    deadline: float,
    timeout_seconds: float,
    max_bytes: int,
) -> bytes:
    length = response.headers.get("content-length", "0")
    if not length.isdigit():
        raise SourceUnavailable(f"{_what(request)}: the body's length is {length[:40]!r}, which is no number")
    # a buffer that is not copied at the end: joined blocks would touch megabytes of new memory per page
    buffer = io.BytesIO()
    while block := response.read1(_BLOCK_BYTES):
        buffer.write(block)
        if buffer.tell() > max_bytes:
            raise _too_large(request, max_bytes)
        if time.monotonic() > deadline:
            raise SourceUnavailable(f"{_what(request)}: the body was not whole after {timeout_seconds:g} s")
    return buffer.getvalue()


def _address(request: HttpRequest) -> str:
    if not request.query:
        return request.url
    return f"{request.url}{'&' if '?' in request.url else '?'}{urlencode(request.query)}"


def _headers(request: HttpRequest) -> dict[str, str]:
    for name, value in request.headers.items():
        if not (value.isascii() and value.isprintable()):
            # refused here: the client's own error would repeat the value, and it may be a key
            raise RequestRefused(
                f"{_what(request)}: header {name!r} holds a line break or another character that no header may; if it "
                "comes from a secret, put the value there once more, without it"
            )
    return dict(request.headers)


def _decoded(request: HttpRequest, headers: dict[str, str], body: bytes, max_bytes: int) -> bytes:
    match headers.get("content-encoding", "identity").strip().lower():
        case "gzip":
            return _inflated(request, body, max_bytes) if body else body
        case "identity" | "":
            return body
        case other:
            raise SourceUnavailable(f"{_what(request)}: the body is encoded as {other[:40]!r}, asked for was gzip")


def _inflated(request: HttpRequest, body: bytes, max_bytes: int) -> bytes:
    """A gzip body in one go: cheaper than block by block, and no block of a bomb unfolds beyond the cap."""
    stream = zlib.decompressobj(_GZIP_STREAM)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error as exc:
        raise SourceUnavailable(f"{_what(request)}: the body is no gzip stream: {exc}") from exc
    if len(plain) > max_bytes:
        raise _too_large(request, max_bytes)
    if not stream.eof:
        raise SourceUnavailable(f"{_what(request)}: the gzip stream ends too early")
    return plain


def _what(request: HttpRequest) -> str:
    return f"{request.method} {request.url}"


def _too_large(request: HttpRequest, max_bytes: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"{request.url}: more than {max_bytes} bytes; ask for smaller pages")
