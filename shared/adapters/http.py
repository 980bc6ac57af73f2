"""HTTP to the sources, by httpx: one exchange, size-capped, faults translated."""

import httpx

from shared.errors import ResponseTooLarge, SourceUnavailable
from shared.ports import HttpRequest, HttpResponse


class HttpxClient:
    """Keeps connections open between requests of a warm instance."""

    def __init__(self) -> None:
        self._client = httpx.Client(follow_redirects=False, http2=False)

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http."""
        try:
            with self._client.stream(
                request.method,
                request.url,
                params=request.query,
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout_seconds,
            ) as response:
                chunks, size = [], 0
                # decoded bytes are counted: a small compressed body must not become a large one unseen
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > max_bytes:
                        raise ResponseTooLarge(f"{request.url}: more than {max_bytes} bytes; ask for smaller pages")
                    chunks.append(chunk)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(response.status_code, headers, b"".join(chunks))
        except httpx.HTTPError as exc:
            raise SourceUnavailable(f"{request.method} {request.url}: {type(exc).__name__}: {exc}") from exc
