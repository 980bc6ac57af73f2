"""Running an application on a port: bind first, say where, then serve until told to stop."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound and listening socket; port 0 takes a free one. OSError when the port is taken."""
    listening = socket.create_server((host, port), backlog=128)
    # asyncio sets this only on sockets made with IPPROTO_TCP, which these are not; without it every answer on a kept
    # connection waits some 40 ms for the client's delayed acknowledgement
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def server_for(app: ASGIApp) -> uvicorn.Server:
    """A server that logs nothing but what kills it: cut answers are on purpose here."""
    return uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none"))


def serve(app: ASGIApp, host: str, port: int, title: str) -> None:
    """Serve until SIGINT or SIGTERM; a line on standard output tells the title and, last, the address."""
    with listening_socket(host, port) as listening:
        bound_host, bound_port = listening.getsockname()[:2]
        print(f"{title} on http://{bound_host}:{bound_port}", flush=True)
        server_for(app).run(sockets=[listening])


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve from a thread on a free port of 127.0.0.1 and give the base URL; stopped on the way out.

    Raises RuntimeError when the server doesn't start or stop within ten seconds.
    """
    server = server_for(app)
    with listening_socket("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the double did not start")
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
    if thread.is_alive():
        raise RuntimeError("the double did not stop")
