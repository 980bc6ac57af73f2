"""The facts beneath every report: single calls of a model, drawn for one tool and one UTC day at a time.

A day's calls depend on the seed, the tool, the engineer and the day alone, so any day can be drawn without those before
it. Adoption gives the curve: each engineer takes a tool up at some time or never, settles in, and may drop it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from local.sources.ai_tools import digests
from local.sources.ai_tools.engineers import Engineer
from local.sources.ai_tools.tools import PRICES, PROFILES, WITHOUT_TOKENS, Tool, ToolProfile

_MICRO = Decimal("0.000001")
_MOST_CALLS = 60
_SETTLING_DAYS = 120


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model, by an engineer or by a service (then `engineer` is None). Tokens are disjoint classes.

    `cost` is USD to the microdollar. `metered` is False where the vendor gives no tokens for it.
    """

    at: datetime
    engineer: Engineer | None
    service: str
    model: str
    surface: str
    uncached_input: int
    cache_read: int
    cache_write: int
    output: int
    cost: Decimal
    lines_added: int
    lines_removed: int
    succeeded: bool
    metered: bool

    @property
    def day(self) -> date:
        """The UTC day of the call."""
        return self.at.date()

    def priced(self) -> Call:
        """The call with the cost of its tokens."""
        price = PRICES[self.model]
        dollars = (
            price.uncached_input * self.uncached_input
            + price.cache_read * self.cache_read
            + price.cache_write * self.cache_write
            + price.output * self.output
        ) / 1_000_000
        return replace(self, cost=dollars.quantize(_MICRO))


@dataclass(frozen=True, slots=True)
class Adoption:
    """When one engineer uses one tool (None = never) and how much, against the tool's mean."""

    begins: date | None
    ends: date | None
    intensity: float

    def level(self, day: date) -> float:
        """0 when not in use; grows to `intensity` while the engineer settles in."""
        if self.begins is None or day < self.begins or (self.ends is not None and day >= self.ends):
            return 0.0
        return self.intensity * min(1.0, 0.3 + 0.7 * (day - self.begins).days / _SETTLING_DAYS)


@lru_cache(maxsize=4096)
def adoption(seed: int, tool: Tool, engineer: Engineer) -> Adoption:
    """Early adopters first, most in the middle, a few very late; one in five drops the tool again."""
    rng, profile = Random(f"{seed}/adoption/{tool}/{engineer.id}"), PROFILES[tool]
    if rng.random() >= profile.share:
        return Adoption(None, None, 0.0)
    begins = max(engineer.joined, profile.first_day) + timedelta(days=int(rng.triangular(0, 300, 60)))
    ends = begins + timedelta(days=rng.randrange(20, 240)) if rng.random() < 0.2 else None
    return Adoption(begins, ends, rng.lognormvariate(0, 0.5))


def day_calls(seed: int, tool: Tool, staff: Sequence[Engineer], day: date, *, duplicates: bool) -> tuple[Call, ...]:
    """All calls of a tool on a UTC day, oldest first. With `duplicates` some are there twice, alike in everything."""
    profile = PROFILES[tool]
    if day < profile.first_day:
        return ()
    calls: list[Call] = []
    for engineer in staff:
        rng = Random(f"{seed}/{tool}/{engineer.id}/{day}")
        level = adoption(seed, tool, engineer).level(day) if engineer.employed(day) else 0.0
        if level and rng.random() < (0.07 if day.weekday() >= 5 else 0.78):
            count = min(_MOST_CALLS, 1 + int(rng.expovariate(1 / (profile.mean_calls * level))))
            calls += _draws(rng, tool, profile, day, count, engineer, "")
    for service in profile.services:
        rng = Random(f"{seed}/{tool}/{service}/{day}")
        calls += _draws(rng, tool, profile, day, rng.randrange(2, 9), None, service)
    if duplicates:
        calls += [call for call in calls if digests.number(50, "twice", tool, call.at, call.engineer) == 0]
    return tuple(sorted(calls, key=_order))


def _order(call: Call) -> tuple[datetime, str, str, str]:
    return call.at, call.engineer.id if call.engineer else "", call.service, call.model


def _draws(
    rng: Random, tool: Tool, profile: ToolProfile, day: date, count: int, engineer: Engineer | None, service: str
) -> Iterator[Call]:
    for _ in range(count):
        surface = rng.choice(profile.surfaces)
        metered = surface not in WITHOUT_TOKENS.get(tool, ()) and not (tool == "cursor" and rng.random() < 0.3)
        context = int(rng.lognormvariate(9, 0.8))
        cached = tool not in {"goose", "copilot"} and rng.random() < 0.7
        cache_read = int(context * rng.uniform(0.5, 6)) if cached else 0
        lines = service == "" and rng.random() < 0.4
        model = rng.choices(profile.models, profile.model_weights)[0]
        writes = cached and PRICES[model].cache_write > 0
        yield Call(
            at=_instant(rng, day),
            engineer=engineer,
            service=service,
            model=model,
            surface=surface,
            uncached_input=max(1, context // 4 if cached else context),
            cache_read=cache_read,
            cache_write=int(context * rng.uniform(0.1, 0.5)) if writes else 0,
            output=max(1, int(rng.lognormvariate(6.2, 0.9))),
            cost=Decimal(0),
            lines_added=int(rng.lognormvariate(2.6, 1)) if lines else 0,
            lines_removed=int(rng.lognormvariate(1.6, 1)) if lines else 0,
            succeeded=rng.random() < 0.98,
            metered=metered,
        ).priced()


def _instant(rng: Random, day: date) -> datetime:
    """Mostly in working hours; now and then within two minutes of midnight, where days are told apart."""
    midnight = datetime.combine(day, time(), UTC)
    if rng.random() < 0.03:
        seconds = rng.choice((rng.uniform(0, 120), rng.uniform(86_280, 86_399.999)))
    else:
        seconds = min(86_399.0, max(0.0, rng.gauss(13, 3.2) * 3600))
    return midnight + timedelta(milliseconds=int(seconds * 1000))
