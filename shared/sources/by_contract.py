"""A vendor with several lists: which of them a source reads follows from its contract."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.errors import ConfigurationError
from shared.extract.pages import Flow, PageRequest
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows, Send


class ListReader(Protocol):
    """How one list is read; see Family."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """See Family."""
        ...

    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """See Family."""
        ...

    def rows(self, source: Source, pages: Sequence[RawPage], scope: Sequence[str], extraction: ExtractionRange) -> Rows:
        """See Family."""
        ...


class ByContract:
    """A family whose lists have a reader each."""

    def __init__(self, readers: Mapping[str, ListReader]) -> None:
        self.readers = readers

    def verify(self, source: Source, send: Send) -> None:
        """Nothing to verify: the first page tells whether the key is good."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> Flow:
        """See Family."""
        return self._reader(source).pages(source, extraction, resume)

    def split(self, source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """See Family."""
        return self._reader(source).split(source, request, response)

    def rows(self, source: Source, pages: Sequence[RawPage], scope: Sequence[str], extraction: ExtractionRange) -> Rows:
        """See Family."""
        return self._reader(source).rows(source, pages, scope, extraction)

    def _reader(self, source: Source) -> ListReader:
        try:
            return self.readers[source.contract]
        except KeyError:
            known = ", ".join(sorted(self.readers))
            raise ConfigurationError(
                [f"source {source.name}: family {source.family} reads {known}, but not {source.contract}"]
            ) from None
