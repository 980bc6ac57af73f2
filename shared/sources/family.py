"""What the extraction needs to know of a family of sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.extract.pages import Flow, PageRequest, PageSeen
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.spool import WaitingEvent

Send = Callable[[PageRequest, Callable[[HttpResponse], Any]], Any]
"""Sends a request and decodes its answer; see `Sender.send`."""


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page cut into its records, each still the bytes that the source sent.

    `context` is what a record needs to be understood and the page alone says: a day, a currency.
    """

    records: Sequence[bytes]
    seen: PageSeen
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that breaks the contract: kept whole in quarantine."""

    reason: str
    detail: str
    record: bytes


@dataclass(slots=True)
class Rows:
    """Records as columns of their contract (without the columns that the extraction itself knows).

    `watermark` is the highest version among them; `skipped` counts records outside the extraction's range; `unknown`
    names fields that the family does not know. `scopes` are those of the contract that these rows are the whole of:
    None for the scope that was asked for, unless a record was rejected.
    """

    columns: Mapping[str, Sequence[Any]]
    count: int
    rejections: list[Rejection] = field(default_factory=list)
    skipped: int = 0
    watermark: datetime | None = None
    unknown: set[str] = field(default_factory=set)
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ExtractionRange:
    """The versions to read: from `start` on; `end` is where the window ends. `full` reads everything.

    `events` are the spooled events that were there when the window was listed (cursor existence).
    """

    start: datetime
    end: datetime
    full: bool = False
    events: tuple[WaitingEvent, ...] = field(default=(), repr=False)


class Family(Protocol):
    """One family of sources."""

    def verify(self, source: Source, send: Send) -> None:
        """Check that the key belongs to the source. Raises PermanentError when it does not."""
        ...

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """The requests that read the range, from the page that `resume` names."""
        ...

    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """Cut a page into records without decoding them. Raises UnusableBody, Throttled."""
        ...

    def rows(self, source: Source, pages: Sequence[RawPage], scope: Sequence[str], extraction: ExtractionRange) -> Rows:
        """Decode and validate the records of one scope; the good ones become rows, the others rejections."""
        ...
