"""Products by variant, each with what it costs the shop.

A cost is with the variant's inventory item and moves no instant of the product's, and there is no filter by change for
items: so all products are read every time, page by page, each page with the items of its variants; rows in which
nothing changed are skipped. Deletions are told by events alone. They come first: a product that was deleted before they
were read is in none of the pages that follow.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from shared.contracts.ecommerce_products import ECOMMERCE_PRODUCTS
from shared.extract.pages import PageFlow, PageRequest, PageSeen, chunks, with_details
from shared.extract.sender import UnusableBody
from shared.instants import to_text
from shared.ports import HttpResponse
from shared.registry.model import Source
from shared.sources.envelope import object_of
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.record import Instant, Refused, checked_text, decoded, known_fields, plausible
from shared.sources.shop.listing import list_page, list_pages, path_of
from shared.sources.table import Row, Table, amounts_negative

_PRODUCTS, _ITEMS, _EVENTS = "products", "inventory_items", "events"
_FROM_PRODUCTS_ON = "products:"


class _Product(Struct, frozen=True):
    id: int
    title: str
    created_at: Instant
    updated_at: Instant
    variants: list[Raw]
    product_type: str | None = None
    vendor: str | None = None
    status: str | None = None


class _Variant(Struct, frozen=True):
    id: int
    inventory_item_id: int
    price: Decimal
    updated_at: Instant
    title: str | None = None
    sku: str | None = None


class _Item(Struct, frozen=True):
    id: int
    updated_at: Instant
    cost: Decimal | None = None


class _Deletion(Struct, frozen=True):
    subject_id: int
    subject_type: str
    verb: str
    created_at: Instant


class _ItemOf(Struct, frozen=True):
    inventory_item_id: int


class _Variants(Struct, frozen=True):
    variants: list[_ItemOf]


_PRODUCT_FIELDS = known_fields(
    _Product,
    *("admin_graphql_api_id", "body_html", "handle", "published_at", "published_scope", "tags", "options", "images"),
)

_object = msgspec.json.Decoder(dict[str, Raw])
_variants = msgspec.json.Decoder(_Variants)


class Products:
    """`GET events.json` for deletions, then `GET products.json` with `GET inventory_items.json`."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """Deletions of the range, then every product; each page of products makes a scope with its items."""
        if not resume.startswith(_FROM_PRODUCTS_ON):
            since = ("created_at_min", to_text(extraction.start))
            yield from list_pages(source, _EVENTS, (("filter", "Product"), ("verb", "destroy"), since), resume)
        listing = list_pages(source, _PRODUCTS, (), resume.removeprefix(_FROM_PRODUCTS_ON))

        def items(page: PageRequest, seen: PageSeen) -> Iterator[PageRequest]:
            for some in chunks(seen.links, source.page_size):
                query = (("ids", ",".join(some)), ("limit", str(source.page_size)))
                yield PageRequest(path_of(source, _ITEMS), query, page.resume, scope=page.scope)

        yield from with_details(listing, _from_products_on, items)

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of any of the lists; products link to the inventory items of their variants.

        Raises UnusableBody when items that were asked for are on a page further on.
        """
        name = request.path.rpartition("/")[2].removesuffix(".json")
        records, seen = list_page(response, name)
        if name == _PRODUCTS:
            seen = replace(seen, links=tuple(dict.fromkeys(str(item) for r in records for item in _items_of(r))))
        elif name == _ITEMS and seen.next_cursor is not None:
            raise UnusableBody("as many items as fit on a page were asked for, and there is another page")
        return RawPage(records, seen, {"list": name})

    def rows(
        self, _source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Variants as rows. Deleted products, and those that were read whole, are scopes of these rows."""
        table = Table(ECOMMERCE_PRODUCTS, extraction)
        items = dict(_items(table, _records(pages, _ITEMS)))
        whole: list[int] = []
        for record in _records(pages, _EVENTS):
            deletion = _deletion(table, record)
            if deletion is not None:
                whole.append(deletion.subject_id)
                table.seen(deletion.created_at)
        for record in _records(pages, _PRODUCTS):
            product = _Reading(table, items).product(record)
            if product is not None and (extraction.full or product.updated_at >= extraction.start):
                whole.append(product.id)
        return table.rows(tuple(str(product) for product in dict.fromkeys(whole)))


def _from_products_on(request: PageRequest) -> PageRequest:
    at = _FROM_PRODUCTS_ON + request.resume
    return replace(request, scope=(at,), resume=at)


class _Reading:
    """Turns products into rows, given the inventory items of their variants."""

    def __init__(self, table: Table, items: dict[int, tuple[_Item, bytes]]) -> None:
        self._table = table
        self._items = items

    def product(self, record: bytes) -> _Product | None:
        """Add the rows of the product's variants; None unless all of them were taken."""
        try:
            checked_text(record)
            product = decoded(_Product, record)
        except Refused as exc:
            self._table.reject(exc, record)
            return None
        fields = _object.decode(record)
        self._table.unknown |= fields.keys() - _PRODUCT_FIELDS
        about = object_of({name: value for name, value in fields.items() if name != "variants"})

        def rows(variant: bytes, _payload: str) -> Iterable[Row]:
            yield self._row(product, about, variant)

        taken = [self._table.add(bytes(variant), rows) for variant in product.variants]
        return product if all(taken) else None

    def _row(self, product: _Product, about: bytes, record: bytes) -> Row:
        variant = decoded(_Variant, record)
        if variant.inventory_item_id not in self._items:
            raise Refused("no_inventory_item", f"variant {variant.id}: no item {variant.inventory_item_id} was found")
        item, item_record = self._items[variant.inventory_item_id]
        values: dict[str, Any] = {
            "variant_id": variant.id,
            "product_id": product.id,
            "inventory_item_id": variant.inventory_item_id,
            "title": product.title,
            "variant_title": variant.title,
            "product_type": product.product_type,
            "vendor": product.vendor,
            "status": product.status,
            "sku": variant.sku,
            "price": variant.price,
            "cost_price": item.cost,
            "created_at": product.created_at,
            "cost_updated_at": item.updated_at,
            "updated_at": max(product.updated_at, variant.updated_at, item.updated_at),
        }
        payload = object_of({"product": about, "variant": record, "inventory_item": item_record})
        return Row(values, payload.decode(), amounts_negative(values, "price", "cost_price"))


def _records(pages: Sequence[RawPage], name: str) -> Iterator[bytes]:
    return (record for page in pages if page.context["list"] == name for record in page.records)


def _items(table: Table, records: Iterable[bytes]) -> Iterator[tuple[int, tuple[_Item, bytes]]]:
    for record in records:
        try:
            checked_text(record)
            item = decoded(_Item, record)
        except Refused as exc:
            table.reject(exc, record)
        else:
            yield item.id, (item, record)


def _deletion(table: Table, record: bytes) -> _Deletion | None:
    try:
        checked_text(record)
        deletion = decoded(_Deletion, record)
        plausible("created_at", deletion.created_at)
    except Refused as exc:
        table.reject(exc, record)
        return None
    return deletion if (deletion.subject_type, deletion.verb) == ("Product", "destroy") else None


def _items_of(record: bytes) -> list[int]:
    """The inventory items of a product's variants; none for a product that is rejected later."""
    try:
        return [variant.inventory_item_id for variant in _variants.decode(record).variants]
    except (msgspec.DecodeError, RecursionError):
        return []
