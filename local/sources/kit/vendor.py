"""The part of a double that every vendor's API shares: keys, faults, quotas, endpoints, refusals, counts.

A vendor says how it knows a key, what its refusals look like and what its endpoints answer; the order of things (key
first, then faults, quotas, endpoint) is the same for all.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sources.kit.bodies import PROXY_PAGE, CutResponse, encoded_response
from local.sources.kit.corruption import corrupt
from local.sources.kit.family import OpenedDouble, Surroundings
from local.sources.kit.faults import FaultRule
from local.sources.kit.paths import counted_as, fits
from local.sources.kit.server import PREFIX
from local.sources.kit.stats import Stats

STRANGER = "unknown"
"""Whom a request is counted under that carries no valid key."""


class Refusal(Exception):
    """An answer other than 200, raised anywhere below the endpoints, with the body as the vendor writes it."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The HTTP answer; a body of bytes is sent as it is."""
        if isinstance(self.body, bytes):
            return Response(self.body, self.status, self.headers)
        return encoded_response(self.body, accept_encoding=None, status=self.status, headers=self.headers)


class UnfitFault(Exception):
    """A fault rule that can't be applied: told to the client, rather than a record that is whole after all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has been let in, as an endpoint sees it. `faults` are the rules that act on it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    """Where this vendor is found, without a slash at the end: for addresses that an answer holds."""
    account: str = STRANGER
    faults: tuple[FaultRule, ...] = ()

    def single(self, name: str) -> str | None:
        """The last value of a query parameter; None when absent or empty."""
        return next((value for key, value in reversed(self.query) if key == name and value), None)

    def has_fault(self, action: str) -> bool:
        """Whether a rule with this action acts on the request."""
        return any(rule.action == action for rule in self.faults)

    def records(self, rows: Sequence[Any]) -> list[msgspec.Raw]:
        """The rows as JSON, those broken that a `corrupt_record` rule names. Raises UnfitFault."""
        rendered = [msgspec.json.encode(row) for row in rows]
        for rule in self.faults:
            if rule.action == "corrupt_record" and rule.index < len(rendered):
                try:
                    rendered[rule.index] = corrupt(rendered[rule.index], rule.record)
                except (TypeError, ValueError) as error:
                    raise UnfitFault(f"the fault rule doesn't fit the record: {error}") from error
        return [msgspec.Raw(row) for row in rendered]


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON value with headers of its own; `media_type` and bytes as content for what isn't JSON."""

    content: object
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    media_type: str | None = None

    def response(self, headers: Mapping[str, str], accept_encoding: str | None) -> Response:
        """The HTTP answer, `headers` (those of the quota) included."""
        all_headers = {**headers, **self.headers}
        if isinstance(self.content, bytes):
            return Response(self.content, self.status, all_headers, self.media_type)
        return encoded_response(self.content, accept_encoding=accept_encoding, status=self.status, headers=all_headers)


Endpoint = Callable[[Asked], Answer]


class Vendor(ABC):
    """One vendor's customs over shared surroundings. `endpoints` maps (method, path pattern) to what answers."""

    family: str

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.stats = Stats()

    @property
    @abstractmethod
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """What is answered where."""

    @abstractmethod
    def account_of(self, asked: Asked) -> str:
        """Whose key the request carries: the reference of its secret. Raises Refusal."""

    @abstractmethod
    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """A refusal in the vendor's shape."""

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """Count the request against the quotas: headers for its answer. Raises Refusal (429). None by default."""
        del asked
        return {}

    def opened(self) -> OpenedDouble:
        """The double, for the common server or on its own."""
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])
        return OpenedDouble(app, self.stats)

    async def _answer(self, request: Request) -> Response:
        asked = await _asked(request)
        try:
            asked = replace(asked, account=self.account_of(asked))
            faults = self.surroundings.faults.take(self.family, asked.account, asked.path)
            response = await self._let_in(replace(asked, faults=tuple(faults)))
        except Refusal as refusal:
            response = refusal.response()
        patterns = [pattern for _, pattern in self.endpoints]
        self.stats.count(asked.account, counted_as(asked.path, patterns), response.status_code, request.url.query)
        return response

    async def _let_in(self, asked: Asked) -> Response:
        for rule in asked.faults:
            if rule.action == "delay":
                await asyncio.sleep(rule.seconds)
            elif rule.action == "html":
                return Response(PROXY_PAGE, rule.status or 200, media_type="text/html")
            elif rule.action == "status":
                headers = {"Retry-After": rule.retry_after} if rule.retry_after is not None else None
                raise self.refusal(rule.status or 500, f"told to answer with {rule.status}", headers)
        quota_headers = self.admit(asked) if self.surroundings.rate_limited else {}
        try:
            answer = self._endpoint(asked)(asked)
        except UnfitFault as error:
            raise self.refusal(500, str(error)) from error
        response = answer.response(quota_headers, asked.headers.get("accept-encoding"))
        return CutResponse(response) if asked.has_fault("cut_body") else response

    def _endpoint(self, asked: Asked) -> Endpoint:
        methods = {
            method: endpoint for (method, pattern), endpoint in self.endpoints.items() if fits(pattern, asked.path)
        }
        if not methods:
            raise self.refusal(404, f"{asked.path} was not found")
        if asked.method not in methods:
            raise self.refusal(405, f"{asked.method} is not allowed on {asked.path}")
        return methods[asked.method]


async def _asked(request: Request) -> Asked:
    prefix = request.scope.get(PREFIX, "")
    return Asked(
        method=request.method,
        path=request.url.path,
        query=tuple(parse_qsl(request.url.query, keep_blank_values=True)),
        headers=request.headers,
        body=await request.body(),
        base_url=f"{request.url.scheme}://{request.url.netloc}{prefix}",
    )
