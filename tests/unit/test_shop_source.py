"""The shop's lists: money exact to the cent, lines out of their orders, variants with costs, deletions."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.extract.pages import PageRequest, PageSeen
from shared.extract.sender import UnusableBody
from shared.sources.families import FAMILIES
from shared.sources.family import ExtractionRange, RawPage
from tests.support.source_pages import EVERYTHING, as_dicts, changed, fixture, rows_of, source, split, walk

ORDERS, ITEMS = source("ecommerce_orders"), source("ecommerce_order_items")
PRODUCTS, CUSTOMERS = source("ecommerce_products"), source("ecommerce_customers")
BASE = "/admin/api/2026-07"
HOUR = ExtractionRange(datetime(2026, 3, 15, 10, 30, tzinfo=UTC), datetime(2026, 3, 15, 12, 30, tzinfo=UTC))


def _page(of: Any, name: str, body: bytes, **headers: str) -> RawPage:
    return split(of, PageRequest(f"{BASE}/{name}.json"), body, headers=headers)


def _rows(of: Any, name: str, body: bytes, extraction: ExtractionRange = EVERYTHING) -> Any:
    return rows_of(of, _page(of, name, body), extraction=extraction)


def _link(page_info: str) -> dict[str, str]:
    return {"link": f'<https://shop.example{BASE}/orders.json?limit=250&page_info={page_info}>; rel="next"'}


def test_an_order_is_a_row_to_the_cent() -> None:
    """Amounts as decimals, instants in UTC, what was paid back from its transactions."""
    order = as_dicts(_rows(ORDERS, "orders", fixture("shop", "orders_refunded")))[0]
    assert order["order_name"] == "#1354"
    assert (order["total_price"], order["current_total_price"]) == (Decimal("68.49"), Decimal("36.62"))
    assert order["refunded_amount"] == Decimal("31.87")
    assert order["financial_status"] == "partially_refunded"
    assert order["created_at"] == datetime(2026, 2, 21, 20, 39, 53, tzinfo=UTC)
    assert json.loads(order["payload"])["id"] == order["order_id"] == 5300046278653
    assert order["dq_flags"] == "[]"


def test_a_number_where_a_string_was_keeps_its_digits() -> None:
    """JSON numbers are read as text, never as floats."""
    page = fixture("shop", "orders_page").replace(b'"total_price": "125.71"', b'"total_price": 90071992547409.93')
    assert as_dicts(_rows(ORDERS, "orders", page))[0]["total_price"] == Decimal("90071992547409.93")


def test_a_guest_has_no_customer() -> None:
    """And the rest of the order is there."""
    page = changed(fixture("shop", "orders_page"), "orders.0.customer", None)
    assert as_dicts(_rows(ORDERS, "orders", page))[0]["customer_id"] is None


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("id", "7", "wrong_type"),
        ("id", 2**64, "implausible_figure"),
        ("total_price", "a lot", "wrong_type"),
        ("total_price", "Infinity", "implausible_figure"),
        ("total_price", "1" + "0" * 40, "implausible_figure"),
        ("total_price", ..., "wrong_type"),
        ("currency", None, "wrong_type"),
        ("updated_at", "2026-03-15", "wrong_type"),
        ("created_at", "0001-01-01T00:00:00Z", "implausible_instant"),
        ("refunds", "none", "wrong_type"),
    ],
)
def test_an_order_that_breaks_the_contract_is_rejected_alone(place: str, value: object, reason: str) -> None:
    """Kept whole, with the reason; the others of its page are rows."""
    page = fixture("shop", "orders_page")
    rows = _rows(ORDERS, "orders", changed(page, f"orders.0.{place}", value))
    assert [rejection.reason for rejection in rows.rejections] == [reason]
    assert rows.count == len(json.loads(page)["orders"]) - 1


def test_one_order_that_is_no_json_costs_only_itself() -> None:
    """The page is cut all the same."""
    page = fixture("shop", "orders_page").replace(b'"number": 390', b'"number": NaN')
    rows = _rows(ORDERS, "orders", page)
    assert [rejection.reason for rejection in rows.rejections] == ["not_json"]
    assert rows.count == len(json.loads(fixture("shop", "orders_page"))["orders"]) - 1


def test_a_negative_amount_is_kept_and_flagged() -> None:
    """No shop means it."""
    rows = as_dicts(_rows(ORDERS, "orders", changed(fixture("shop", "orders_page"), "orders.0.total_price", "-1.00")))
    assert rows[0]["dq_flags"] == '["negative_figure"]'
    assert rows[0]["dq_valid"] is False


def test_lines_come_out_of_their_order() -> None:
    """With its currency and instants, and what was paid back for each."""
    rows = as_dicts(_rows(ITEMS, "orders", fixture("shop", "orders_refunded")))
    order = json.loads(fixture("shop", "orders_refunded"))["orders"][0]
    assert [row["line_item_id"] for row in rows] == [line["id"] for line in order["line_items"]]
    refunded = {line["line_item_id"]: line for refund in order["refunds"] for line in refund["refund_line_items"]}
    assert refunded
    for row, line in zip(rows, order["line_items"], strict=True):
        assert row["order_id"] == order["id"]
        assert row["unit_price"] == Decimal(line["price"])
        assert row["currency"] == "CAD"
        assert row["order_updated_at"] == datetime.fromisoformat(order["updated_at"])
        assert row["refunded_quantity"] == refunded.get(line["id"], {"quantity": 0})["quantity"]
        assert row["refunded_subtotal"] == Decimal(str(refunded.get(line["id"], {"subtotal": 0})["subtotal"]))
        assert json.loads(row["payload"]) == line


@pytest.mark.parametrize(
    ("shares", "total", "discount"),
    [([], "2.00", "2.00"), (["2.00", "1.50"], "2.00", "3.50"), (["1.50"], "0.00", "1.50")],
)
def test_a_lines_discount_has_its_share_of_the_orders(shares: list[str], total: str, discount: str) -> None:
    """The line's own total knows nothing of it."""
    page = changed(fixture("shop", "orders_page"), "orders.0.line_items.0.total_discount", total)
    page = changed(page, "orders.0.line_items.0.discount_allocations", [{"amount": share} for share in shares])
    assert as_dicts(_rows(ITEMS, "orders", page))[0]["total_discount"] == Decimal(discount)


def test_a_line_that_breaks_the_contract_costs_only_itself() -> None:
    """Not the other lines of its order."""
    page = changed(fixture("shop", "orders_page"), "orders.0.line_items.0.quantity", "two")
    before, rows = _rows(ITEMS, "orders", fixture("shop", "orders_page")), _rows(ITEMS, "orders", page)
    assert [rejection.reason for rejection in rows.rejections] == ["wrong_type"]
    assert rows.count == before.count - 1
    order = changed(fixture("shop", "orders_page"), "orders.0.updated_at", ...)
    lines = len(json.loads(order)["orders"][0]["line_items"])
    assert _rows(ITEMS, "orders", order).count == before.count - lines


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "-Infinity", "1e999999"])
def test_an_amount_that_is_none_costs_only_its_line(amount: str) -> None:
    """Decimals know more than money does."""
    before = _rows(ITEMS, "orders", fixture("shop", "orders_page")).count
    for place in ("price", "total_discount"):
        page = changed(fixture("shop", "orders_page"), f"orders.0.line_items.0.{place}", amount)
        rows = _rows(ITEMS, "orders", page)
        assert [rejection.reason for rejection in rows.rejections] == ["implausible_figure"]
        assert rows.count == before - 1


def test_a_discount_above_the_price_is_kept_and_flagged() -> None:
    """Net may not be above gross, nor below nothing."""
    page = changed(fixture("shop", "orders_page"), "orders.0.line_items.0.total_discount", "100000")
    assert as_dicts(_rows(ITEMS, "orders", page))[0]["dq_flags"] == '["discount_above_price"]'


def test_a_customer_is_a_row() -> None:
    """The address's parts that reports need; the street stays in the payload."""
    customer = as_dicts(_rows(CUSTOMERS, "customers", fixture("shop", "customers_page")))[0]
    assert customer["customer_id"] == 6100015859954
    assert (customer["total_spent"], customer["orders_count"]) == (Decimal("62.45"), 1)
    assert customer["accepts_marketing"] is False
    assert customer["country_code"] == "FR"
    assert "67 Example Street" in customer["payload"]
    nothing = fixture("shop", "customers_page")
    for name in ("email", "phone", "default_address", "email_marketing_consent"):
        nothing = changed(nothing, f"customers.0.{name}", None)
    bare = as_dicts(_rows(CUSTOMERS, "customers", nothing))[0]
    assert [bare[name] for name in ("email", "phone", "city", "accepts_marketing")] == [None] * 4


def test_what_is_older_than_the_range_is_skipped() -> None:
    """The filter is inclusive and the vendor's; ours is exact."""
    rows = _rows(CUSTOMERS, "customers", fixture("shop", "customers_page"), HOUR)
    assert (rows.count, rows.watermark) == (0, None)
    assert rows.skipped == len(json.loads(fixture("shop", "customers_page"))["customers"])


def test_filters_stand_on_the_first_page_only() -> None:
    """The vendor refuses them beside a page_info; without status=any most orders are missing."""
    requests = walk(
        ORDERS,
        lambda r: (b'{"orders": [{}]}', {} if "page_info" in dict(r.query) else _link("abc%3D")),
        HOUR,
    )
    assert [r.query for r in requests] == [
        (("limit", "250"), ("status", "any"), ("updated_at_min", "2026-03-15T10:30:00Z")),
        (("limit", "250"), ("page_info", "abc=")),
    ]
    assert requests[1].resume == "abc="
    (again,) = walk(ORDERS, lambda _: b'{"orders": [{}]}', HOUR, resume="abc=")
    assert again == requests[1]
    items = walk(ITEMS, lambda r: (b'{"orders": []}', {} if "page_info" in dict(r.query) else _link("x")), EVERYTHING)
    assert all("line_items" in dict(request.query)["fields"] for request in items)
    assert "updated_at_min" not in dict(items[0].query)


def test_a_next_page_without_its_page_info_is_no_page() -> None:
    """The list would seem to end here."""
    with pytest.raises(UnusableBody, match="page_info"):
        _page(ORDERS, "orders", b'{"orders": []}', link='<https://shop.example/orders.json?limit=5>; rel="next"')
    seen = _page(ORDERS, "orders", b'{"orders": []}', link='<https://shop.example/?page_info=a>; rel="previous"').seen
    assert seen.next_cursor is None


def _product_pages(products: bytes, items: bytes) -> tuple[RawPage, RawPage]:
    return _page(PRODUCTS, "products", products), _page(PRODUCTS, "inventory_items", items)


def _items_for(products: bytes) -> bytes:
    head = json.loads(fixture("shop", "inventory_items_page"))["inventory_items"][0]
    variants = [variant for product in json.loads(products)["products"] for variant in product["variants"]]
    items = [{**head, "id": variant["inventory_item_id"], "cost": f"{n}.10"} for n, variant in enumerate(variants)]
    return json.dumps({"inventory_items": items}).encode()


def test_a_variant_is_a_row_with_its_cost() -> None:
    """The latest change of product, variant or item is its version; all three are in the payload."""
    products = fixture("shop", "products_page")
    rows = rows_of(PRODUCTS, *_product_pages(products, _items_for(products)))
    first, second = as_dicts(rows)[:2]
    assert (first["title"], first["variant_title"], first["price"]) == ("Orchard Candle", "Cedar", Decimal("17.46"))
    assert (first["cost_price"], second["cost_price"]) == (Decimal("0.10"), Decimal("1.10"))
    assert first["cost_updated_at"] == datetime(2026, 1, 23, 7, 9, 24, tzinfo=UTC)
    assert first["updated_at"] == datetime(2026, 3, 14, 13, 53, 12, tzinfo=UTC)
    payload = json.loads(first["payload"])
    assert payload["variant"]["id"] == first["variant_id"]
    assert payload["inventory_item"]["id"] == first["inventory_item_id"]
    assert "variants" not in payload["product"]
    assert rows.unknown == set()
    assert set(rows.scopes or ()) == {str(product["id"]) for product in json.loads(products)["products"]}


def test_a_new_cost_alone_makes_a_row_and_claims_nothing() -> None:
    """The product did not change, so its other variants may not be taken for gone."""
    products = fixture("shop", "products_page")
    items = changed(_items_for(products), "inventory_items.1.updated_at", "2026-03-15T11:00:00Z")
    rows = rows_of(PRODUCTS, *_product_pages(products, items), extraction=HOUR)
    assert [row["cost_price"] for row in as_dicts(rows)] == [Decimal("1.10")]
    assert rows.scopes == ()
    assert rows.watermark == datetime(2026, 3, 15, 11, tzinfo=UTC)


def test_a_cost_that_nobody_entered_is_null() -> None:
    """Not zero: a margin by it would be a lie."""
    products = fixture("shop", "products_page")
    rows = rows_of(PRODUCTS, *_product_pages(products, changed(_items_for(products), "inventory_items.0.cost", None)))
    assert as_dicts(rows)[0]["cost_price"] is None


def test_a_variant_whose_item_was_not_told_is_rejected_and_its_product_not_claimed() -> None:
    """A row without the cost would take the place of one that has it."""
    products = fixture("shop", "products_page")
    items = json.loads(_items_for(products))
    items["inventory_items"] = items["inventory_items"][1:]
    rows = rows_of(PRODUCTS, *_product_pages(products, json.dumps(items).encode()))
    assert [rejection.reason for rejection in rows.rejections] == ["no_inventory_item"]
    first = str(json.loads(products)["products"][0]["id"])
    assert first not in (rows.scopes or ())


def test_a_deleted_product_is_a_scope_without_rows() -> None:
    """The loader flags what it had: its variants."""
    rows = _rows(PRODUCTS, "events", fixture("shop", "deletions_page"))
    assert (rows.count, rows.scopes) == (0, ("7500000720962",))
    assert rows.watermark == datetime(2026, 3, 15, 0, 24, 55, tzinfo=UTC)
    for place, value in (
        ("verb", "create"),
        ("subject_type", "Collection"),
        ("created_at", "9999-12-31T23:59:59-05:00"),
    ):
        other = changed(fixture("shop", "deletions_page"), f"events.0.{place}", value)
        assert (_rows(PRODUCTS, "events", other).scopes, _rows(PRODUCTS, "events", other).watermark) == ((), None)


def test_deletions_come_first_and_each_page_of_products_with_its_items() -> None:
    """So that a product that is deleted while it is read is not taken for there."""
    of = source("ecommerce_products", page_size=3)
    product = json.loads(fixture("shop", "products_page"))["products"][0]
    variants = [{**product["variants"][0], "inventory_item_id": n} for n in range(1, 6)]
    products = json.dumps({"products": [{**product, "variants": variants}]}).encode()

    def answer(request: PageRequest) -> bytes | tuple[bytes, dict[str, str]]:
        if "events" in request.path:
            return b'{"events": []}'
        if "inventory" in request.path:
            return b'{"inventory_items": []}'
        return products, {} if "page_info" in dict(request.query) else _link("p2")

    requests = walk(of, answer, HOUR)
    names = [request.path.removeprefix(f"{BASE}/").removesuffix(".json") for request in requests]
    assert names == ["events", "products", "inventory_items", "inventory_items", "products", *["inventory_items"] * 2]
    assert dict(requests[0].query)["created_at_min"] == "2026-03-15T10:30:00Z"
    assert [dict(request.query).get("ids") for request in requests[2:4]] == ["1,2,3", "4,5"]
    assert [request.scope for request in requests] == [
        (),
        *[("products:",)] * 3,
        *[("products:p2",)] * 3,
    ]
    assert walk(of, answer, HOUR, resume="products:p2") == requests[4:]
    assert walk(of, answer, HOUR, resume="products:") == requests[1:]


def test_items_on_a_second_page_are_no_answer() -> None:
    """As many as fit on one were asked for."""
    with pytest.raises(UnusableBody, match="another page"):
        _page(PRODUCTS, "inventory_items", b'{"inventory_items": []}', **_link("x"))


def test_a_shop_without_products_is_read() -> None:
    """Nothing to ask items for."""
    flow = FAMILIES["shop"].pages(PRODUCTS, EVERYTHING, "products:")
    assert "products.json" in getattr(next(flow), "path", "")
    with pytest.raises(StopIteration):
        flow.send(PageSeen(0))
