"""A loopback server that misbehaves on request: the bytes that it sends are the test's."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_LARGEST_HEAD = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A request as it came; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Asked, socket.socket], None]
"""Writes whatever it likes to the connection, which is closed afterwards."""


@dataclass
class Server:
    """Serves on 127.0.0.1; set `answer` to say how."""

    port: int
    answer: Answer
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


def reply(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None, *, length: int | None = None
) -> Answer:
    """One ordinary answer; `length` is stated instead of the body's own."""
    stated = {"content-length": str(len(body) if length is None else length), "connection": "close", **(headers or {})}

    def send(_: Asked, connection: socket.socket) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in stated.items())
        connection.sendall(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body)

    return send


def json_reply(status: int, text: str) -> Answer:
    """One answer of JSON."""
    return reply(status, text.encode(), {"content-type": "application/json"})


def hang_up(_: Asked, connection: socket.socket) -> None:
    """Take the request and cut the connection without a byte."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Run a server; a connection carries one exchange."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1], reply(404))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=exchange, args=(connection,), daemon=True).start()

    def exchange(connection: socket.socket) -> None:
        # a client that gave up is the test's intention
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            asked = _read(connection)
            if asked is not None:
                server.asked.append(asked)
                server.answer(asked, connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def closed_port() -> int:
    """A port on 127.0.0.1 where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        block = connection.recv(_LARGEST_HEAD)
        if not block:
            return None
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(_LARGEST_HEAD)
    return Asked(method, target, headers, body)
