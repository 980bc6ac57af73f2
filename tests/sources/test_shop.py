"""The shop over seven weeks: late refunds and edits, deleted products, costs that change; to the cent and once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.sources.shop.expected import (
    expected_costs,
    expected_customers,
    expected_order_items,
    expected_orders,
    expected_products,
    expected_variants,
)
from local.sources.shop.world import ShopWorld
from tests.sources.reading import SEED, START, Reading, Row, doubles

SOURCES = ("ecommerce_orders", "ecommerce_order_items", "ecommerce_products", "ecommerce_customers")
FIRST = datetime(2026, 3, 20, 7, 31, tzinfo=UTC)
INSTANTS = (
    FIRST,
    *(FIRST + timedelta(hours=n) for n in range(1, 5)),
    # now and then from here on, as after outages; the odd step lets windows begin anywhere in a day
    *(FIRST + timedelta(hours=29 * n) for n in range(1, 31)),
    # a Sunday: everything is read again
    datetime(2026, 4, 26, 3, 33, tzinfo=UTC),
    datetime(2026, 5, 9, 12, 31, tzinfo=UTC),
)
LAST = INSTANTS[-1]


@pytest.fixture(scope="module")
def world() -> ShopWorld:
    return ShopWorld(SEED, START)


@pytest.fixture(scope="module")
def story() -> Iterator[Reading]:
    with doubles(FIRST) as served:
        reading = Reading(served)
        for at in INSTANTS:
            for source in SOURCES:
                reading.read(source, at)
        yield reading


def _by(rows: list[Row], key: str) -> dict[Any, Row]:
    assert len({row[key] for row in rows}) == len(rows)
    return {row[key]: row for row in rows}


def test_nothing_is_rejected_or_flagged(story: Reading) -> None:
    """The double keeps to its contract, so nothing may be lost by ours."""
    assert story.quarantined() == []
    assert all(row["dq_valid"] for source in SOURCES for row in story.rows(source))


def test_orders_are_held_to_the_cent(story: Reading, world: ShopWorld) -> None:
    """All of them, whatever their state, with what was paid back weeks later."""
    held = {
        row["order_id"]: {
            "order_id": row["order_id"],
            "name": row["order_name"],
            "customer_id": row["customer_id"],
            "email": row["email"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
            "closed_at": row["closed_at"],
            "cancelled_at": row["cancelled_at"],
            "financial_status": row["financial_status"],
            "test": row["is_test"],
            "total_discounts": row["total_discounts"],
            "subtotal_price": row["subtotal_price"],
            "total_tax": row["total_tax"],
            "total_price": row["total_price"],
            "refunded": row["refunded_amount"],
        }
        for row in story.rows("ecommerce_orders")
    }
    right = {row["order_id"]: row for row in expected_orders(world, LAST)}
    assert held == right
    assert len(right) > 700
    assert {row["financial_status"] for row in right.values()} >= {"paid", "refunded", "partially_refunded", "voided"}
    assert any(row["refunded"] for row in right.values() if row["created_at"] < FIRST)


def test_lines_are_held_with_what_they_were_about(story: Reading, world: ShopWorld) -> None:
    """Also when the product was deleted since and the order changed after that: what was read once is kept."""
    held = _by(story.rows("ecommerce_order_items"), "line_item_id")
    right = {row["line_item_id"]: row for row in expected_order_items(world, LAST)}
    assert held.keys() == right.keys()
    deleted = {p["product_id"]: p["deleted_at"] for p in expected_products(world, LAST)}
    outlived = forgotten = 0
    for key, expected in right.items():
        row = held[key]
        for ours, theirs in {
            "order_id": "order_id",
            "sku": "sku",
            "quantity": "quantity",
            "refunded_quantity": "refunded_quantity",
            "unit_price": "price",
            "total_discount": "discount",
        }.items():
            assert row[ours] == expected[theirs], (key, ours)  # type: ignore[literal-required]  # one of those above
        gone = deleted[expected["product_id"]]
        if gone is not None and row["product_id"] is None:
            # nobody had read the line before the product went
            assert gone <= max(FIRST, _next_reading(row["order_created_at"]))
            forgotten += 1
        else:
            assert (row["product_id"], row["variant_id"]) == (expected["product_id"], expected["variant_id"])
            outlived += gone is not None and not row["product_exists"]
    assert outlived > 0, "no line was read again after its product had gone"
    assert forgotten > 0


def _next_reading(at: datetime) -> datetime:
    return next(instant for instant in INSTANTS if instant >= at)


def test_variants_are_held_with_the_cost_of_now(story: Reading, world: ShopWorld) -> None:
    """Costs change without moving the product; NULL until somebody enters one."""
    held = {
        row["variant_id"]: {
            "variant_id": row["variant_id"],
            "inventory_item_id": row["inventory_item_id"],
            "product_id": row["product_id"],
            "sku": row["sku"],
            "price": row["price"],
            "cost": row["cost_price"],
        }
        for row in story.rows("ecommerce_products")
    }
    right = {row["variant_id"]: dict(row) for row in expected_variants(world, LAST)}
    assert held == right
    assert all(type(row["price"]) is Decimal for row in held.values())


def test_every_change_of_cost_was_seen_between_readings(story: Reading, world: ShopWorld) -> None:
    """Each as the first row that has it, not before it held: the snapshot downstream dates it by cost_updated_at."""
    landed: dict[int, set[tuple[datetime, Decimal | None]]] = {}
    for row in story.landed_rows("ecommerce_products"):
        landed.setdefault(row["variant_id"], set()).add((row["cost_updated_at"], row["cost_price"]))
    changes = [change for change in expected_costs(world, LAST) if change["valid_from"] > FIRST]
    assert len(changes) > 5
    deleted = {product["product_id"]: product["deleted_at"] for product in expected_products(world, LAST)}
    seen = 0
    for change in changes:
        if (change["valid_from"], change["cost"]) in landed.get(change["variant_id"], set()):
            seen += 1
            continue
        # gone, or changed again, before the next reading
        at, gone = _next_reading(change["valid_from"]), deleted[change["product_id"]]
        others = [other["valid_from"] for other in changes if other["variant_id"] == change["variant_id"]]
        assert any(change["valid_from"] < other <= at for other in others) or (gone is not None and gone <= at)
    assert seen > 5


def test_variants_of_deleted_products_are_gone(story: Reading, world: ShopWorld) -> None:
    """Flagged with the first reading after the deletion, and kept: orders refer to them."""
    gone = {row["product_id"]: row["_observed_at"] for row in story.rows("ecommerce_products", live=False)}
    right = {
        p["product_id"]: p["deleted_at"]
        for p in expected_products(world, LAST)
        if p["deleted_at"] is not None and p["deleted_at"] > FIRST
    }
    # whatever was created and deleted between two readings was never there
    known = {row["product_id"] for row in story.landed_rows("ecommerce_products")}
    assert gone.keys() == right.keys() & known
    assert gone
    for product, observed_at in gone.items():
        deleted_at = right[product]
        assert deleted_at is not None
        assert observed_at == _next_reading(deleted_at)


def test_customers_are_held_as_they_stand(story: Reading, world: ShopWorld) -> None:
    """With what they ordered and paid so far."""
    held = {
        row["customer_id"]: {
            "customer_id": row["customer_id"],
            "email": row["email"],
            "city": row["city"],
            "created_at": row["created_at"],
            "orders_count": row["orders_count"],
            "total_spent": row["total_spent"],
        }
        for row in story.rows("ecommerce_customers")
    }
    assert held == {row["customer_id"]: dict(row) for row in expected_customers(world, LAST)}


def test_a_quiet_hour_lands_what_changed_only(story: Reading) -> None:
    """All products are looked at every hour, but rows in which nothing changed do not land."""
    quiet = story.parts("ecommerce_products")[1:5]
    assert max(part.rows for part in quiet) < 10
    assert story.parts("ecommerce_products")[0].rows > 60


@pytest.mark.parametrize("source", SOURCES)
def test_an_extraction_that_is_cut_anywhere_brings_the_same(source: str) -> None:
    """Small pages and time for a few requests only; the parts joined equal the whole."""
    with doubles(FIRST) as served:
        whole, cut = Reading(served), Reading(served, page_size=10)
        whole.read(source, FIRST)
        cut.http.seconds = 100.0
        cut.read(source, FIRST)
    assert cut.invocations > 3
    assert _told(cut.rows(source)) == _told(whole.rows(source))
    assert len(whole.rows(source)) > 60


def _told(rows: list[Row]) -> list[Row]:
    told = [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]
    return sorted(told, key=lambda row: str(row["payload"]))
