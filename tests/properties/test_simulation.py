"""Whatever goes wrong, in whatever order: once everything is quiet, the table is the truth and the marts show it."""

import io

import pytest
from hypothesis import settings

from shared import logs
from tests.support.simulation import Simulation, assert_truth, one_window, random_story

SEEDS = range(settings().max_examples // 2)
"""As many stories as the profile asks for: a thousand with `--hypothesis-profile=search`."""


def _told(seed: int) -> Simulation:
    told = io.StringIO()
    with logs.captured(told):
        try:
            story, bad = random_story(seed)
            assert_truth(story, bad)
        except Exception as exc:
            exc.add_note(f"seed {seed}; the story's end:\n{told.getvalue()[-6000:]}")
            raise
    return story


@pytest.mark.parametrize("seed", SEEDS)
def test_any_story_ends_with_the_truth(seed: int) -> None:
    """Duplicates, any order, deaths at any effect, lost notifications, faults of the source, overlapping deliveries."""
    _told(seed)


def test_the_stories_are_eventful() -> None:
    """The simulator does what it is there for: the seeds together see deaths, overlaps, late and continued work."""
    stories = [_told(seed) for seed in range(100, 103)]
    assert sum(story.crashes for story in stories) > 5
    assert sum(story.interleaved for story in stories) > 5
    assert any("extract-" in name for story in stories for _, _, name in story.moments)


def test_a_story_can_be_told_again() -> None:
    """The same seed gives the same story, moment by moment, so that a failure can be looked at."""
    assert _told(7).moments == _told(7).moments


def test_a_death_at_any_moment_of_a_window_changes_nothing() -> None:
    """Before the first effect of a whole window and after each: what is re-delivered finishes the work, once."""
    with logs.captured(io.StringIO()):
        undisturbed, bad = one_window()
        assert_truth(undisturbed, bad)
        effects = {effect for _, effect, _ in undisturbed.moments}
        assert effects >= {"create", "delete", "publish", "load_part", "start", "build", "record"}
        for moment, where in enumerate(undisturbed.moments):
            if where[0] == "before" and moment:
                continue  # what is there is what was there after the effect before it
            story, bad = one_window(die_at_moment=moment)
            try:
                assert story.crashes == 1
                assert_truth(story, bad)
            except (Exception, AssertionError) as exc:
                raise AssertionError(f"died at moment {moment}: {' '.join(where)}") from exc
