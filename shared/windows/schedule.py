"""From a cron expression to windows: consecutive instants of the schedule, in UTC."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from cronsim import CronSim, CronSimError

from shared.windows.window import Window


def check_cron(expression: str) -> None:
    """Raises ValueError when `expression` is no five-field cron expression."""
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as exc:
        raise ValueError(f"{expression!r} is no cron expression: {exc}") from exc


def last_instant(expression: str, moment: datetime) -> datetime:
    """The last instant of the schedule at or before `moment`."""
    return _before(expression, moment)[0]


def window_at(pipeline: str, expression: str, moment: datetime) -> Window:
    """The window that a bare tick published at `moment` stands for.

    Its end is the last instant of the schedule at or before `moment`, its start the instant before that: from
    the expression, not by flooring, so uneven schedules have neither gaps nor overlaps.
    """
    end, start = _before(expression, moment)
    return Window(pipeline, start, end)


def windows_between(pipeline: str, expression: str, start: datetime, end: datetime) -> list[Window]:
    """The windows of the schedule whose ends lie in (start, end], oldest first."""
    ends = [last_instant(expression, start)]
    for instant in CronSim(expression, start.astimezone(UTC)):
        if instant > end:
            break
        ends.append(instant)
    return [Window(pipeline, a, b) for a, b in pairwise(ends)]


def _before(expression: str, moment: datetime) -> tuple[datetime, datetime]:
    # cronsim steps strictly backwards from whole minutes: a minute later it can answer "at or before"
    ceiling = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    latest, previous = islice(CronSim(expression, ceiling, reverse=True), 2)
    return latest.astimezone(UTC), previous.astimezone(UTC)
