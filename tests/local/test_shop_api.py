"""The shop's contract as docs/sources/shop.md has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from local.sources.shop.expected import (
    expected_customers,
    expected_order_items,
    expected_orders,
    expected_products,
    expected_variants,
)
from local.sources.shop.world import ShopWorld
from tests.local.opened_doubles import FAMILIES, NOW, SEED, START, Opened, RecordedPage, opened, recorded

BASE = "/admin/api/2026-07"
ORDERS = f"{BASE}/orders.json"
WORLD = ShopWorld(SEED, START)
_NEXT = re.compile(r'<([^>]+)>; rel="next"')
_PREVIOUS = re.compile(r'<([^>]+)>; rel="previous"')


@pytest.fixture(scope="module")
def served() -> Iterator[Opened]:
    with opened(FAMILIES["shop"]) as double:
        yield double


@pytest.fixture
def double(served: Opened) -> Opened:
    served.clock.now = NOW
    served.arm()
    return served


@pytest.fixture
def own() -> Iterator[Opened]:
    """A double that the test may change for good."""
    with opened(FAMILIES["shop"]) as double:
        yield double


def link(response: httpx.Response, pattern: re.Pattern[str] = _NEXT) -> str | None:
    match = pattern.search(response.headers.get("link", ""))
    return match[1] if match else None


def read_all(double: Opened, name: str, **parameters: str | int) -> list[dict[str, Any]]:
    response = double.client.get(f"{BASE}/{name}.json", params=parameters)
    rows: list[dict[str, Any]] = []
    for _ in range(200):
        assert response.status_code == 200, response.text
        rows += response.json()[name]
        following = link(response)
        if following is None:
            return rows
        response = double.client.get(following)
    raise AssertionError("no end of pages")


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_missing_or_wrong_token_is_refused(double: Opened, token: str) -> None:
    """401 in the vendor's words."""
    refused = double.client.get(ORDERS, headers={"X-Shopify-Access-Token": token})
    assert refused.status_code == 401
    assert refused.json()["errors"].startswith("[API] Invalid API key")


@pytest.mark.parametrize("limit", [3, 50, 250])
def test_the_pages_of_orders_joined_are_the_whole(double: Opened, limit: int) -> None:
    """With `status=any`; amounts are strings, instants carry the shop's offset."""
    since = NOW - timedelta(days=8) if limit == 3 else START
    rows = read_all(double, "orders", status="any", limit=limit, updated_at_min=since.isoformat())
    expected = [e for e in expected_orders(WORLD, NOW) if e["updated_at"] >= since]
    assert [row["id"] for row in rows] == [e["order_id"] for e in reversed(expected)]
    for row, e in zip(rows, reversed(expected), strict=True):
        assert re.search(r"T\d\d:\d\d:\d\d-0[45]:00$", row["created_at"])
        assert (instant(row["created_at"]), instant(row["updated_at"])) == (e["created_at"], e["updated_at"])
        assert (instant(row["closed_at"]), instant(row["cancelled_at"])) == (e["closed_at"], e["cancelled_at"])
        assert (row["customer"] or {"id": None})["id"] == e["customer_id"]
        assert (row["name"], row["test"], row["financial_status"]) == (e["name"], e["test"], e["financial_status"])
        for name in ("total_price", "subtotal_price", "total_tax", "total_discounts"):
            assert re.fullmatch(r"\d+\.\d\d", row[name])
            assert Decimal(row[name]) == e[name]
        paid_back = [Decimal(t["amount"]) for refund in row["refunds"] for t in refund["transactions"]]
        assert sum(paid_back, Decimal(0)) == e["refunded"]
        assert isinstance(row["tags"], str)


def test_lines_are_those_expected(double: Opened) -> None:
    """Without the product's id once the product is gone; refund lines have numbers for amounts."""
    rows = read_all(double, "orders", status="any", limit=250)
    lines = {line["id"]: (row, line) for row in rows for line in row["line_items"]}
    expected = expected_order_items(WORLD, NOW)
    assert lines.keys() == {e["line_item_id"] for e in expected}
    gone = 0
    for e in expected:
        row, line = lines[e["line_item_id"]]
        assert row["id"] == e["order_id"]
        assert (line["product_id"], line["variant_id"]) == (
            (None, None) if e["product_deleted"] else (e["product_id"], e["variant_id"])
        )
        assert line["product_exists"] is not e["product_deleted"]
        gone += e["product_deleted"]
        assert (line["quantity"], Decimal(line["price"]), line["sku"]) == (e["quantity"], e["price"], e["sku"])
        assert Decimal(line["total_discount"]) == e["discount"]
        assert line["current_quantity"] == e["quantity"] - e["refunded_quantity"]
    assert gone > 0
    refund_lines = [r for row in rows for refund in row["refunds"] for r in refund["refund_line_items"]]
    assert len(refund_lines) > 20
    assert all(isinstance(r["subtotal"], float) and isinstance(r["total_tax"], float) for r in refund_lines)


def test_what_an_order_is_worth_now_follows_the_refunds(double: Opened) -> None:
    """`current_total_price` is the total less what was paid back."""
    for row in read_all(double, "orders", status="any", limit=250):
        paid_back = sum((Decimal(t["amount"]) for r in row["refunds"] for t in r["transactions"]), Decimal(0))
        left = Decimal(row["total_price"]) - paid_back
        assert abs(Decimal(row["current_total_price"]) - left) <= Decimal("0.05")


def test_only_open_orders_unless_asked(double: Opened) -> None:
    """The default hides most of the shop's history."""
    every = read_all(double, "orders", status="any", limit=250)
    opened_only = read_all(double, "orders", limit=250)
    assert opened_only == [row for row in every if row["closed_at"] is None and row["cancelled_at"] is None]
    assert 0 < len(opened_only) < len(every) / 4
    cancelled = read_all(double, "orders", limit=250, status="cancelled")
    assert {row["id"] for row in cancelled} == {row["id"] for row in every if row["cancelled_at"]}
    closed = read_all(double, "orders", limit=250, status="closed")
    assert len(closed) + len(cancelled) + len(opened_only) == len(every)


def test_updated_at_min_is_inclusive_and_finds_old_orders(double: Opened) -> None:
    """What was edited weeks later comes again."""
    since = NOW - timedelta(days=2)
    rows = read_all(double, "orders", status="any", updated_at_min=since.isoformat())
    assert any(NOW - datetime.fromisoformat(row["created_at"]) > timedelta(days=14) for row in rows)
    oldest = min(rows, key=lambda row: datetime.fromisoformat(row["updated_at"]))
    again = read_all(double, "orders", status="any", updated_at_min=oldest["updated_at"])
    assert oldest["id"] in {row["id"] for row in again}
    up_to = read_all(double, "orders", status="any", updated_at_max=oldest["updated_at"])
    assert {row["id"] for row in up_to} & {row["id"] for row in rows} == {oldest["id"]}


def test_a_plus_that_was_not_escaped_is_understood(double: Opened) -> None:
    """It arrives as a space; an instant without offset is the shop's own."""
    text = "2026-03-10T00:00:00"
    escaped = double.client.get(f"{ORDERS}?status=any&updated_at_min={text}%2B02:00").json()
    assert double.client.get(f"{ORDERS}?status=any&updated_at_min={text}+02:00").json() == escaped
    local = double.client.get(f"{ORDERS}?status=any&limit=250&updated_at_min={text}").json()
    assert local == double.client.get(f"{ORDERS}?status=any&limit=250&updated_at_min={text}-04:00").json()


def test_follow_up_pages_take_nothing_but_paging(double: Opened) -> None:
    """400 for any filter beside `page_info`; the filters of the first page hold on."""
    first = double.client.get(ORDERS, params={"status": "closed", "limit": 5})
    following = link(first)
    assert following is not None
    for extra in ("status=any", "updated_at_min=2026-01-01T00:00:00Z", "since_id=1", "order=id"):
        refused = double.client.get(f"{following}&{extra}")
        assert refused.status_code == 400
        assert extra.split("=")[0] in refused.json()["errors"]
    second = double.client.get(f"{following}&fields=id,closed_at")
    assert second.status_code == 200
    assert all(set(row) == {"id", "closed_at"} and row["closed_at"] for row in second.json()["orders"])
    assert double.client.get(ORDERS, params={"page_info": "nonsense"}).json() == {
        "errors": {"page_info": "Invalid value."}
    }


def test_pages_lead_back_as_well(double: Opened) -> None:
    """The previous page of the second is the first."""
    first = double.client.get(ORDERS, params={"status": "any", "limit": 5})
    assert link(first, _PREVIOUS) is None
    second = double.client.get(link(first) or "")
    back = link(second, _PREVIOUS)
    assert back is not None
    assert double.client.get(back).json() == first.json()
    *_, last = read_all(double, "orders", status="any", limit=250)
    assert last["id"] == min(e["order_id"] for e in expected_orders(WORLD, NOW))


def test_since_id_turns_the_order_around(double: Opened) -> None:
    """Ascending, from the row after."""
    ids = [e["order_id"] for e in expected_orders(WORLD, NOW)]
    rows = read_all(double, "orders", status="any", since_id=ids[-11], limit=4)
    assert [row["id"] for row in rows] == ids[-10:]


@pytest.mark.parametrize(
    "query",
    ["status=odd", "limit=x", "updated_at_min=soon", "since_id=-1", "ids=1,two", "financial_status=rich"],
)
def test_a_parameter_that_can_not_be_used_is_refused(double: Opened, query: str) -> None:
    """400 naming it."""
    refused = double.client.get(f"{ORDERS}?{query}")
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ["/admin/api/2026-08/orders.json", "/admin/orders.json", f"{BASE}/baskets.json"])
def test_versions_are_quarterly_and_resources_few(double: Opened, path: str) -> None:
    """404."""
    assert double.client.get(path).json() == {"errors": "Not Found"}


def test_a_limit_is_held_to_250(double: Opened) -> None:
    """Without one, 50 rows."""
    assert len(double.get(ORDERS, status="any", limit=1000)["orders"]) == 250
    assert len(double.get(ORDERS, status="any")["orders"]) == 50


def test_products_are_those_that_exist(double: Opened) -> None:
    """A deleted one is gone without a word, but for the event."""
    rows = read_all(double, "products", limit=7)
    expected = expected_products(WORLD, NOW)
    assert {row["id"] for row in rows} == {e["product_id"] for e in expected if e["deleted_at"] is None}
    events = read_all(double, "events", filter="Product", verb="destroy", created_at_min=START.isoformat())
    assert {(event["subject_id"], instant(event["created_at"])) for event in events} == {
        (e["product_id"], e["deleted_at"]) for e in expected if e["deleted_at"] is not None
    }
    assert events
    newest = max(event["created_at"] for event in events)
    after = datetime.fromisoformat(newest) + timedelta(seconds=1)
    assert read_all(double, "events", filter="Product", verb="destroy", created_at_min=after.isoformat()) == []
    assert read_all(double, "events", filter="Order") == []


def test_costs_are_with_the_inventory_items(double: Opened) -> None:
    """A product tells only prices; items have to be asked for by id."""
    products = read_all(double, "products", limit=250)
    variants = {variant["id"]: variant for product in products for variant in product["variants"]}
    assert not any("cost" in variant for variant in variants.values())
    ids = [str(variant["inventory_item_id"]) for variant in variants.values()]
    items = {item["id"]: item for item in read_all(double, "inventory_items", ids=",".join(ids), limit=100)}
    for e in expected_variants(WORLD, NOW):
        item = items[e["inventory_item_id"]]
        assert item["cost"] == (None if e["cost"] is None else str(e["cost"]))
        assert variants[e["variant_id"]]["price"] == str(e["price"])
    assert len(items) == len(variants)
    refused = double.client.get(f"{BASE}/inventory_items.json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["ids"])


def test_a_changed_cost_moves_the_item_and_not_the_product(own: Opened) -> None:
    """A reader that follows the products' `updated_at` never learns of it."""
    world = ShopWorld(SEED, START)
    at, product, variant = next(
        (at, product, variant)
        for product in world.products(START)
        if product.deleted_at is None
        for variant in product.variants
        for at, _ in variant.costs.changes[1:]
        if at > START + timedelta(days=20) and product.updated_at(at) < at - timedelta(days=1)
    )
    told = []
    for now in (at - timedelta(seconds=1), at):
        own.clock.now = now
        item = own.get(f"{BASE}/inventory_items.json", ids=variant.inventory_item_id)["inventory_items"][0]
        row = own.get(f"{BASE}/products.json", ids=product.id)["products"][0]
        told.append((item["cost"], item["updated_at"], row["updated_at"]))
    (cost_before, stamp_before, product_before), (cost_after, stamp_after, product_after) = told
    assert cost_before != cost_after
    assert datetime.fromisoformat(stamp_before) < datetime.fromisoformat(stamp_after) == at
    assert product_before == product_after


def test_customers_are_those_expected(double: Opened) -> None:
    """With what they have spent and not got back."""
    rows = {row["id"]: row for row in read_all(double, "customers", limit=250)}
    expected = expected_customers(WORLD, NOW)
    assert rows.keys() == {e["customer_id"] for e in expected}
    for e in expected:
        row = rows[e["customer_id"]]
        assert (row["email"], row["orders_count"]) == (e["email"], e["orders_count"])
        assert row["total_spent"] == str(e["total_spent"])
        assert row["default_address"]["city"] == e["city"]
        assert row["email"] is None or row["email"].endswith(".example")


def test_every_change_of_a_customer_moves_its_updated_at(own: Opened) -> None:
    """So that reading by `updated_at_min` misses nobody."""
    own.clock.now = START + timedelta(days=30)
    before = {row["id"]: row for row in read_all(own, "customers", limit=250)}
    own.clock.now = NOW
    for row in read_all(own, "customers", limit=250):
        if row != before.get(row["id"]):
            assert datetime.fromisoformat(row["updated_at"]) > START + timedelta(days=30)


def test_every_change_of_an_order_but_a_deleted_product_moves_its_updated_at(own: Opened) -> None:
    """A deletion is the one change that an order doesn't tell of."""
    then = START + timedelta(days=50)
    own.clock.now = then
    before = {row["id"]: row for row in read_all(own, "orders", status="any", limit=250)}
    own.clock.now = NOW
    by_deletion = 0
    for row in read_all(own, "orders", status="any", limit=250):
        old = before.get(row["id"])
        if row != old and datetime.fromisoformat(row["updated_at"]) <= then:
            assert old is not None
            by_deletion += row["line_items"] != old["line_items"]
            assert without_deletions(row) == without_deletions(old)
    assert by_deletion > 0


def without_deletions(order: dict[str, Any]) -> dict[str, Any]:
    """The order without what the deletion of a product, or another address of the customer, changes in it."""
    hidden = {"product_id", "variant_id", "product_exists"}
    lines = [{name: line[name] for name in line.keys() - hidden} for line in order["line_items"]]
    return {**order, "line_items": lines, "customer": order["customer"] and order["customer"]["id"]}


def test_the_bucket_leaks_two_a_second() -> None:
    """40 at once; the header tells how full it is; `Retry-After` is a decimal."""
    with opened(FAMILIES["shop"], rate_limited=True) as double:
        answers = [double.client.get(ORDERS, params={"limit": 1}) for _ in range(41)]
        assert [a.status_code for a in answers] == [200] * 40 + [429]
        assert answers[0].headers["x-shopify-shop-api-call-limit"] == "1/40"
        assert answers[39].headers["x-shopify-shop-api-call-limit"] == "40/40"
        assert answers[40].headers["retry-after"] == "2.0"
        assert answers[40].json()["errors"].startswith("Exceeded 2 calls per second")
        double.wall[0] += 2.0
        assert [double.client.get(ORDERS).status_code for _ in range(5)] == [200] * 4 + [429]


def test_orders_appear_while_reading(own: Opened) -> None:
    """What comes now isn't seen by a reading that goes on, nor does it shift that one's pages."""
    whole = read_all(own, "orders", status="any", limit=100)
    own.arm({"action": "insert_rows", "rows": 3})
    assert read_all(own, "orders", status="any", limit=100) == whole
    after = read_all(own, "orders", status="any", limit=100)
    assert after[3:] == whole
    assert {row["financial_status"] for row in after[:3]} == {"pending"}


def test_pages_can_be_hostile(double: Opened) -> None:
    """Broken records, a cursor that loops, an empty page that isn't the last."""
    double.arm({"action": "corrupt_record", "record": {"total_price": 12, "line_items": None, "id": {"$absent": True}}})
    row = double.get(ORDERS, status="any")["orders"][0]
    assert (row["total_price"], row["line_items"], "id" in row) == (12, None, False)
    double.arm({"action": "loop_cursor", "skip": 1, "always": True})
    second = double.client.get(link(double.client.get(ORDERS, params={"status": "any"})) or "")
    assert double.client.get(link(second) or "").json() == second.json()
    double.arm()
    whole = read_all(double, "orders", status="any", limit=250)
    double.arm({"action": "empty_page_with_cursor"}, {"action": "empty_page_with_cursor", "skip": 1})
    assert read_all(double, "orders", status="any", limit=250) == whole


@pytest.mark.parametrize("page", recorded("shop"), ids=lambda page: page.name)
def test_a_recorded_page_is_what_the_double_shows(double: Opened, page: RecordedPage) -> None:
    """A page that no longer comes from anywhere would let its readers' tests pass for nothing."""
    assert page.answer(double) == json.loads(page.file.read_text(encoding="utf-8"))
