"""Which TCP connections a session's client still has open.

Gap: over HTTP nobody sees that a client was killed, so its open transaction would hold the writer lock until an idle
limit. But the kernel closes a dead process's sockets at once, and the connector keeps its connection open between
statements; so a session whose last connection closed in the middle of a transaction has lost its client.
"""

import asyncio
import time
from dataclasses import dataclass, field

from uvicorn.protocols.http.h11_impl import H11Protocol

Peer = tuple[str, int]


@dataclass
class Client:
    """The connections of one session."""

    peers: set[Peer] = field(default_factory=set)
    left_at: float | None = None  # when the last connection closed
    reconnects: bool = False  # opens a connection a statement: then a closed one says nothing


class Clients:
    """All sessions' clients by session token. Used on the event loop only."""

    def __init__(self) -> None:
        self._by_token: dict[str, Client] = {}

    def seen(self, token: str, peer: Peer) -> None:
        """A statement of this session came over this connection."""
        client = self._by_token.setdefault(token, Client())
        if client.left_at is not None:
            client.reconnects = True
            client.left_at = None
        client.peers.add(peer)

    def closed(self, peer: Peer) -> None:
        """A connection is gone, whoever closed it."""
        for client in self._by_token.values():
            if peer in client.peers:
                client.peers.discard(peer)
                if not client.peers:
                    client.left_at = time.monotonic()

    def forget(self, token: str) -> None:
        """The session ended."""
        self._by_token.pop(token, None)

    def gone_for(self, token: str) -> float:
        """Seconds since the client vanished; 0 while it is there, or if that can't be told."""
        client = self._by_token.get(token)
        if client is None or client.reconnects or client.left_at is None:
            return 0.0
        return time.monotonic() - client.left_at


def watching(clients: Clients) -> type[H11Protocol]:
    """uvicorn's HTTP protocol that tells `clients` of closed connections."""

    class WatchingProtocol(H11Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                clients.closed(self.client)

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
            super().connection_made(transport)

    return WatchingProtocol
