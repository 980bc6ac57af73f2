"""The invented company: the same from the same seed, and with the shape that the platform has to cope with."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from local.sources.ai_tools import availability
from local.sources.ai_tools.calls import day_calls
from local.sources.ai_tools.engineers import FIRST_DAY, TEAMS, engineers
from local.sources.ai_tools.expected import expected_daily
from local.sources.ai_tools.goose_sessions import LONGEST_DAYS, received, taken_on
from local.sources.ai_tools.quirks import QUIRKS
from local.sources.ai_tools.tools import TOOLS, WITHOUT_TOKENS, Tool
from local.sources.ai_tools.world import World, days_between, first_day_of

WORLD = World(7)
SPRING = list(days_between(date(2026, 2, 2), date(2026, 5, 31)))
LATER = datetime(2026, 9, 1, tzinfo=UTC)


def test_the_seed_decides_everything() -> None:
    """Equal calls for equal seeds, in whatever order days are asked for; other ones for another seed."""
    for tool in TOOLS:
        for day in reversed(SPRING[:10]):
            drawn = day_calls(7, tool, engineers(7), day, duplicates=tool == "cursor")
            assert WORLD.calls(tool, day) in (drawn, ())
    assert any(World(8).calls("cursor", day) != WORLD.calls("cursor", day) for day in SPRING[:5])


def test_people_are_numbers_at_reserved_addresses() -> None:
    """Nobody who exists."""
    for engineer in WORLD.staff:
        assert engineer.email == f"{engineer.id}@example.test"
        assert {stay.team for stay in engineer.stays} <= set(TEAMS)


def test_teams_change_and_people_come_and_go() -> None:
    """A day's team is the team of that day."""
    moved = [engineer for engineer in WORLD.staff if len(engineer.stays) > 1]
    assert moved
    for engineer in moved:
        for before, after in zip(engineer.stays, engineer.stays[1:], strict=False):
            assert before.team != after.team
            assert engineer.team_on(after.since - timedelta(days=1)) == before.team
            assert engineer.team_on(after.since) == after.team
    assert any(engineer.left for engineer in WORLD.staff)
    assert any(engineer.joined > FIRST_DAY for engineer in WORLD.staff)


@pytest.mark.parametrize("tool", TOOLS)
def test_names_in_a_tool_belong_to_one_engineer_each(tool: Tool) -> None:
    """Otherwise no table of identities could put them right."""
    identities = WORLD.identities(tool)
    assert len({identity.actor.lower() for identity in identities}) == len(WORLD.staff) == len(identities)


def test_engineers_are_spelled_differently_by_tool() -> None:
    """Upper case, dots, a plus alias, a login, a name of the tool's own; the company's address with the quirk off."""
    actors = {i.actor for tool in TOOLS for i in WORLD.identities(tool)}
    for sign in ("ENG-", "eng.", "+cursor@", "-gh", "user_"):
        assert any(sign in actor for actor in actors)
    plain = World(7, QUIRKS - {"odd_spellings"})
    assert all(i.actor == i.email for i in plain.identities("cursor"))


@pytest.mark.parametrize("tool", TOOLS)
def test_use_follows_the_week_and_grows(tool: Tool) -> None:
    """Far less on weekends; more people in the end than in the tool's first weeks."""
    by_weekday: Counter[bool] = Counter()
    for day in SPRING:
        by_weekday[day.weekday() >= 5] += sum(call.engineer is not None for call in WORLD.calls(tool, day))
    assert 0 < by_weekday[True] < by_weekday[False] / 5
    first = first_day_of(tool)

    def users(start: date) -> set[str]:
        days = days_between(start, start + timedelta(days=27))
        return {call.engineer.id for day in days for call in WORLD.calls(tool, day) if call.engineer is not None}

    assert len(users(first)) < len(users(first + timedelta(days=180)))
    assert WORLD.calls(tool, first - timedelta(days=1)) == ()


def test_some_drop_a_tool_again() -> None:
    """Used for months, then never again, by people who are still there."""
    last_use: dict[str, date] = {}
    for day in days_between(date(2025, 3, 1), date(2026, 8, 30)):
        for call in WORLD.calls("claude_code", day):
            if call.engineer is not None and call.engineer.left is None:
                last_use[call.engineer.id] = day
    assert any(day < date(2026, 4, 1) for day in last_use.values())


@pytest.mark.parametrize("tool", TOOLS)
def test_calls_stand_in_their_day(tool: Tool) -> None:
    """In order, and now and then close to midnight on either side."""
    edge = 0
    for day in SPRING:
        calls = WORLD.calls(tool, day)
        assert [call.at for call in calls] == sorted(call.at for call in calls)
        assert {call.day for call in calls} <= {day}
        edge += sum(call.at.strftime("%H%M") in {"0000", "0001", "2358", "2359"} for call in calls)
        for call in calls:
            assert call.metered or call.surface in WITHOUT_TOKENS.get(tool, ()) or tool == "cursor"
    assert edge


@pytest.mark.parametrize("tool", TOOLS)
def test_some_days_are_empty(tool: Tool) -> None:
    """Even working days; none with the quirk off."""
    plain = World(7, QUIRKS - {"empty_days"})
    year = [d for d in days_between(date(2026, 3, 2), date(2026, 10, 30)) if d.weekday() < 5]
    empty = [day for day in year if not WORLD.calls(tool, day) and plain.calls(tool, day)]
    assert empty


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_told_before_it_happened_and_all_in_the_end(tool: Tool) -> None:
    """A tool knows no future, and forgets nothing once a day has settled."""
    for day in SPRING[:20]:
        now = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        if tool == "goose":
            assert all(shot.taken_at < shot.received_at <= now for shot in received(WORLD, day, now))
        else:
            assert all(call.at < now for call in WORLD.seen(tool, day, now))
        assert WORLD.seen(tool, day, LATER) == WORLD.calls(tool, day)


@pytest.mark.parametrize("tool", ["firebender", "amp"])
def test_figures_of_some_days_change_once(tool: Tool) -> None:
    """Between the day's first full statement and its second; never without the quirk."""
    changed = 0
    plain = World(7, QUIRKS - {"restatements"})
    for day in SPRING:
        restated_at = availability.restated_at(7, tool, day)
        if restated_at is None:
            continue
        before, after = restated_at - timedelta(seconds=1), restated_at
        was, became = (expected_daily(WORLD, tool, at, day, day) for at in (before, after))
        changed += was != became
        assert expected_daily(plain, tool, before, day, day) == became
    assert changed > 10


def test_goose_counts_for_whole_sessions() -> None:
    """Over days, never down within a session; the same id on two machines; some providers tell no tokens."""
    counters: dict[tuple[str, str], int] = {}
    days: dict[tuple[str, str], set[date]] = {}
    users: dict[str, set[str]] = {}
    blank = 0
    for day in SPRING:
        for shot in taken_on(WORLD, day):
            assert shot.taken_at.date() == day
            session = (shot.engineer.id, shot.session_id)
            days.setdefault(session, set()).add(day)
            users.setdefault(shot.session_id, set()).add(shot.engineer.id)
            if shot.accumulated_input is None:
                blank += 1
                continue
            assert shot.accumulated_input >= counters.get(session, 0)
            counters[session] = shot.accumulated_input
    spans = [(max(seen) - min(seen)).days + 1 for seen in days.values()]
    assert 1 < max(spans) <= LONGEST_DAYS
    assert any(len(names) > 1 for names in users.values())
    assert blank


def test_gooses_differences_add_up_to_what_was_used() -> None:
    """Telescoping sums: of a session that is told, nothing is lost between its days."""
    used = sum(call.uncached_input for day in SPRING for call in WORLD.calls("goose", day))
    expected = expected_daily(WORLD, "goose", LATER, SPRING[0], SPRING[-1])
    told = sum(use.uncached_input or 0 for use in expected)
    assert 0.6 * used < told < used, "sessions without tokens are missing, and only they"
    requests = sum(use.requests or 0 for use in expected)
    assert requests == sum(len(WORLD.calls("goose", day)) for day in SPRING)


def test_expected_rows_are_one_for_each_day_actor_and_model() -> None:
    """And what a tool doesn't report is None, not zero."""
    for tool in TOOLS:
        uses = expected_daily(WORLD, tool, LATER, SPRING[0], SPRING[-1])
        keys = [(use.day, use.actor, use.model) for use in uses]
        assert len(keys) == len(set(keys))
        assert all((use.cost_usd is None) == (tool in {"goose", "chatgpt", "copilot"}) for use in uses if use.output)
        assert any(use.credits for use in uses) == (tool == "chatgpt")
        assert all(use.cache_write is None for use in uses) == (tool in {"goose", "chatgpt", "copilot"})


def test_an_unknown_quirk_is_refused() -> None:
    """A misspelt one would switch nothing off in silence."""
    with pytest.raises(ValueError, match="late_day"):
        World(7, frozenset({"late_day"}))
