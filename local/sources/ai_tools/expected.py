"""What a correct reader ends up with: sums over the calls that a tool has told of, by day, actor and model.

This knows the calls, not the answers: a double and a reader that are wrong in the same way still disagree with it.

Rules that hold for every tool: a day is the UTC day of the call; what a tool doesn't report is None, not 0; tokens are
four disjoint classes; lines, which no tool reports by model, stand in a row whose `model` is None, and only if there
are any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.engineers import Engineer
from local.sources.ai_tools.goose_sessions import Snapshot, life_before, received
from local.sources.ai_tools.tools import Tool
from local.sources.ai_tools.world import World, days_between, first_day_of

CREDITS_A_DOLLAR = Decimal(25)
_BY_MODEL: frozenset[Tool] = frozenset({"g2", "claude_code", "cursor", "firebender", "amp"})
_WITH_COST = _BY_MODEL
_WITH_CACHE_WRITES = _BY_MODEL
_WITH_CACHE_READS: frozenset[Tool] = _BY_MODEL | {"chatgpt"}
_WITH_LINES: frozenset[Tool] = frozenset({"claude_code", "cursor", "firebender", "amp", "chatgpt", "copilot"})
_WITH_REQUESTS: frozenset[Tool] = frozenset({"g2", "cursor", "firebender", "amp", "chatgpt", "copilot"})


@dataclass(frozen=True, slots=True)
class ExpectedUse:
    """One actor's use of one model on one UTC day. `actor` is the name that the tool reports; None = not reported."""

    tool: Tool
    day: date
    actor: str
    engineer: str | None
    team: str | None
    model: str | None
    uncached_input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None
    requests: int | None
    accepted_lines: int | None
    cost_usd: Decimal | None
    credits: Decimal | None = None


def credits_of(call: Call) -> Decimal:
    """ChatGPT's unit: an invented rate, to the thousandth."""
    return (call.cost * CREDITS_A_DOLLAR).quantize(Decimal("0.001"))


def expected_daily(world: World, tool: Tool, now: datetime, first: date, last: date) -> list[ExpectedUse]:
    """What the tool has told by `now` of the days from `first` to `last`, in the order of day, actor and model."""
    uses: list[ExpectedUse] = []
    for day in days_between(max(first, first_day_of(tool)), last):
        uses += _of_goose(world, day, now) if tool == "goose" else _of_calls(world, tool, day, now)
    return sorted(uses, key=lambda use: (use.day, use.actor, use.model or ""))


def _of_calls(world: World, tool: Tool, day: date, now: datetime) -> Iterator[ExpectedUse]:
    by_actor: dict[str, list[Call]] = defaultdict(list)
    for call in world.seen(tool, day, now):
        by_actor[world.actor(call, tool)].append(call)
    for actor, calls in by_actor.items():
        if tool in _BY_MODEL:
            by_model: dict[str, list[Call]] = defaultdict(list)
            for call in calls:
                by_model[call.model].append(call)
            for model, of_model in by_model.items():
                yield _use(tool, day, actor, model, of_model, lines=None)
            lines = sum(call.lines_added for call in calls)
            if lines and tool in _WITH_LINES:
                yield _lines_only(tool, day, actor, calls[0].engineer, lines)
        else:
            yield _use(tool, day, actor, None, calls, lines=sum(call.lines_added for call in calls))


def _use(tool: Tool, day: date, actor: str, model: str | None, calls: list[Call], *, lines: int | None) -> ExpectedUse:
    metered = [call for call in calls if call.metered]
    engineer = calls[0].engineer
    return ExpectedUse(
        tool=tool,
        day=day,
        actor=actor,
        engineer=engineer.id if engineer else None,
        team=engineer.team_on(day) if engineer else None,
        model=model,
        uncached_input=_total(call.uncached_input for call in metered),
        cache_read=_total(call.cache_read for call in metered) if tool in _WITH_CACHE_READS else None,
        cache_write=_total(call.cache_write for call in metered) if tool in _WITH_CACHE_WRITES else None,
        output=_total(call.output for call in metered),
        requests=len(calls) if tool in _WITH_REQUESTS else None,
        accepted_lines=lines if tool in _WITH_LINES else None,
        cost_usd=sum((call.cost for call in metered), Decimal(0)) if tool in _WITH_COST and metered else None,
        credits=sum((credits_of(call) for call in calls), Decimal(0)) if tool == "chatgpt" else None,
    )


def _total(numbers: Iterable[int]) -> int | None:
    """The sum, or None when there is nothing to sum: unknown isn't zero."""
    told = list(numbers)
    return sum(told) if told else None


def _lines_only(tool: Tool, day: date, actor: str, engineer: Engineer | None, lines: int) -> ExpectedUse:
    return ExpectedUse(
        tool=tool,
        day=day,
        actor=actor,
        engineer=engineer.id if engineer else None,
        team=engineer.team_on(day) if engineer else None,
        model=None,
        uncached_input=None,
        cache_read=None,
        cache_write=None,
        output=None,
        requests=None,
        accepted_lines=lines,
        cost_usd=None,
    )


def _of_goose(world: World, day: date, now: datetime) -> Iterator[ExpectedUse]:
    """Differences: each session's last counters of the day less the last before it; blanks are skipped."""
    before: dict[tuple[str, str], Snapshot] = {}
    messages_before: dict[tuple[str, str], int] = {}
    for snapshot in life_before(world, day, now):
        messages_before[_key(snapshot)] = snapshot.messages
        if snapshot.accumulated_input is not None:
            before[_key(snapshot)] = snapshot
    last: dict[tuple[str, str], Snapshot] = {}
    messages: dict[tuple[str, str], int] = {}
    staff: dict[str, Engineer] = {}
    for snapshot in received(world, day, now):
        staff[snapshot.engineer.id] = snapshot.engineer
        messages[_key(snapshot)] = snapshot.messages
        if snapshot.accumulated_input is not None:
            last[_key(snapshot)] = snapshot
    for name, engineer in staff.items():
        mine = [key for key in messages if key[0] == name]
        told = [(last[key], before.get(key)) for key in mine if key in last]
        yield ExpectedUse(
            tool="goose",
            day=day,
            actor=world.account(engineer, "goose").actor,
            engineer=name,
            team=engineer.team_on(day),
            model=None,
            uncached_input=_total(
                (now_.accumulated_input or 0) - ((then.accumulated_input or 0) if then else 0) for now_, then in told
            ),
            cache_read=None,
            cache_write=None,
            output=_total(
                (now_.accumulated_output or 0) - ((then.accumulated_output or 0) if then else 0) for now_, then in told
            ),
            requests=sum(messages[key] - messages_before.get(key, 0) for key in mine),
            accepted_lines=None,
            cost_usd=None,
        )


def _key(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.engineer.id, snapshot.session_id
