"""Quotas: the buckets on a clock of our own, and the headers and the refusal over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from local.sources.incident_io.api import create_app
from local.sources.incident_io.double import IncidentIoDouble
from local.sources.incident_io.errors import VendorError
from local.sources.incident_io.generator import generate
from local.sources.incident_io.rate_limit import RateLimiter
from local.sources.kit.serve import running

NOW = datetime(2026, 2, 1, tzinfo=UTC)
KEYS = {"key-a": "companya", "key-b": "companyb", "key-c": "companyc"}


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_sixty_lists_then_one_more_each_second() -> None:
    """The bucket starts full and gains one token a second."""
    clock = Clock()
    limiter = RateLimiter(clock)
    for left in range(59, -1, -1):
        headers = limiter.admit("a", lists_incidents=True)
        assert headers["X-RateLimit-Remaining"] == str(left)
        assert headers["X-RateLimit-Used"] == str(60 - left)
    with pytest.raises(VendorError) as refused:
        limiter.admit("a", lists_incidents=True)
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "1"
    assert refused.value.headers["X-RateLimit-Reset"] == "1000060"
    clock.now += 2
    limiter.admit("a", lists_incidents=True)
    limiter.admit("a", lists_incidents=True)
    with pytest.raises(VendorError):
        limiter.admit("a", lists_incidents=True)


def test_other_requests_have_the_wide_quota_and_keys_do_not_share() -> None:
    """1,200 a minute, twenty a second, for each key."""
    clock = Clock()
    limiter = RateLimiter(clock)
    for _ in range(60):
        limiter.admit("a", lists_incidents=True)
    headers = limiter.admit("a", lists_incidents=False)
    assert headers["X-RateLimit-Limit"] == "1200, 1200;window=60"
    assert headers["X-RateLimit-Remaining"] == "1139", "lists count against the wide quota as well"
    assert limiter.admit("b", lists_incidents=True)["X-RateLimit-Remaining"] == "59"
    for _ in range(1139):
        limiter.admit("a", lists_incidents=False)
    clock.now += 0.04
    with pytest.raises(VendorError) as refused:
        limiter.admit("a", lists_incidents=False)
    assert refused.value.headers["Retry-After"] == "1", "whole seconds, rounded up"
    clock.now += 0.02
    limiter.admit("a", lists_incidents=False)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    """No tokens are gained by time that didn't pass."""
    clock = Clock()
    limiter = RateLimiter(clock)
    for _ in range(60):
        limiter.admit("a", lists_incidents=True)
    clock.now -= 100
    with pytest.raises(VendorError):
        limiter.admit("a", lists_incidents=True)


def test_the_sixty_first_list_is_refused_over_http() -> None:
    """With the vendor's headers and body; single incidents and other workspaces still answer."""
    archived = list(generate(2, datetime(2026, 1, 25, tzinfo=UTC), NOW, per_day=5))
    clock = Clock()
    double = IncidentIoDouble(archived, KEYS, NOW, wall_clock=clock)
    with running(create_app(double)) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer key-a"}) as c:
        answers = [c.get("/v2/incidents", params={"page_size": 1}) for _ in range(60)]
        assert {answer.status_code for answer in answers} == {200}
        assert answers[0].headers["x-ratelimit-limit"] == "60, 1200;window=60, 60;window=60"
        refused = c.get("/v2/incidents")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        body = refused.json()
        assert body["type"] == "too_many_requests"
        assert body["rate_limit"]["limit"] == 60
        assert body["rate_limit"]["remaining"] == 0
        assert c.get("/v2/incidents/1").status_code == 200
        assert c.get("/v2/incidents", headers={"Authorization": "Bearer key-b"}).status_code == 200
        assert c.get("/_double/stats").json()["rate_limited"] == {"companya": 1, "companyb": 0}
        clock.now += 1
        assert c.get("/v2/incidents").status_code == 200


def test_without_quotas_there_are_no_headers() -> None:
    """They may be absent, says the vendor."""
    double = IncidentIoDouble([], KEYS, NOW, rate_limited=False)
    with running(create_app(double)) as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer key-a"}) as c:
        answers = [c.get("/v2/incidents") for _ in range(70)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any(name.startswith("x-ratelimit") for name in answers[0].headers)
