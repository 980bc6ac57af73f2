"""Vantage, an invented monitor: percents as strings, bad and valid events, epoch ms (docs/sources/vantage.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any

import msgspec

from local.sources.kit.family import Surroundings
from local.sources.kit.pages import NumberedPager
from local.sources.kit.token_bucket import Buckets, Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal, Vendor
from local.sources.slo.impacts import HOUR
from local.sources.slo.objectives import Objective, ObjectiveState
from local.sources.slo.paths import SLO_WINDOWS, SLOS, VANTAGE
from local.sources.slo.world import Measurement, SloWorld

QUOTA = Quota.a_minute(60)
PER_PAGE_DEFAULT, PER_PAGE_LIMIT = 20, 50
WINDOWS_A_PAGE = 1000
LONGEST_RANGE = timedelta(days=7)
MOST_SLOS = 20
_FIRST_ID = 4000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_LAST_MS)]


class WindowsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a query for windows: those that begin in [from_ms, to_ms)."""

    from_ms: Milliseconds
    to_ms: Milliseconds
    slo_ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=MOST_SLOS)]
    page: Annotated[int, msgspec.Meta(ge=1)] = 1


class Vantage(Vendor):
    """The monitor over HTTP; one token opens everything."""

    family = VANTAGE

    def __init__(self, surroundings: Surroundings, world: SloWorld) -> None:
        super().__init__(surroundings)
        self._world = world
        self._buckets = Buckets(surroundings.wall_clock)
        self._pager = NumberedPager(surroundings.faults)
        self._references = {key: reference for reference, key in surroundings.keys.items()}

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """SLOs, and the windows of some of them."""
        return {("GET", SLOS): self._slos, ("POST", SLO_WINDOWS): self._windows}

    def account_of(self, asked: Asked) -> str:
        """By the header `Authorization: Token …`."""
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        reference = self._references.get(token.strip()) if scheme.lower() == "token" else None
        if reference is None:
            raise self.refusal(401, "Authentication credentials were not provided or are invalid.")
        return reference

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{detail, status}`."""
        return Refusal(status, {"detail": message, "status": status}, headers)

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """60 requests a minute; a refusal tells how many seconds to wait."""
        bucket = self._buckets.of(asked.account, QUOTA)
        if not bucket.take():
            wait = bucket.whole_seconds_until_one
            told = f"Request was throttled. Expected available in {wait} seconds."
            raise self.refusal(429, told, {"Retry-After": str(wait)})
        return {}

    def _slos(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        shown = [(o, state) for o in self._world.of("vantage") if (state := o.state(now)) is not None]
        number = self._number(asked, "page", 1, 1_000_000)
        size = self._number(asked, "per_page", PER_PAGE_DEFAULT, PER_PAGE_LIMIT)
        rows = [slo_object(o, state) for o, state in shown]
        page = self._pager.page(rows, asked, size=size, number=number, list_name=SLOS)
        told = {"page": number, "per_page": size, "total_pages": page.page_count, "total": len(rows)}
        return Answer({"slos": asked.records(page.rows), **told})

    def _windows(self, asked: Asked) -> Answer:
        now = self.surroundings.clock.now
        try:
            query = msgspec.json.decode(asked.body, type=WindowsQuery)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self.refusal(400, f"Invalid query: {error}") from None
        if not 0 < query.to_ms - query.from_ms <= LONGEST_RANGE / timedelta(milliseconds=1):
            raise self.refusal(400, f"to_ms must lie after from_ms, by {LONGEST_RANGE.days} days at most.")
        known = {slo_id(o): o for o in self._world.of("vantage") if o.state(now) is not None}
        strangers = [number for number in query.slo_ids if number not in known]
        if strangers:
            raise self.refusal(400, f"Unknown slo_ids: {', '.join(map(str, strangers))}.")
        start, end = (_EPOCH + timedelta(milliseconds=ms) for ms in (query.from_ms, query.to_ms))
        rows = [
            window_object(known[number], measurement)
            for number in sorted(set(query.slo_ids))
            for measurement in self._world.measurements(known[number], start, end, now)
        ]
        name = f"{sorted(set(query.slo_ids))} {query.from_ms} {query.to_ms}"
        page = self._pager.page(rows, asked, size=WINDOWS_A_PAGE, number=query.page, list_name=name)
        return Answer({"windows": asked.records(page.rows), "page": query.page, "has_more": page.has_more})

    def _number(self, asked: Asked, name: str, default: int, limit: int) -> int:
        text = asked.single(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and int(text[:9]) >= 1):
            raise self.refusal(400, f"{name} must be a positive whole number.")
        return min(int(text[:9]), limit)


def slo_id(objective: Objective) -> int:
    """An objective's id, the same for good."""
    return _FIRST_ID + objective.number * 7


def epoch_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def slo_object(objective: Objective, state: ObjectiveState) -> dict[str, Any]:
    """An objective as Vantage shows it: the target in percent, as a string; no `updated_since` anywhere."""
    days = objective.period.rolling_days
    return {
        "slo_id": slo_id(objective),
        "title": objective.name,
        "service_name": objective.service,
        "owner": state.team,
        "sli_type": objective.indicator,
        "target": str(state.target),
        "timeframe": "calendar_month" if days is None else f"{days}d",
        "archived": state.retired,
        "created_ms": epoch_ms(objective.created_at),
        "modified_ms": epoch_ms(state.updated_at),
    }


def window_object(objective: Objective, measurement: Measurement) -> dict[str, Any]:
    """One hour as Vantage shows it: what failed, not what went well; `sli_percent` is null without events."""
    good, total = measurement.good, measurement.total
    percent = (Decimal(good) * 100 / total).quantize(Decimal("0.0001"), ROUND_DOWN) if total else None
    return {
        "slo_id": slo_id(objective),
        "start_ms": epoch_ms(measurement.hour),
        "end_ms": epoch_ms(measurement.hour + HOUR),
        "valid_events": total,
        "bad_events": total - good,
        "sli_percent": None if percent is None else str(percent),
        "computed_ms": epoch_ms(measurement.reported_at),
        "recomputed": measurement.version > 1,
    }
