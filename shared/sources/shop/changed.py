"""Lists that can be asked for what has changed: orders, order lines, customers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from shared.contracts.contract import Contract
from shared.extract.pages import PageFlow, PageRequest, Query
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.shop.listing import changed_in, list_page, list_pages
from shared.sources.table import Table


class ChangedRecords(ABC):
    """A list with `updated_at_min`, whose records become rows one by one."""

    contract: Contract
    name: str
    filters: Query = ()
    fields: str | None = None

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """What changed in the range, newest id first; a record that is new meanwhile moves no other to another page."""
        return list_pages(source, self.name, (*self.filters, *changed_in(extraction)), resume, self.fields)

    def split(self, _source: Source, _request: PageRequest, response: HttpResponse) -> RawPage:
        """See Family."""
        return RawPage(*list_page(response, self.name))

    def rows(
        self, _source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """See Family."""
        table = Table(self.contract, extraction)
        for page in pages:
            for record in page.records:
                self.add(table, record)
        return table.rows()

    @abstractmethod
    def add(self, table: Table, record: bytes) -> None:
        """Turn one record into rows."""
