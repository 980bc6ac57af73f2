"""The times of an incident, in whole seconds, and which of them are impossible.

Both ends are cut to the second before they are subtracted, as Snowflake's DATEDIFF does, so that Python and SQL agree.
A negative time is impossible: it is None and named by a flag, so that nothing averages it.
"""

from datetime import datetime
from typing import NamedTuple

DETECTED_BEFORE_CREATED = "detected_before_created"
RESOLVED_BEFORE_DETECTED = "resolved_before_detected"
RESOLVED_BEFORE_CREATED = "resolved_before_created"
IMPACT_ENDED_BEFORE_START = "impact_ended_before_start"


class IncidentTimes(NamedTuple):
    """Seconds created→detected, detected→resolved, created→resolved, and of impact; None when unknown or impossible."""

    ttd_sec: int | None
    ttr_sec: int | None
    tts_sec: int | None
    impact_duration_sec: int | None
    flags: tuple[str, ...]


def incident_times(
    created_at: datetime,
    impact_started_at: datetime | None,
    detected_at: datetime | None,
    fixed_at: datetime | None,
    resolved_at: datetime | None,
) -> IncidentTimes:
    """The times from an incident's instants; impact lasts from its start (else created) to fixed (else resolved)."""
    impact_end = fixed_at if fixed_at is not None else resolved_at
    impact_start = impact_started_at if impact_started_at is not None else created_at
    ttd, ttr, tts = (
        seconds(created_at, detected_at),
        seconds(detected_at, resolved_at),
        seconds(created_at, resolved_at),
    )
    impact = seconds(impact_start, impact_end)
    flags: tuple[str, ...] = ()
    if ttd is not None and ttd < 0:
        ttd, flags = None, (*flags, DETECTED_BEFORE_CREATED)
    if ttr is not None and ttr < 0:
        ttr, flags = None, (*flags, RESOLVED_BEFORE_DETECTED)
    if tts is not None and tts < 0:
        tts, flags = None, (*flags, RESOLVED_BEFORE_CREATED)
    if impact is not None and impact < 0:
        impact, flags = None, (*flags, IMPACT_ENDED_BEFORE_START)
    return IncidentTimes(ttd, ttr, tts, impact, flags)


def seconds(start: datetime | None, end: datetime | None) -> int | None:
    """Whole seconds from start to end, both cut to the second; None when one is unknown."""
    if start is None or end is None:
        return None
    difference = end - start
    whole = difference.days * 86_400 + difference.seconds
    # cutting both ends: a fraction of the start that exceeds the end's was borrowed from the whole seconds
    return whole + (1 if start.microsecond > end.microsecond else 0)
