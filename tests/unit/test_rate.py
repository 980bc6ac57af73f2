"""The rate limit: a burst up to the limit is free, the rest is paced."""

from datetime import timedelta

from shared.adapters.memory import MemoryClock
from shared.extract.rate import RateLimit
from tests.support.world import at


def _calls(rate: RateLimit, clock: MemoryClock, count: int) -> float:
    began = clock.now()
    for _ in range(count):
        clock.sleep(rate.wait_seconds())
        rate.take()
    return (clock.now() - began).total_seconds()


def test_a_burst_is_free_and_the_rest_is_paced() -> None:
    """60 a minute: 60 at once, then one a second."""
    clock = MemoryClock(at(7))
    rate = RateLimit(60, clock)
    assert _calls(rate, clock, 60) == 0
    assert abs(_calls(rate, clock, 30) - 30) < 0.01


def test_rest_fills_the_bucket_up_to_its_size_only() -> None:
    """An hour's rest is not an hour's worth of calls."""
    clock = MemoryClock(at(7))
    rate = RateLimit(60, clock)
    _calls(rate, clock, 60)
    clock.sleep(3600)
    assert _calls(rate, clock, 60) == 0
    assert rate.wait_seconds() > 0.9


def test_no_minute_sees_more_than_twice_the_limit_and_no_hour_more_than_a_minute_extra() -> None:
    """The bucket's worst case is known."""
    clock = MemoryClock(at(7))
    rate = RateLimit(60, clock)
    assert _calls(rate, clock, 3660) >= 3599


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    """Clocks are corrected now and then."""
    clock = MemoryClock(at(7))
    rate = RateLimit(60, clock)
    _calls(rate, clock, 60)
    clock.move_to(clock.now() - timedelta(minutes=5))
    assert rate.wait_seconds() > 0.9
