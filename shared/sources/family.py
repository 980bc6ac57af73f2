"""What the extraction needs to know of a family of sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.extract.pages import PageFlow, PageRequest, PageSeen
from shared.registry.model import Source

Send = Callable[[PageRequest, Callable[[bytes], Any]], Any]
"""Sends a request and decodes its answer; see `Sender.send`."""


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page cut into its records, each still the bytes that the source sent."""

    records: Sequence[bytes]
    seen: PageSeen


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
    names fields that the family does not know, `unseen` mapped names that no record carried.
    """

    columns: Mapping[str, Sequence[Any]]
    count: int
    rejections: list[Rejection] = field(default_factory=list)
    skipped: int = 0
    watermark: datetime | None = None
    unknown: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ExtractionRange:
    """The versions to read: from `start` on; `end` is where the window ends. `full` reads everything."""

    start: datetime
    end: datetime
    full: bool = False


class Family(Protocol):
    """One family of sources."""

    def verify(self, source: Source, send: Send) -> None:
        """Check that the key belongs to the source. Raises PermanentError when it does not."""
        ...

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """The requests that read the range, from the page that `resume` names."""
        ...

    def split(self, body: bytes) -> RawPage:
        """Cut a page into records without decoding them. Raises UnusableBody."""
        ...

    def rows(self, source: Source, records: Sequence[bytes], extraction: ExtractionRange) -> Rows:
        """Decode and validate records; the good ones become rows, the others rejections."""
        ...
