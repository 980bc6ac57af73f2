"""OEBOT, an invented monitor: targets as fractions, good and total events, RFC 3339 (docs/sources/oebot.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from local.sources.kit.family import Surroundings
from local.sources.kit.instants import rfc3339
from local.sources.kit.pages import BadCursor, by_cursor
from local.sources.kit.token_bucket import Buckets, Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal, Vendor
from local.sources.slo.objectives import Objective, ObjectiveState
from local.sources.slo.paths import MEASUREMENTS, OBJECTIVES, OEBOT
from local.sources.slo.world import Measurement, SloWorld

KEY_HEADER = "x-oebot-key"
QUOTA = Quota.a_minute(120)
OBJECTIVES_LIMIT, MEASUREMENTS_LIMIT = 100, 500
LONGEST_RANGE = timedelta(days=31)
_CODES = {401: "unauthorized", 404: "not_found", 405: "method_not_allowed", 422: "invalid", 429: "too_many_requests"}


class Oebot(Vendor):
    """The monitor over HTTP; one key opens everything."""

    family = OEBOT

    def __init__(self, surroundings: Surroundings, world: SloWorld) -> None:
        super().__init__(surroundings)
        self._world = world
        self._buckets = Buckets(surroundings.wall_clock)
        self._references = {key: reference for reference, key in surroundings.keys.items()}

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """Objectives, and the measurements of one."""
        return {("GET", OBJECTIVES): self._objectives, ("GET", MEASUREMENTS): self._measurements}

    def account_of(self, asked: Asked) -> str:
        """By the header X-OEBOT-Key."""
        reference = self._references.get(asked.headers.get(KEY_HEADER, ""))
        if reference is None:
            raise self.refusal(401, "X-OEBOT-Key is missing or unknown")
        return reference

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{error: {code, message}}`."""
        return Refusal(status, {"error": {"code": _CODES.get(status, "internal"), "message": message}}, headers)

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """120 requests a minute; a refusal tells how many seconds to wait."""
        bucket = self._buckets.of(asked.account, QUOTA)
        if not bucket.take():
            wait = {"Retry-After": str(bucket.whole_seconds_until_one)}
            raise self.refusal(429, f"more than {QUOTA.capacity} requests in a minute", wait)
        return {"X-OEBOT-Requests-Left": str(int(bucket.tokens))}

    def _objectives(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        since = self._instant(asked, "updated_since")
        shown = [(o, state) for o in self._world.of("oebot") if (state := o.state(now)) is not None]
        rows = [objective_object(o, state) for o, state in shown if since is None or state.updated_at >= since]
        return self._list(asked, "objectives", rows, OBJECTIVES_LIMIT, {})

    def _measurements(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        wanted = asked.path.split("/")[4]
        objective = next((o for o in self._world.of("oebot") if objective_id(o) == wanted), None)
        if objective is None or objective.state(now) is None:
            raise self.refusal(404, f"there is no objective {wanted}")
        start, end = self._instant(asked, "from"), self._instant(asked, "to")
        if start is None or end is None:
            raise self.refusal(422, "from and to are both required")
        if not timedelta(0) < end - start <= LONGEST_RANGE:
            raise self.refusal(422, f"to must lie after from, by {LONGEST_RANGE.days} days at most")
        rows = [measurement_object(m) for m in self._world.measurements(objective, start, end, now)]
        return self._list(asked, "measurements", rows, MEASUREMENTS_LIMIT, {"objective_id": wanted})

    def _list(self, asked: Asked, name: str, rows: list[dict[str, Any]], limit: int, head: dict[str, str]) -> Answer:
        text = asked.single("limit") or str(limit)
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= limit):
            raise self.refusal(422, f"limit must be a whole number from 1 to {limit}; got {text!r}")
        try:
            page = by_cursor(rows, asked, size=int(text), cursor=asked.single("cursor"))
        except BadCursor:
            raise self.refusal(422, "cursor is none that this API gave") from None
        return Answer({**head, name: asked.records(page.rows), "next_cursor": page.next_cursor})

    def _instant(self, asked: Asked, name: str) -> datetime | None:
        text = asked.single(name)
        if text is None:
            return None
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise self.refusal(422, f"{name} must be an RFC 3339 timestamp; got {text!r}") from None
        if instant.tzinfo is None:
            raise self.refusal(422, f"{name} must carry its offset; got {text!r}")
        return instant


def objective_id(objective: Objective) -> str:
    """An objective's id, the same for good."""
    return f"obj_{objective.number:04d}"


def objective_object(objective: Objective, state: ObjectiveState) -> dict[str, Any]:
    """An objective as OEBOT shows it: the target a fraction."""
    days = objective.period.rolling_days
    return {
        "id": objective_id(objective),
        "name": objective.name,
        "service": objective.service,
        "team": state.team,
        "indicator": objective.indicator,
        "target": float(state.target / 100),
        "window": {"type": "calendar", "unit": "month"} if days is None else {"type": "rolling", "days": days},
        "state": "retired" if state.retired else "active",
        "created_at": rfc3339(objective.created_at),
        "updated_at": rfc3339(state.updated_at),
    }


def measurement_object(measurement: Measurement) -> dict[str, Any]:
    """One hour as OEBOT shows it; `sli` is null where there were no events."""
    good, total = measurement.good, measurement.total
    return {
        "hour": rfc3339(measurement.hour),
        "good": good,
        "total": total,
        # rounded down: an hour with failures must not look perfect
        "sli": math.floor(good / total * 1_000_000) / 1_000_000 if total else None,
        "reported_at": rfc3339(measurement.reported_at),
        "version": measurement.version,
    }
