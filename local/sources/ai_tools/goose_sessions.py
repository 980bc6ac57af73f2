"""Goose's sessions and the collector's snapshots of them: counters that grow over a session's whole life.

A session holds an engineer's calls of a day, or a part of them, and may be taken up again on later days. A snapshot
tells what the session has used *so far*, so a day's use is a difference. Its day is that of the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from local.sources.ai_tools import digests
from local.sources.ai_tools.availability import day_end, is_late
from local.sources.ai_tools.calls import Call
from local.sources.ai_tools.engineers import Engineer
from local.sources.ai_tools.world import World, days_between

LONGEST_DAYS = 4
"""A session's last day is at most its fourth: so far back a reader must know snapshots."""
_SNAPSHOT_EVERY = 3
_USUAL_DELAY = timedelta(minutes=10)
_LATE_DELAY = timedelta(hours=30)


@dataclass(frozen=True, slots=True)
class Portion:
    """One day of a session: its calls, and what it had used before that day."""

    session_id: str
    created_at: datetime
    calls: tuple[Call, ...]
    input_before: int
    output_before: int
    messages_before: int

    @property
    def used(self) -> tuple[int, int, int]:
        """Input tokens, output tokens and messages by the end of the day."""
        return (
            self.input_before + sum(call.uncached_input for call in self.calls),
            self.output_before + sum(call.output for call in self.calls),
            self.messages_before + len(self.calls),
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the collector was sent about a session at one moment. Tokens are None where the model's provider tells none.

    `session_id` is unique on one machine only: two users may have the same one.
    """

    session_id: str
    engineer: Engineer
    created_at: datetime
    taken_at: datetime
    received_at: datetime
    context_input: int | None
    context_output: int | None
    accumulated_input: int | None
    accumulated_output: int | None
    messages: int


@lru_cache(maxsize=20_000)
def portions(world: World, engineer: Engineer, day: date) -> tuple[Portion, ...]:
    """An engineer's sessions on a day, in the order in which they were worked on."""
    calls = [call for call in world.calls("goose", day) if call.engineer == engineer]
    if not calls:
        return ()
    rng = Random(f"{world.seed}/sessions/{engineer.id}/{day}")
    taken_up = _taken_up(world, engineer, day) if rng.random() < 0.4 else None
    cuts = sorted(rng.sample(range(1, len(calls)), min(len(calls) - 1, rng.randrange(3)))) if len(calls) > 1 else []
    made: list[Portion] = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(calls)], strict=True), start=1):
        part = tuple(calls[start:end])
        if number == 1 and taken_up is not None:
            made.append(Portion(taken_up.session_id, taken_up.created_at, part, *taken_up.used))
        else:
            made.append(Portion(f"{day:%Y%m%d}_{number}", part[0].at - timedelta(seconds=20), part, 0, 0, 0))
    return tuple(made)


def _taken_up(world: World, engineer: Engineer, day: date) -> Portion | None:
    """The engineer's last session, if it isn't too old to go on with."""
    for back in range(1, LONGEST_DAYS):
        earlier = portions(world, engineer, day - timedelta(days=back))
        if earlier:
            last = earlier[-1]
            return last if (day - _made_on(last)).days < LONGEST_DAYS else None
    return None


def _made_on(portion: Portion) -> date:
    # the id, not `created_at`: a session of the day's first seconds was made in the day before
    return date(int(portion.session_id[:4]), int(portion.session_id[4:6]), int(portion.session_id[6:8]))


@lru_cache(maxsize=3000)
def taken_on(world: World, day: date) -> tuple[Snapshot, ...]:
    """All snapshots taken on a UTC day, in the order of being taken."""
    snapshots = [
        snapshot
        for engineer in world.staff
        for portion in portions(world, engineer, day)
        for snapshot in _of_portion(world, engineer, portion, day)
    ]
    return tuple(sorted(snapshots, key=lambda s: (s.taken_at, s.engineer.id, s.session_id)))


def _of_portion(world: World, engineer: Engineer, portion: Portion, day: date) -> Iterator[Snapshot]:
    untold = digests.number(8, world.seed, "untold", engineer.id, portion.session_id) == 0
    late = "late_days" in world.quirks and is_late(world.seed, "goose", day) and digests.number(3, engineer.id) == 0
    end = day_end(day)
    used_input, used_output = portion.input_before, portion.output_before
    last, taken_at = len(portion.calls), portion.created_at
    for number, call in enumerate(portion.calls, start=1):
        used_input += call.uncached_input
        used_output += call.output
        if number % _SNAPSHOT_EVERY and number != last:
            continue
        delay = timedelta(seconds=30 + digests.number(120, world.seed, "taken", call.at))
        # one after the other even when calls follow closely, and inside the day even at its end
        taken_at = max(call.at + delay, taken_at + timedelta(milliseconds=10))
        taken_at = min(taken_at, end - timedelta(milliseconds=10 * (last - number) + 1))
        blank = untold or (number < last and digests.number(20, world.seed, "blank", call.at) == 0)
        yield Snapshot(
            portion.session_id,
            engineer,
            portion.created_at,
            taken_at,
            end + _LATE_DELAY if late else taken_at + _USUAL_DELAY,
            None if blank else call.uncached_input,
            None if blank else call.output,
            None if blank else used_input,
            None if blank else used_output,
            portion.messages_before + number,
        )


def received(world: World, day: date, now: datetime) -> tuple[Snapshot, ...]:
    """The snapshots of a day that the collector had been sent by `now`."""
    return tuple(snapshot for snapshot in taken_on(world, day) if snapshot.received_at <= now)


def life_before(world: World, day: date, now: datetime) -> Iterator[Snapshot]:
    """What had been received of the days before, as far back as a session of `day` can reach."""
    for earlier in days_between(day - timedelta(days=LONGEST_DAYS - 1), day - timedelta(days=1)):
        yield from received(world, earlier, now)
