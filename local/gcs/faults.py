"""Faults on request: errors, delays, lost answers and lost notifications, for tests of what must survive them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.gcs.errors import ApiError

Action = Literal["error", "drop_response", "delay", "drop_notification"]
_ACTIONS = ("error", "drop_response", "delay", "drop_notification")


@dataclass(slots=True)
class Fault:
    """What goes wrong, and for which requests.

    A request matches when its method is `method` (any when empty), its path contains `path_contains` and the object
    it is about contains `name_contains`. The first `skip` matches pass, then `times` are hit (None: all).
    error: answer `status`, nothing is done. drop_response: do the work, then cut the connection without an answer.
    delay: wait `seconds` before the work. drop_notification: do the work, queue no notification.
    """

    action: Action
    method: str = ""
    path_contains: str = ""
    name_contains: str = ""
    status: int = 503
    seconds: float = 1.0
    times: int | None = 1
    skip: int = 0
    hits: int = 0

    @classmethod
    def parse(cls, given: Any) -> Fault:
        """A rule from JSON; ApiError 400 that says what is wrong with it."""
        fields = {field.name for field in dataclasses.fields(cls)} - {"hits"}
        if not isinstance(given, Mapping) or given.get("action") not in _ACTIONS or set(given) - fields:
            raise ApiError(400, f"A fault has an action of {', '.join(_ACTIONS)} and only {sorted(fields)}: {given}")
        return cls(**given)

    def matches(self, method: str, path: str, name: str) -> bool:
        """Whether the rule is about such a request and is not used up."""
        return (
            self.times != 0
            and self.method.upper() in ("", method)
            and self.path_contains in path
            and self.name_contains in name
        )


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def replace(self, given: Any) -> None:
        """Set the rules from JSON: one or a list of them; ApiError 400 leaves the old ones."""
        self.rules = [Fault.parse(rule) for rule in (given if isinstance(given, Sequence) else [given])]

    def as_json(self) -> list[dict[str, Any]]:
        """The rules with how often each has hit."""
        return [dataclasses.asdict(rule) for rule in self.rules]

    def take(self, method: str, path: str, name: str) -> Fault | None:
        """The first rule that hits this request, counted."""
        for rule in self.rules:
            if not rule.matches(method, path, name):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            rule.hits += 1
            if rule.times is not None:
                rule.times -= 1
            return rule
        return None

    async def apply(self, request: Request, name: str = "") -> None:
        """Let a request meet its fault, once its object's name is known and before its work; ApiError for `error`."""
        fault = self.take(request.method, request.url.path, name)
        if fault is None:
            return
        if fault.action == "error":
            raise ApiError(fault.status, "Injected fault.")
        if fault.action == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.action == "drop_response":
            request.state.drop_response = True
        else:
            request.state.drop_notification = True


def notifies(request: Request) -> bool:
    """Whether this request's write is to be notified."""
    return not getattr(request.state, "drop_notification", False)


def drops_response(request: Request) -> bool:
    """Whether this request's answer is to be lost."""
    return getattr(request.state, "drop_response", False)


class Connections:
    """The open connections of a server, by the client's address, so that one can be cut."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """The protocol class for uvicorn that keeps track of the connections."""
        held = self._open

        class Tracked(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
                self.peer: tuple[str, int] = transport.get_extra_info("peername")[:2]
                held[self.peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                held.pop(self.peer, None)
                super().connection_lost(exc)

        return Tracked

    async def cut(self, scope: Scope) -> None:
        """Reset the request's connection; returns when the server has noticed, so that it answers nothing."""
        self._open[tuple(scope["client"])].abort()
        await asyncio.sleep(0.01)
