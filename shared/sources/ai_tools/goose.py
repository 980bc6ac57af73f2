"""Goose, a local agent, through an internal collector whose contract is assumed: snapshots of sessions, day by day.

A snapshot's counters hold what its session has used so far, over all its days; a day's use is the difference to the
session's last snapshot before that day.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct

from shared.extract.pages import PageFlow, PageRequest, PageSeen, cursor_pages
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.ai_tools.rows import checked, rows_of
from shared.sources.ai_tools.tool import DailyTool, decoded, settings_of
from shared.sources.ai_tools.usage import ALL_MODELS, Figures, Usage
from shared.sources.envelope import field_of, records_in
from shared.sources.family import ExtractionRange, RawPage, Rejection, Rows
from shared.sources.record import Refused, checked_text, known_fields, unknown_fields

LOOK_BACK_DAYS = 4
"""So far back the last snapshot of a session that goes on may be; the collector closes a session after that."""


class _Snapshot(Struct, frozen=True):
    session_id: str
    user_name: str
    taken_at: Annotated[datetime, Meta(tz=True)]
    message_count: int | None = None
    accumulated_input_tokens: int | None = None
    accumulated_output_tokens: int | None = None

    @property
    def day(self) -> date:
        return self.taken_at.astimezone(UTC).date()

    @property
    def told(self) -> Usage:
        """The session's use so far."""
        figures = Figures(
            requests=self.message_count,
            input_tokens=self.accumulated_input_tokens,
            output_tokens=self.accumulated_output_tokens,
        )
        return Usage(self.day, self.user_name, "login", ALL_MODELS, figures)


_FIELDS = known_fields(
    _Snapshot,
    *("snapshot_id", "session_type", "created_at", "received_at", "input_tokens", "output_tokens", "total_tokens"),
    "accumulated_total_tokens",
)

_Session = tuple[str, str]


class Goose(DailyTool):
    """`GET /v1/session-snapshots`."""

    most_days = 31

    def requests(self, source: Source, first: date, last: date) -> PageFlow:
        """The days' snapshots, and those of the days before that tell where their sessions began."""
        for number in range(-LOOK_BACK_DAYS, (last - first).days + 1):
            query = (("day", (first + timedelta(days=number)).isoformat()), ("limit", str(source.page_size)))
            yield from cursor_pages("/v1/session-snapshots", query, parameter="cursor")

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """`snapshots` and `next_cursor`."""
        records, envelope = records_in(response.body, "snapshots")
        following = field_of(envelope, "next_cursor", str)
        return RawPage(records, PageSeen(len(records), str(following) if following else None), dict(request.query))

    def rows(self, source: Source, pages: Sequence[RawPage], scope: Sequence[str], _: ExtractionRange) -> Rows:
        """Each session's use of the day, summed up by user. A bad snapshot is rejected on its own day only.

        Snapshots of the days before, which only tell where sessions began, are skipped.
        """
        days = {date.fromisoformat(day) for day in scope}
        sessions: dict[_Session, list[tuple[_Snapshot, bytes]]] = {}
        rejections: list[Rejection] = []
        unknown: set[str] = set()
        skipped = 0
        for page, record in ((p, r) for p in pages for r in p.records):
            try:
                checked_text(record)
                snapshot = decoded(_Snapshot, record)
                checked(snapshot.told)
            except Refused as exc:
                if page.context["day"] in scope:
                    rejections.append(Rejection(exc.reason, exc.detail, bytes(record)))
                else:
                    skipped += 1
                continue
            unknown |= unknown_fields(record, _FIELDS)
            skipped += snapshot.day not in days
            sessions.setdefault((snapshot.user_name, snapshot.session_id), []).append((snapshot, record))
        uses: list[tuple[Usage, bytes]] = []
        kept = 0
        for snapshots in sessions.values():
            snapshots.sort(key=lambda taken: taken[0].taken_at)
            for day in sorted(days):
                of_the_day = [taken for taken in snapshots if taken[0].day == day]
                if of_the_day:
                    uses.append(_use_of(snapshots, of_the_day, day))
                    kept += len(of_the_day)
        rows = rows_of(settings_of(source), uses, rejections)
        rows.kept, rows.skipped, rows.unknown = kept, skipped, unknown
        return rows

    def uses(self, _record: bytes, _: Mapping[str, Any]) -> Iterable[Usage]:
        """A snapshot alone tells no use."""
        return ()

    def unknown(self, _record: bytes, _: Mapping[str, Any]) -> set[str]:
        """Told with the rows."""
        return set()


def _use_of(
    session: Sequence[tuple[_Snapshot, bytes]], of_the_day: Sequence[tuple[_Snapshot, bytes]], day: date
) -> tuple[Usage, bytes]:
    """A session's use of a day, told by the day's last snapshot; both are in the order of being taken."""
    now = [snapshot.told.figures for snapshot, _ in of_the_day]
    before = [snapshot.told.figures for snapshot, _ in session if snapshot.day < day]
    grown = Figures(
        requests=_grown([f.requests for f in now], [f.requests for f in before]),
        sessions=1,
        input_tokens=_grown([f.input_tokens for f in now], [f.input_tokens for f in before]),
        output_tokens=_grown([f.output_tokens for f in now], [f.output_tokens for f in before]),
    )
    snapshot, record = of_the_day[-1]
    return Usage(day, snapshot.user_name, "login", ALL_MODELS, grown), record


def _grown(now: list[int | None], before: list[int | None]) -> int | None:
    # a snapshot without counters says nothing: the one before it counts
    last = next((value for value in reversed(now) if value is not None), None)
    start = next((value for value in reversed(before) if value is not None), 0)
    if last is None:
        return None
    # a counter that fell was started anew
    return last - start if start <= last else last
