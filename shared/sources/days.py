"""Sources that are read by whole UTC days."""

from collections.abc import Callable
from datetime import date, timedelta

from shared.extract.pages import PageFlow, within_scope
from shared.sources.family import ExtractionRange


def days_of(extraction: ExtractionRange, resume: str = "") -> list[date]:
    """The days of the range, oldest first, from the one that `resume` names."""
    first = date.fromisoformat(resume) if resume else extraction.start.date()
    return [first + timedelta(days=n) for n in range((extraction.end.date() - first).days)]


def by_days(
    extraction: ExtractionRange, resume: str, most: int, requests_of: Callable[[date, date], PageFlow]
) -> PageFlow:
    """The range in runs of at most `most` days, given by their first and last day, each run a scope of its own.

    An extraction goes on at the first day of the run that it could not finish: with that day alone, then with runs that
    grow again, so that a run which is too long for one invocation is not begun for ever.
    """
    days, size = days_of(extraction, resume), 1 if resume else most
    while days:
        run, days, size = days[:size], days[size:], min(most, size * 2)
        yield from within_scope(requests_of(run[0], run[-1]), tuple(d.isoformat() for d in run), run[0].isoformat())
