"""What the AI tools' doubles share beyond the kit: the company's world, one key a tool, a quota, reading of input."""

from __future__ import annotations

import hmac
import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

import msgspec

from local.sources.ai_tools.quirks import QUIRKS
from local.sources.ai_tools.tools import Tool
from local.sources.ai_tools.world import World
from local.sources.kit.family import Family, Surroundings
from local.sources.kit.faults import ListPaths
from local.sources.kit.pages import NumberedPager
from local.sources.kit.token_bucket import Buckets, Quota, TokenBucket
from local.sources.kit.vendor import Asked, Refusal, Vendor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@lru_cache(maxsize=4)
def world_of(seed: int, quirks: frozenset[str]) -> World:
    """One world for all tools of a server: they tell of the same people."""
    return World(seed, quirks)


class ToolVendor(Vendor):
    """One tool's API. A subclass says where its key is sent, how it refuses, and what its endpoints answer."""

    tool: ClassVar[Tool]
    lists: ClassVar[ListPaths]
    quota: ClassVar[Quota | None] = None

    def __init_subclass__(cls) -> None:
        cls.family = cls.tool

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.world = world_of(surroundings.seed, QUIRKS - surroundings.without_quirks)
        self.pager = NumberedPager(surroundings.faults)
        self._buckets = Buckets(surroundings.wall_clock)

    @classmethod
    def reference(cls) -> str:
        """The reference of the tool's secret: `claude-code`."""
        return cls.tool.replace("_", "-")

    @classmethod
    def as_family(cls) -> Family:
        """The tool as one family of the common server."""
        return Family(cls.tool, (cls.reference(),), cls.lists, lambda given: cls(given).opened(), QUIRKS)

    @property
    def key(self) -> str:
        """What a client must know."""
        return self.surroundings.keys[self.reference()]

    @property
    def now(self) -> datetime:
        """The instant shown."""
        return self.surroundings.clock.now

    @abstractmethod
    def presented_key(self, asked: Asked) -> str | None:
        """The key that a request carries; None when it carries none where this vendor looks."""

    def account_of(self, asked: Asked) -> str:
        """The tool's one account. Raises Refusal (401)."""
        presented = self.presented_key(asked)
        if presented is None:
            raise self.unauthorized("missing")
        if not same_secret(presented, self.key):
            raise self.unauthorized("invalid")
        return self.reference()

    def unauthorized(self, why: str) -> Refusal:
        """The refusal of a key that is `missing` or `invalid`."""
        return self.refusal(401, f"{why} API key")

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """Take from the quota, if there is one. Raises Refusal (429) with `Retry-After` in whole seconds."""
        if self.quota is None:
            return {}
        bucket = self._buckets.of(asked.account, self.quota)
        if not bucket.take():
            headers = {"Retry-After": str(bucket.whole_seconds_until_one), **self.quota_headers(bucket)}
            raise self.refusal(429, "Rate limit exceeded. Please try again later.", headers)
        return self.quota_headers(bucket)

    def quota_headers(self, bucket: TokenBucket) -> Mapping[str, str]:
        """What every answer tells of the quota; nothing by default."""
        del bucket
        return {}

    def day_parameter(self, asked: Asked, name: str) -> date:
        """A required `YYYY-MM-DD`. Raises Refusal (400)."""
        text = asked.single(name)
        if text is None:
            raise self.refusal(400, f"{name}: Field required")
        try:
            # date.fromisoformat alone would take 20260301 and 2026-W09-7 as well
            return date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            raise self.refusal(400, f"{name}: must be a date in the format YYYY-MM-DD") from None

    def whole_parameter(self, asked: Asked, name: str, default: int, most: int, least: int = 1) -> int:
        """A whole number of the query string between `least` and `most`. Raises Refusal (400)."""
        text = asked.single(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < 16 and least <= int(text) <= most):
            raise self.refusal(400, f"{name}: must be a whole number between {least} and {most}")
        return int(text)

    def json_body(self, asked: Asked) -> dict[str, Any]:
        """The body's object. Raises Refusal (400)."""
        try:
            return msgspec.json.decode(asked.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise self.refusal(400, "the body must be a JSON object") from None

    def whole_field(
        self, body: Mapping[str, Any], name: str, *, default: int | None = None, least: int = 0, most: int = 10**15
    ) -> int:
        """A whole JSON number of the body; a text isn't one. Raises Refusal (400)."""
        value: object = body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refusal(400, f"{name} must be a whole number between {least} and {most}")
        return value


def same_secret(presented: str, key: str) -> bool:
    """Whether two keys are equal."""
    return hmac.compare_digest(presented.encode(), key.encode())


def bearer(asked: Asked) -> str | None:
    """The token of `Authorization: Bearer`."""
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def milliseconds(instant: datetime) -> int:
    """Since 1970."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(since_1970: int) -> datetime:
    """The instant of an epoch-milliseconds number; the end of time for what lies beyond it."""
    try:
        return _EPOCH + timedelta(milliseconds=since_1970)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
