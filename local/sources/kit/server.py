"""One application for every double: each family under `/<name>`, the control endpoints for all under `/_double`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from local.sources.kit.bodies import encoded_response
from local.sources.kit.control import control_routes
from local.sources.kit.family import Family, OpenedDouble, Surroundings
from local.sources.kit.faults import FaultBoard

PREFIX = "double_prefix"
"""The scope's key that tells an application where it is mounted, for the addresses that it hands out."""


def fault_board(families: Sequence[Family]) -> FaultBoard:
    """A board whose rules can be for any of the families."""
    return FaultBoard({family.name: family.lists for family in families})


@dataclass(frozen=True, slots=True)
class DoublesServer:
    """The ASGI application. A family whose keys are all unknown isn't there: it could open to nobody."""

    doubles: Mapping[str, OpenedDouble]
    without_key: tuple[str, ...]
    control: ASGIApp

    @classmethod
    def open(cls, families: Sequence[Family], surroundings: Surroundings) -> DoublesServer:
        """Open every family that has a key in `surroundings`. ValueError for a quirk that none of them has."""
        strangers = sorted(surroundings.without_quirks.difference(*(family.quirks for family in families)))
        if strangers:
            raise ValueError(f"no double has the quirk {', '.join(strangers)}")
        doubles: dict[str, OpenedDouble] = {}
        for family in families:
            keys = {name: surroundings.keys[name] for name in family.secrets if name in surroundings.keys}
            if keys:
                doubles[family.name] = family.open(replace(surroundings, keys=keys))
        without = tuple(family.name for family in families if family.name not in doubles)

        def stats() -> dict[str, Any]:
            return {name: double.stats.as_json() for name, double in doubles.items()}

        control = Starlette(routes=control_routes(surroundings.clock, surroundings.faults, stats))
        return cls(doubles, without, control)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the family that its path begins with, the prefix taken off."""
        first, slash, rest = scope["path"].removeprefix("/").partition("/")
        if first == "_double":
            await self.control(scope, receive, send)
        elif first in self.doubles:
            prefix = f"/{first}"
            # not `root_path`: frameworks put that before the path again, and the vendor's own path is what counts here
            raw_path = scope.get("raw_path", b"").removeprefix(prefix.encode())
            inner = {**scope, "path": slash + rest or "/", "raw_path": raw_path or b"/", PREFIX: prefix}
            await self.doubles[first].app(inner, receive, send)
        else:
            told = {"error": f"no double is mounted at /{first}", "mounted": sorted(self.doubles)}
            await encoded_response(told, accept_encoding=None, status=404)(scope, receive, send)
