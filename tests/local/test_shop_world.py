"""What happens in the invented shop: prices, costs, deletions, refunds and edits, all as of an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from local.sources.kit.history import History
from local.sources.shop.expected import (
    expected_costs,
    expected_customers,
    expected_order_items,
    expected_orders,
    expected_products,
    expected_variants,
)
from local.sources.shop.world import ShopWorld

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=240)
WORLD = ShopWorld(7, START)
ORDERS = WORLD.orders(NOW)


def test_the_same_seed_gives_the_same_shop() -> None:
    """However the clock was moved to get there."""
    hopping = ShopWorld(7, START)
    for days in (3, 100, 40, 240):
        hopping.orders(START + timedelta(days=days))
    assert expected_orders(hopping, NOW) == expected_orders(WORLD, NOW)
    assert expected_customers(hopping, NOW) == expected_customers(WORLD, NOW)
    assert expected_orders(ShopWorld(8, START), NOW) != expected_orders(WORLD, NOW)


def test_an_order_placed_later_is_not_there_yet() -> None:
    """Going back shows what was known then."""
    early = START + timedelta(days=40)
    before, after = expected_orders(WORLD, early), expected_orders(WORLD, NOW)
    assert 0 < len(before) < len(after)
    assert [row["order_id"] for row in before] == [row["order_id"] for row in after][: len(before)]
    assert all(row["updated_at"] <= early for row in before)
    assert WORLD.orders(START - timedelta(seconds=1)) == []


def test_ids_tell_everything_apart() -> None:
    """Orders, lines, events, products, variants, customers."""
    products = WORLD.products(NOW)
    for ids in (
        [order.id for order in ORDERS],
        [line.id for order in ORDERS for line in order.lines],
        [event.id for order in ORDERS for event in order.events],
        [product.id for product in products],
        [variant.id for product in products for variant in product.variants],
        [variant.inventory_item_id for product in products for variant in product.variants],
        [customer.id for customer in WORLD.customers(NOW)],
    ):
        assert len(set(ids)) == len(ids) > 30


def test_everything_that_a_reader_must_live_with_happens() -> None:
    """Guests, test orders, deletions, unpaid and cancelled orders, partial and late refunds, costs not known."""
    rows, items = expected_orders(WORLD, NOW), expected_order_items(WORLD, NOW)
    days = (NOW + timedelta(days=n) for n in range(10))
    statuses = {row["financial_status"] for day in days for row in expected_orders(WORLD, day)}
    assert statuses == {"pending", "paid", "partially_refunded", "refunded", "voided"}
    assert 0.05 < sum(row["customer_id"] is None for row in rows) / len(rows) < 0.2
    assert any(row["test"] for row in rows)
    assert any(row["cancelled_at"] for row in rows)
    assert any(row["total_discounts"] for row in rows)
    assert any(item["product_deleted"] for item in items)
    assert any(item["unit_cost"] is None for item in items)
    assert any(0 < item["refunded_quantity"] < item["quantity"] for item in items)
    assert any(product["deleted_at"] for product in expected_products(WORLD, NOW))
    late = [o for o in ORDERS if any(e.at - o.created_at > timedelta(days=21) for e in o.events_until(NOW))]
    assert len(late) > 20


def test_amounts_add_up() -> None:
    """Goods, tax and shipping are the total; nobody gets back more than was paid; fully refunded leaves nothing."""
    for row in expected_orders(WORLD, NOW):
        shipping = row["total_price"] - row["subtotal_price"] - row["total_tax"]
        assert shipping in {Decimal("0.00"), Decimal("6.50")}
        assert (shipping == 0) == (row["subtotal_price"] >= 60)
        # what is given back in parts is rounded each time
        assert row["refunded"] <= row["total_price"] + Decimal("0.05")
        if row["financial_status"] == "refunded":
            assert abs(row["refunded"] - row["total_price"]) <= Decimal("0.05")
        if row["financial_status"] in {"pending", "paid", "voided"}:
            assert row["refunded"] == 0


def test_no_line_gives_back_more_than_it_had() -> None:
    """Over all refunds and edits of an order."""
    for item in expected_order_items(WORLD, NOW + timedelta(days=100)):
        assert 0 <= item["refunded_quantity"] <= item["quantity"]


def test_what_is_sold_is_on_sale() -> None:
    """At the price of that moment."""
    for order in ORDERS:
        for line in order.lines:
            assert line.product.on_sale(order.created_at)
            assert line.price == line.variant.prices.at(order.created_at)


def test_costs_change_and_the_changes_are_known() -> None:
    """The last change by now is what a variant costs; nothing changes once the product is gone."""
    variants, costs = expected_variants(WORLD, NOW), expected_costs(WORLD, NOW)
    last = {row["variant_id"]: row["cost"] for row in costs}
    assert {row["variant_id"]: row["cost"] for row in variants}.items() <= last.items()
    assert len(costs) > len(last), "some have changed"
    deleted = {row["product_id"]: row["deleted_at"] for row in expected_products(WORLD, NOW) if row["deleted_at"]}
    assert all(row["valid_from"] < (deleted.get(row["product_id"]) or NOW) for row in costs)
    before = expected_variants(WORLD, START + timedelta(days=60))
    now = {row["variant_id"]: row for row in variants}
    assert any(row["cost"] != now[row["variant_id"]]["cost"] for row in before if row["variant_id"] in now)
    assert any(row["price"] != now[row["variant_id"]]["price"] for row in before if row["variant_id"] in now)


def test_customers_change() -> None:
    """They order again, move and take another address."""
    early = {row["customer_id"]: row for row in expected_customers(WORLD, START + timedelta(days=60))}
    late = {row["customer_id"]: row for row in expected_customers(WORLD, NOW)}
    assert early.keys() < late.keys()
    for field in ("email", "city", "orders_count", "total_spent"):
        assert any(early[i][field] != late[i][field] for i in early)
    assert sum(row["orders_count"] for row in late.values()) == sum(order.customer is not None for order in ORDERS)
    for customer in WORLD.customers(START + timedelta(days=60)):
        assert customer.created_at <= WORLD.customer_updated_at(customer, NOW) <= NOW


def test_an_inserted_order_comes_last() -> None:
    """Whenever it says it was placed."""
    world = ShopWorld(7, START)
    order = world.insert(START + timedelta(days=2))
    known = world.orders(START + timedelta(days=3))
    assert known[-1] is order
    assert order.id == max(o.id for o in known)
    assert order not in world.orders(START + timedelta(days=1))


def test_a_history_is_in_order_of_time() -> None:
    """The value holds from its change on, the first one from ever."""
    history = History.of(START, "a", (NOW, "b"))
    assert [history.at(at) for at in (START - timedelta(1), START, NOW - timedelta(1), NOW)] == ["a", "a", "a", "b"]
    assert history.changed_at(NOW + timedelta(1)) == NOW
    for changes in ((), ((NOW, "a"), (START, "b")), ((NOW, "a"), (NOW, "b"))):
        with pytest.raises(ValueError, match="order of time"):
            History(changes)


def test_the_shop_opens_at_midnight() -> None:
    """Days are drawn whole."""
    with pytest.raises(ValueError, match="midnight"):
        ShopWorld(1, START + timedelta(hours=1))
