"""When a tool tells of a call: each tool's lag, its late days, and the days whose figures it states once more.

The instants keep inside the days that a reader is told to read again (docs/sources), so that whoever does so ends up
with the final figures, and whoever doesn't ends up with wrong ones.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from local.sources.ai_tools import digests
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.tools import Tool

_HOUR = timedelta(hours=1)
_LATE_ONE_IN = 12
_RESTATED_ONE_IN = 3
RESTATED_AFTER: dict[Tool, timedelta] = {"firebender": 36 * _HOUR, "amp": 60 * _HOUR}
"""How long after a day's end the figures of some days change, once."""


def day_end(day: date) -> datetime:
    """The first instant of the next UTC day."""
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


def is_late(seed: int, tool: Tool, day: date) -> bool:
    """Whether the day is one of those that come late."""
    return digests.number(_LATE_ONE_IN, seed, "late", tool, day) == 0


def told_at(seed: int, tool: Tool, call: Call, *, late_days: bool) -> datetime:
    """From when on the tool's API tells of the call. Goose tells of snapshots instead (goose_sessions)."""
    late = late_days and is_late(seed, tool, call.day)
    end = day_end(call.day)
    match tool:
        case "g2":  # written in batches, now and then hours later
            delay = 10 + digests.number(290, seed, "batch", call.at, call.model)
            return call.at + (4 * _HOUR if late else timedelta()) + timedelta(seconds=delay)
        case "claude_code":  # only what is older than an hour
            return call.at + (5 * _HOUR if late else _HOUR)
        case "cursor":  # summed up every full hour; what is late misses the next day's reading
            full_hour = call.at.replace(minute=0, second=0, microsecond=0) + _HOUR
            return max(full_hour, end + 20 * _HOUR) if late and call.at.second % 4 == 0 else full_hour
        case "firebender":
            return end + 16 * _HOUR if late else call.at + 2 * _HOUR
        case "amp":
            return end + 20 * _HOUR if late else call.at + 3 * _HOUR
        case "chatgpt":  # an actor's whole day at once
            who = call.engineer.id if call.engineer else call.service
            return end + (60 * _HOUR if late else timedelta(minutes=digests.number(720, seed, "lag", who, call.day)))
        case "copilot":
            return day_told_at(seed, tool, call.day, late_days=late_days)
        case "goose":
            return call.at


def day_told_at(seed: int, tool: Tool, day: date, *, late_days: bool) -> datetime:
    """From when on the API of a tool that reports whole days has the day, with any calls or none."""
    if late_days and is_late(seed, tool, day):
        return day_end(day) + 48 * _HOUR
    return day_end(day) + timedelta(minutes=20 * 60 + digests.number(600, seed, day))


def restated_at(seed: int, tool: Tool, day: date) -> datetime | None:
    """When the day's figures change once more; None for tools and days that are stated once."""
    after = RESTATED_AFTER.get(tool)
    if after is None or digests.number(_RESTATED_ONE_IN, seed, "restated", tool, day):
        return None
    return day_end(day) + after


def before_restatement(seed: int, tool: Tool, calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """A day as it was stated at first: Firebender hadn't named a model yet, Amp had missed calls and under-counted."""
    first: list[Call] = []
    for call in calls:
        if tool == "firebender":
            hidden = digests.number(4, seed, "unnamed", call.at) == 0
            first.append(replace(call, model="firebender-auto").priced() if hidden else call)
        elif digests.number(10, seed, "missed", call.at):
            first.append(replace(call, output=max(1, call.output * 9 // 10)).priced())
    return tuple(first)
