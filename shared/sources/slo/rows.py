"""Objectives and hours as rows, whatever the monitor's shape."""

from typing import Any

from shared.sources.record import Refused
from shared.sources.table import Row

NEGATIVE_EVENTS = "negative_events"
MORE_GOOD_THAN_TOTAL = "more_good_than_total"
NOT_A_WHOLE_HOUR = "not_a_whole_hour"
TARGET_OUTSIDE_0_TO_1 = "target_outside_0_to_1"


def measurement_row(payload: str, values: dict[str, Any]) -> Row:
    """A row of FACT_SLO_MEASUREMENTS; impossible counts are kept and flagged. Raises Refused for no whole hour."""
    hour = values["hour_start_at"]
    if hour.minute or hour.second or hour.microsecond:
        # the key is the hour: events of half of one would be taken for all of it
        raise Refused(NOT_A_WHOLE_HOUR, f"hour_start_at is {hour.isoformat()}")
    good, total = values["good_events"], values["total_events"]
    flags = [NEGATIVE_EVENTS] if good < 0 or total < 0 else []
    if good > total:
        flags.append(MORE_GOOD_THAN_TOTAL)
    return Row(values, payload, flags)


def objective_row(payload: str, values: dict[str, Any]) -> Row:
    """A row of SLO_OBJECTIVES; an impossible target is kept and flagged."""
    target = values["target"]
    possible = target.is_finite() and 0 < target <= 1
    return Row(values, payload, [] if possible else [TARGET_OUTSIDE_0_TO_1])
