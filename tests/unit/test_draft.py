"""A part while it is read: cut between scopes only, nothing of an unfinished scope in it, whole scopes named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.memory import MemoryClock, MemoryCloud, MemoryHttp, MemorySecrets
from shared.contracts.ai_tool_daily_metrics import AI_TOOL_DAILY_METRICS
from shared.errors import SourceUnavailable
from shared.extract import draft as draft_module
from shared.extract.credentials import Credentials
from shared.extract.draft import Draft, Reader
from shared.extract.rate import RateLimit
from shared.extract.sender import Sender
from shared.ports import HttpRequest, HttpResponse
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange
from tests.support.ai_pages import source
from tests.support.incident_io import response

NOW = datetime(2026, 6, 10, 14, 31, tzinfo=UTC)
CONSTANTS = {
    "_is_deleted": False,
    "_source": "s",
    "_window_id": "w",
    "_source_file": "f",
    "_run_id": "r",
    "_observed_at": NOW,
}


class _Reading:
    """Claude Code, a day a scope: every day has `pages` pages of one record; each request takes `seconds`."""

    def __init__(self, days: int = 3, pages: int = 2, seconds: float = 0, budget: float = 100) -> None:
        self.clock = MemoryClock(NOW)
        self.pages, self.seconds = pages, seconds
        self.http = MemoryHttp(self._answer)
        self.bad: Callable[[str, int], bool] = lambda _day, _page: False
        self.before: Callable[[str, int], HttpResponse | None] = lambda _day, _page: None
        start = datetime(2026, 6, 1, tzinfo=UTC)
        block = source("claude_code")
        sender = Sender(
            block,
            "https://tool.example",
            self.http,
            Credentials(block, self.http, MemorySecrets({block.secret: "k"}), self.clock, None),
            self.clock,
            RateLimit(6000, self.clock),
            NOW + timedelta(seconds=budget),
            lambda: None,
            {},
        )
        extraction = ExtractionRange(start, start + timedelta(days=days))
        deadline = NOW + timedelta(seconds=budget)
        family, spool = FAMILIES[block.family], MemoryCloud().bucket("spool")
        self.reader = Reader(block, family, AI_TOOL_DAILY_METRICS, extraction, sender, self.clock, deadline, spool)

    def read(self, resume: str = "") -> Draft:
        """One part."""
        return self.reader.read(resume, CONSTANTS)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        query = dict(request.query)
        day, page = query["starting_at"], int(query.get("page", "1"))
        instead = self.before(day, page)
        if instead is not None:
            return instead
        self.clock.sleep(self.seconds)
        actor: dict[str, Any] = {"type": "user_actor", "email_address": f"{page}@b"}
        record = {"date": f"{day}T00:00:00Z", "actor": 5 if self.bad(day, page) else actor}
        more = page < self.pages
        return response(200, {"data": [record], "has_more": more, "next_page": str(page + 1) if more else None})


def test_everything_in_one_part_names_its_whole_scopes() -> None:
    """What the part does not hold of these days is gone at the tool."""
    draft = _Reading().read()
    assert (draft.last, draft.buffer.rows) == (True, 6)
    assert draft.scopes == ["2026-06-01", "2026-06-02", "2026-06-03"]


def test_the_deadline_cuts_after_a_whole_day_and_drops_what_was_begun() -> None:
    """The day that was begun is read again by the next part, from its first page."""
    reading = _Reading(seconds=30)  # the deadline falls on the second page of the second day
    draft = reading.read()
    assert (draft.last, draft.next_cursor, draft.scopes) == (False, "2026-06-03", ["2026-06-01", "2026-06-02"])
    reading = _Reading(seconds=40)
    draft = reading.read()
    assert (draft.last, draft.next_cursor, draft.scopes) == (False, "2026-06-02", ["2026-06-01"])
    assert draft.buffer.rows == 2, "nothing of the day that is left to the next part"


def test_parts_joined_are_the_whole() -> None:
    """Every day once, wherever the deadline falls."""
    for seconds in (10, 20, 30, 40):
        scopes, rows, resume = [], 0, ""
        for _ in range(9):
            draft = _Reading(days=4, seconds=seconds).read(resume)
            scopes += draft.scopes
            rows += draft.buffer.rows
            resume = draft.next_cursor
            if draft.last:
                break
        assert scopes == [f"2026-06-0{n}" for n in range(1, 5)]
        assert rows == 8


def test_a_wait_beyond_the_deadline_cuts_too_and_says_until_when() -> None:
    """The continuation comes when the tool lets it in again."""
    reading = _Reading()
    reading.before = lambda day, page: response(429, retry_after="900") if (day, page) == ("2026-06-02", 2) else None
    draft = reading.read()
    assert (draft.last, draft.next_cursor, draft.scopes) == (False, "2026-06-02", ["2026-06-01"])
    assert draft.not_before == NOW + timedelta(seconds=900)
    assert draft.buffer.rows == 2


def test_a_wait_before_the_first_page_begins_where_it_was() -> None:
    """With nothing in the part."""
    for resume in ("", "2026-06-02"):
        reading = _Reading()
        reading.before = lambda _day, _page: response(429, retry_after="900")
        draft = reading.read(resume)
        assert (draft.last, draft.next_cursor, draft.scopes, draft.buffer.rows) == (False, resume, [], 0)


def test_a_scope_with_a_rejected_record_is_not_whole() -> None:
    """Its good records are loaded; what the bad one told before may not be taken for gone."""
    reading = _Reading()
    reading.bad = lambda day, page: (day, page) == ("2026-06-02", 1)
    draft = reading.read()
    assert draft.scopes == ["2026-06-01", "2026-06-03"]
    assert (draft.buffer.rows, [r.reason for r in draft.rejections]) == (5, ["wrong_type"])


def test_a_day_that_outlasts_an_invocation_is_begun_anew_once_and_then_said() -> None:
    """The first part hands it on; a continuation that gets no further would do so for ever."""
    first = _Reading(pages=5, seconds=60).read()
    assert (first.last, first.next_cursor, first.buffer.rows) == (False, "2026-06-01", 0)
    with pytest.raises(SourceUnavailable, match="too short for what begins at '2026-06-01'"):
        _Reading(pages=5, seconds=60).read(first.next_cursor)


def test_a_part_names_no_more_scopes_than_metadata_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object's metadata has 8 KiB."""
    monkeypatch.setattr(draft_module, "_SCOPES_BYTES", 2 * len("2026-06-01,"))
    draft = _Reading(days=5, pages=1).read()
    assert (draft.last, draft.next_cursor, draft.scopes) == (False, "2026-06-03", ["2026-06-01", "2026-06-02"])
