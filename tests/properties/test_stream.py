"""Webhooks under bad luck, and beside polling: no event is lost, and the table is that of the vendor."""

import io
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import logs
from shared.contracts.incidents import INCIDENTS
from tests.support.incidents import incident
from tests.support.stream_story import StreamStory, assert_stream_truth, one_stream_window, random_stream_story
from tests.support.world import World, at, source_name, stream_registry_of

UPDATED = "public_incident.incident_updated_v2"


SEEDS = range(settings().max_examples // 5)
"""As many stories as the profile asks for: hundreds with `--hypothesis-profile=search`."""


def _told(seed: int) -> StreamStory:
    told = io.StringIO()
    with logs.captured(told):
        try:
            story = random_stream_story(seed)
            assert_stream_truth(story)
        except Exception as exc:
            exc.add_note(f"seed {seed}; the story's end:\n{told.getvalue()[-6000:]}")
            raise
    return story


@pytest.mark.parametrize("seed", SEEDS)
def test_any_story_of_webhooks_ends_with_the_truth(seed: int) -> None:
    """Duplicates, any order, deaths at any effect, lost ticks and notifications, events that come while we read."""
    _told(seed)


def test_the_stories_of_webhooks_are_eventful() -> None:
    """The seeds together see deaths, overlaps, cut parts, and windows that close without a source."""
    stories = [_told(seed) for seed in range(100, 103)]
    assert sum(story.simulation.crashes for story in stories) > 5
    assert sum(story.simulation.interleaved for story in stories) > 5
    names = [stored.name for story in stories for stored in story.world.landed()]
    assert any("part-00001" in name for name in names)
    closed = [story.world.value(n) for story in stories for n in story.world.names("windows/") if "closed" in n]
    assert {"complete", "partial"} <= {each["status"] for each in closed}


def test_a_story_of_webhooks_can_be_told_again() -> None:
    """The same seed gives the same story, moment by moment."""
    assert _told(7).simulation.moments == _told(7).simulation.moments


def test_a_death_at_any_moment_of_a_stream_s_window_changes_nothing() -> None:
    """Before the first effect and after each: the listing, every part, every deletion, the closing."""
    with logs.captured(io.StringIO()):
        undisturbed = one_stream_window()
        assert_stream_truth(undisturbed)
        subjects = {subject.partition("/")[0] for _, effect, subject in undisturbed.simulation.moments}
        assert subjects >= {"listings", "drained", "alpha", "landing", "markers"}
        for moment, where in enumerate(undisturbed.simulation.moments):
            if where[0] == "before" and moment:
                continue  # what is there is what was there after the effect before it
            story = one_stream_window(die_at_moment=moment)
            try:
                assert story.simulation.crashes == 1
                assert_stream_truth(story)
            except (Exception, AssertionError) as exc:
                raise AssertionError(f"died at moment {moment}: {' '.join(where)}") from exc


STEPS = st.lists(
    st.tuples(st.sampled_from(["change", "edit", "poll", "webhook"]), st.sampled_from(["a", "b"])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=settings().max_examples // 2)
@given(STEPS, st.integers(0, 2**32))
def test_webhooks_and_polls_in_every_order_make_the_same_table(steps: list[tuple[str, str]], seed: int) -> None:
    """Of the newest `updated_at`, and of the later observation where an edit moves none; however files are loaded."""
    world = World("alpha", now=at(7.01), registry=stream_registry_of("alpha", entities=["incident_changes"]))
    alpha = world.workspaces["alpha"]
    updated = {"a": at(6), "b": at(6)}
    for name, instant in updated.items():
        alpha.put(incident(name, at(5), instant, summary="first"))
    last = [("webhook", "a"), ("webhook", "b"), ("poll", "")]
    with logs.captured(io.StringIO()):
        for number, (step, name) in enumerate([*steps, *(last if seed % 2 else reversed(last))]):
            # every look is a window of its own
            world.clock.move_to(at(8.01 + number))
            if step == "poll":
                world.extract_source(source_name("alpha"))
            elif step == "webhook":
                world.receive("alpha", f"msg_{number}", UPDATED, {"id": name})
                world.extract_source("incident_io_alpha_incident_changes")
            else:
                updated[name] = world.clock.now() if step == "change" else updated[name]
                alpha.put(incident(name, at(5), updated[name], summary=f"{step} {number}"))
        deliveries = [world.notification(stored) for stored in world.landed()] * 2
        Random(seed).shuffle(deliveries)
        for delivery in deliveries:
            world.load(delivery)
    now = alpha.now(world.clock.now())
    assert {key[1]: json.loads(row["payload"]) for key, row in world.table.items()} == {
        name: json.loads(record) for name, record in now.items()
    }
    assert all(row["_is_deleted"] is False for row in world.table.values())


def test_a_row_says_the_same_whoever_brought_it() -> None:
    """But for the columns that tell of the load itself."""
    tables = []
    for way in ("poll", "webhook"):
        world = World("alpha", now=at(7.01), registry=stream_registry_of("alpha", entities=["incident_changes"]))
        stamps: dict[str, Any] = {"Detected at": at(5.5), "Resolved at": at(6)}
        world.workspaces["alpha"].put(incident("a", at(5), at(6), stamps=stamps, summary="x"))
        with logs.captured(io.StringIO()):
            if way == "webhook":
                world.receive("alpha", "m", UPDATED, {"id": "a"})
                world.drain()
            else:
                world.hour()
        columns = [*(column.name for column in INCIDENTS.columns), "dq_valid", "dq_flags", "_is_deleted", "_anchor_at"]
        tables.append({key: {name: row[name] for name in columns} for key, row in world.table.items()})
    assert tables[0] == tables[1]
    assert len(tables[0]) == 1
