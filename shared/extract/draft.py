"""A part while it is read: pages are collected scope by scope and converted; it is cut only between scopes."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared import logs
from shared.contracts.contract import Contract
from shared.errors import SourceUnavailable
from shared.extract.pages import PageRequest, SpoolRequest
from shared.extract.part import PartBuffer
from shared.extract.read_ahead import read_ahead
from shared.extract.sender import Sender, WaitBeyondDeadline
from shared.extract.spooled import spooled_page
from shared.ports import Clock, HttpResponse, Spool
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, Family, RawPage, Rejection

_SCOPES_BYTES = 4096
# They travel in the object's metadata, which takes 8 KiB in all; what one request reads may come on top.


@dataclass(slots=True)
class Draft:
    """What reading a part came to. `next_cursor` is where to go on unless it is the `last`, not before `not_before`.

    `scopes` are those (days, say) that the part holds whole: what it does not hold of them is gone at the source. One
    with a rejected record is not whole: what that record told before may not be taken for gone.
    """

    buffer: PartBuffer
    next_cursor: str
    rejections: list[Rejection] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    skipped: int = 0
    unknown: set[str] = field(default_factory=set)
    highest: datetime | None = None
    last: bool = True
    not_before: datetime | None = None

    @property
    def scopes_bytes(self) -> int:
        """What the scopes take in the object's metadata."""
        return sum(len(scope) + 1 for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads parts of one extraction."""

    source: Source
    family: Family
    contract: Contract
    extraction: ExtractionRange
    sender: Sender
    clock: Clock
    deadline: datetime
    spool: Spool

    def read(self, resume: str, constants: dict[str, Any]) -> Draft:
        """Read from `resume` on until the end, the part's size, the deadline, or a wait that leads beyond it.

        A scope that is not whole by then is left to the next part: its records here are dropped, and it is read again.
        """
        draft = Draft(PartBuffer(self.contract), resume)
        flow = self.family.pages(self.source, self.extraction, resume)
        waiting: list[RawPage] = []
        advanced = False
        try:
            with closing(read_ahead(flow, self._fetch)) as pages:
                for fetched in pages:
                    waiting.append(fetched.page)
                    if not advanced:
                        draft.next_cursor = fetched.request.resume
                    late = self.clock.now() >= self.deadline
                    if fetched.ends_scope:
                        self._convert(draft, waiting, fetched.request.scope, constants)
                        waiting, advanced = [], True
                        if fetched.following is None:
                            return draft
                        draft.next_cursor = fetched.following.resume
                        late = late or draft.buffer.full or draft.scopes_bytes >= _SCOPES_BYTES
                    if late:
                        draft.last = False
                        break
        except WaitBeyondDeadline as exc:
            draft.last, draft.not_before = False, exc.until
        if resume and waiting and not advanced:
            # a continuation that got as far as this would send the next one to the same place, for ever
            raise SourceUnavailable(
                f"{self.source.name}: an invocation is too short for what begins at {resume!r} (a scope is read as a "
                "whole); it is tried again"
            )
        return draft

    def _fetch(self, request: PageRequest | SpoolRequest) -> RawPage:
        if isinstance(request, SpoolRequest):
            self.sender.keep()
            return spooled_page(self.spool, request)
        return self.sender.send(request, lambda response: self._split(request, response))

    def _split(self, request: PageRequest, response: HttpResponse) -> RawPage:
        page = self.family.split(self.source, request, response)
        if response.status != 200:
            logs.info("extract.object_gone", path=request.path, status=response.status)
        return page

    def _convert(self, draft: Draft, pages: Sequence[RawPage], scope: Sequence[str], constants: dict[str, Any]) -> None:
        rows = self.family.rows(self.source, pages, scope, self.extraction)
        draft.buffer.add(rows.columns, constants, rows.count)
        draft.rejections += rows.rejections
        draft.skipped += rows.skipped
        draft.unknown |= rows.unknown
        if rows.watermark is not None:
            draft.highest = max(rows.watermark, draft.highest or rows.watermark)
        if self.contract.scope is not None:
            draft.scopes += rows.scopes if rows.scopes is not None else () if rows.rejections else scope
