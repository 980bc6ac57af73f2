"""Http: one exchange with a source, whatever the source sends; the fake in memory keeps the same few promises."""

import gzip
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from shared.adapters.http import PooledHttp
from shared.adapters.memory import MemoryHttp
from shared.errors import RequestRefused, ResponseTooLarge, SourceUnavailable
from shared.ports import Http, HttpRequest, HttpResponse
from tests.contract.servers import Answer, Asked, Server, closed_port, hang_up, reply

KEY = "Bearer sk-largest-secret-of-all"


def send(
    http: Http, url: str, *, timeout_seconds: float = 5.0, max_bytes: int = 1_000_000, method: str = "GET"
) -> HttpResponse:
    request = HttpRequest(method, url, headers={"Authorization": KEY})
    return http.send(request, timeout_seconds=timeout_seconds, max_bytes=max_bytes)


@dataclass(frozen=True)
class Wire:
    """An Http and the way to say what the source answers."""

    http: Http
    url: str
    answers: Callable[[int, bytes], None]
    breaks: Callable[[], None]


@pytest.fixture(params=["memory", "urllib3"])
def wire(request: pytest.FixtureRequest) -> Wire:
    if request.param == "memory":
        planned: list[HttpResponse | BaseException] = []
        return Wire(
            MemoryHttp(lambda _: planned[-1]),
            "https://source.example",
            lambda status, body: planned.append(HttpResponse(status, {"x-kind": "test"}, body)),
            lambda: planned.append(SourceUnavailable("the connection was cut")),
        )
    server: Server = request.getfixturevalue("server")

    def answers(status: int, body: bytes) -> None:
        server.answer = reply(status, body, {"X-Kind": "test"})

    def breaks() -> None:
        server.answer = hang_up

    return Wire(PooledHttp(), server.url, answers, breaks)


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 404, 429, 500, 503, 599])
def test_every_status_is_an_answer(wire: Wire, status: int) -> None:
    body = b"" if status in (204, 304) else b'{"incidents": []}'
    wire.answers(status, body)
    answer = send(wire.http, wire.url)
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (status, body, "test")


def test_a_body_up_to_the_cap_is_taken_and_one_beyond_it_is_not(wire: Wire) -> None:
    wire.answers(200, b"x" * 1000)
    assert len(send(wire.http, wire.url, max_bytes=1000).body) == 1000
    with pytest.raises(ResponseTooLarge, match=wire.url):
        send(wire.http, wire.url, max_bytes=999)


def test_a_broken_exchange_is_the_sources_fault_and_the_next_one_works(wire: Wire) -> None:
    wire.breaks()
    with pytest.raises(SourceUnavailable):
        send(wire.http, wire.url)
    wire.answers(200, b"1")
    assert send(wire.http, wire.url).body == b"1"


def test_the_request_arrives_as_it_was_made(server: Server) -> None:
    server.answer = reply(200)
    query = (("status[one_of]", "live"), ("status[one_of]", "größe & more"), ("page_size", "250"))
    request = HttpRequest("POST", f"{server.url}/v2/incidents", query, {"Authorization": KEY, "X-A": "1"}, b'{"a":1}')
    PooledHttp().send(request, timeout_seconds=5, max_bytes=100)
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.target == (
        "/v2/incidents?status%5Bone_of%5D=live&status%5Bone_of%5D=gr%C3%B6%C3%9Fe+%26+more&page_size=250"
    )
    assert (asked.headers["authorization"], asked.headers["x-a"], asked.body) == (KEY, "1", b'{"a":1}')


def test_header_names_are_lower_case(server: Server) -> None:
    server.answer = reply(429, b"", {"Retry-After": "7", "X-RateLimit-RESET": "Abc"})
    headers = send(PooledHttp(), server.url).headers
    assert (headers["retry-after"], headers["x-ratelimit-reset"]) == ("7", "Abc")
    assert all(name == name.lower() for name in headers)


def test_a_compressed_body_is_decoded(server: Server) -> None:
    body = b'{"incidents": []}' * 1000
    server.answer = reply(200, gzip.compress(body), {"Content-Encoding": "gzip"})
    assert send(PooledHttp(), server.url).body == body
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def test_an_encoding_that_nobody_asked_for_is_no_answer(server: Server) -> None:
    server.answer = reply(200, zlib.compress(b"{}"), {"Content-Encoding": "deflate"})
    with pytest.raises(SourceUnavailable, match="deflate"):
        send(PooledHttp(), server.url)


@pytest.mark.parametrize(
    "value", ["sk-largest\n", "sk-largest\r\nx-injected: 1", "sk-largest\x00", "sk-largest-\u00e9"]
)
def test_a_key_that_no_header_may_hold_is_refused_and_not_shown(server: Server, value: str) -> None:
    request = HttpRequest("GET", server.url, headers={"Authorization": value})
    with pytest.raises(RequestRefused, match="'Authorization'") as caught:
        PooledHttp().send(request, timeout_seconds=1, max_bytes=100)
    assert "sk-largest" not in str(caught.value)
    assert server.asked == []


def test_the_cap_counts_decoded_bytes(server: Server) -> None:
    """A bomb: 200 MB in 200 KB. It is given up after one network block, not unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    assert len(bomb) < 250_000
    server.answer = reply(200, bomb, {"Content-Encoding": "gzip"})
    with pytest.raises(ResponseTooLarge):
        send(PooledHttp(), server.url, max_bytes=32 * 1024 * 1024)


def test_a_body_without_a_stated_length_is_capped_too(server: Server) -> None:
    def endless(_: Asked, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    server.answer = endless
    with pytest.raises(ResponseTooLarge):
        send(PooledHttp(), server.url, max_bytes=1_000_000)


def test_redirects_are_not_followed(server: Server) -> None:
    """The key must not travel to wherever a redirect points."""
    server.answer = reply(302, b"", {"location": f"{server.url}/elsewhere"})
    answer = send(PooledHttp(), server.url)
    assert (answer.status, answer.headers["location"]) == (302, f"{server.url}/elsewhere")
    assert len(server.asked) == 1


def test_nothing_of_one_exchange_is_sent_with_the_next(server: Server) -> None:
    """One process serves all workspaces: what a source sets for one key must not come along with another."""
    server.answer = reply(200, b"", {"Set-Cookie": "session=of-the-first-key; Path=/"})
    http = PooledHttp()
    send(http, server.url)
    send(http, server.url)
    assert "cookie" not in server.asked[1].headers


def _chunked(*chunks: bytes, finished: bool) -> Answer:
    def answer(_: Asked, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for chunk in chunks:
            connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if finished:
            connection.sendall(b"0\r\n\r\n")

    return answer


def _raw(data: bytes) -> Answer:
    return lambda _, connection: connection.sendall(data)


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        reply(200, b'{"incidents": [', length=5000),
        _chunked(b'{"incidents": [', finished=False),
        reply(200, gzip.compress(b"x" * 5000)[:-20], {"Content-Encoding": "gzip"}, length=5000),
        reply(200, b"no gzip", {"Content-Encoding": "gzip"}),
        _raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
        _raw(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"),
        _raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000),
        _raw(b"HTTP/1.1 abc\r\n\r\n"),
    ],
    ids=["hang-up", "cut", "cut chunks", "cut gzip", "no gzip", "ssh", "length", "endless head", "status"],
)
def test_whatever_is_no_whole_answer_is_unavailable(server: Server, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(SourceUnavailable) as caught:
        send(PooledHttp(), server.url)
    assert server.url in str(caught.value)
    assert "sk-largest" not in str(caught.value)


def test_chunks_are_joined(server: Server) -> None:
    server.answer = _chunked(b"ab", b"cd", finished=True)
    assert send(PooledHttp(), server.url).body == b"abcd"


def test_nobody_listens() -> None:
    with pytest.raises(SourceUnavailable, match="NewConnectionError"):
        send(PooledHttp(), f"http://127.0.0.1:{closed_port()}")


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/", "http://127.0.0.1:99999/", "http://[::1/", "ftp://127.0.0.1/"])
def test_an_address_that_leads_nowhere(url: str) -> None:
    with pytest.raises(SourceUnavailable):
        send(PooledHttp(), url)


def test_plain_text_where_tls_is_expected(server: Server) -> None:
    server.answer = reply(200)
    with pytest.raises(SourceUnavailable):
        send(PooledHttp(), server.url.replace("http://", "https://"), timeout_seconds=0.5)


def _after(pause_seconds: float, pieces: int) -> Answer:
    def answer(_: Asked, connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {pieces}\r\n\r\n".encode())
        for _piece in range(pieces):
            time.sleep(pause_seconds)
            connection.sendall(b"x")

    return answer


def test_silence_ends_at_the_timeout(server: Server) -> None:
    server.answer = _after(3, 1)
    with pytest.raises(SourceUnavailable, match="Timeout"):
        send(PooledHttp(), server.url, timeout_seconds=0.2)


def test_a_body_that_only_drips_ends_at_the_timeout_too(server: Server) -> None:
    """No single wait is long, but the exchange would outlive the function."""
    server.answer = _after(0.05, 200)
    with pytest.raises(SourceUnavailable, match=server.url):
        send(PooledHttp(), server.url, timeout_seconds=0.3)


def test_a_request_never_shows_its_headers() -> None:
    request = HttpRequest("GET", "https://source.example", headers={"Authorization": KEY})
    assert "sk-largest" not in repr(request)
