"""What a correct reader of the shop holds in the end, as plain rows, told from the world and not from any page.

Amounts are decimals of two places in the shop's currency, instants UTC.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypedDict

from local.sources.shop.orders import SHIPPING, TAX_RATE, Event, Line, Order
from local.sources.shop.world import ShopWorld

_CENT = Decimal("0.01")


class OrderRow(TypedDict):
    """One order; `refunded` is everything paid back, tax and shipping included."""

    order_id: int
    name: str
    customer_id: int | None
    email: str | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    cancelled_at: datetime | None
    financial_status: str
    test: bool
    total_discounts: Decimal
    subtotal_price: Decimal
    total_tax: Decimal
    total_price: Decimal
    refunded: Decimal


class OrderItemRow(TypedDict):
    """One line of an order; `product_id` is what was sold, `product_deleted` whether the API still knows it.

    `unit_cost` is what the variant cost the shop when it was ordered, None where that is not known.
    """

    order_id: int
    line_item_id: int
    product_id: int
    product_deleted: bool
    variant_id: int
    sku: str | None
    quantity: int
    refunded_quantity: int
    price: Decimal
    discount: Decimal
    unit_cost: Decimal | None


class ProductRow(TypedDict):
    """One product, deleted ones too."""

    product_id: int
    title: str
    product_type: str
    created_at: datetime
    deleted_at: datetime | None


class VariantCostRow(TypedDict):
    """What a variant cost the shop from `valid_from` on."""

    variant_id: int
    inventory_item_id: int
    product_id: int
    valid_from: datetime
    cost: Decimal | None


class VariantRow(TypedDict):
    """One variant of a product that exists: what customers pay, and what the shop does."""

    variant_id: int
    inventory_item_id: int
    product_id: int
    sku: str | None
    price: Decimal
    cost: Decimal | None


class CustomerRow(TypedDict):
    """One customer with what they ordered and paid."""

    customer_id: int
    email: str | None
    city: str
    created_at: datetime
    orders_count: int
    total_spent: Decimal


def expected_orders(world: ShopWorld, now: datetime) -> list[OrderRow]:
    """Every order placed by `now`, cancelled and test orders too, by id."""
    return [_order(order, now) for order in world.orders(now)]


def expected_order_items(world: ShopWorld, now: datetime) -> list[OrderItemRow]:
    """Every line of every order placed by `now`, in the order's own sequence."""
    rows: list[OrderItemRow] = []
    for order in world.orders(now):
        for line in order.lines:
            gone = line.product.deleted_at
            costs = [cost for at, cost in line.variant.costs.changes if at <= order.created_at]
            rows.append(
                {
                    "order_id": order.id,
                    "line_item_id": line.id,
                    "product_id": line.product.id,
                    "product_deleted": gone is not None and gone <= now,
                    "variant_id": line.variant.id,
                    "sku": line.variant.sku,
                    "quantity": line.quantity,
                    "refunded_quantity": sum(n for e in _paybacks(order, now) for of, n in e.lines if of.id == line.id),
                    "price": line.price,
                    "discount": line.discount,
                    "unit_cost": costs[-1],
                }
            )
    return rows


def expected_products(world: ShopWorld, now: datetime) -> list[ProductRow]:
    """Every product created by `now`, oldest first; `deleted_at` only once it has come."""
    return [
        {
            "product_id": product.id,
            "title": product.title,
            "product_type": product.kind,
            "created_at": product.created_at,
            "deleted_at": product.deleted_at if product.deleted_at is not None and product.deleted_at <= now else None,
        }
        for product in world.products(now)
    ]


def expected_variants(world: ShopWorld, now: datetime) -> list[VariantRow]:
    """Every variant of the products that are not deleted by `now`."""
    return [
        {
            "variant_id": variant.id,
            "inventory_item_id": variant.inventory_item_id,
            "product_id": product.id,
            "sku": variant.sku,
            "price": [price for at, price in variant.prices.changes if at <= now][-1],
            "cost": [cost for at, cost in variant.costs.changes if at <= now][-1],
        }
        for product in world.products(now)
        if product.deleted_at is None or now < product.deleted_at
        for variant in product.variants
    ]


def expected_costs(world: ShopWorld, now: datetime) -> list[VariantCostRow]:
    """Every change of cost by `now`, variant by variant, oldest first; none after the product's deletion."""
    return [
        {
            "variant_id": variant.id,
            "inventory_item_id": variant.inventory_item_id,
            "product_id": product.id,
            "valid_from": at,
            "cost": cost,
        }
        for product in world.products(now)
        for variant in product.variants
        for at, cost in variant.costs.changes
        if at <= now and (product.deleted_at is None or at < product.deleted_at)
    ]


def expected_customers(world: ShopWorld, now: datetime) -> list[CustomerRow]:
    """Every customer who has come by `now`, oldest first."""
    orders: dict[int, list[Order]] = defaultdict(list)
    for order in world.orders(now):
        if order.customer is not None:
            orders[order.customer.id].append(order)
    rows: list[CustomerRow] = []
    for customer in world.customers(now):
        theirs = orders[customer.id]
        paid = [order for order in theirs if any(e.kind == "paid" and e.at <= now for e in order.events)]
        rows.append(
            {
                "customer_id": customer.id,
                "email": [email for at, email in customer.emails.changes if at <= now][-1],
                "city": [address.city for at, address in customer.addresses.changes if at <= now][-1],
                "created_at": customer.created_at,
                "orders_count": len(theirs),
                "total_spent": sum((_total(o) - _refunded(o, now) for o in paid), Decimal("0.00")),
            }
        )
    return rows


def _order(order: Order, now: datetime) -> OrderRow:
    at = {event.kind: event.at for event in order.events if event.at <= now}
    return {
        "order_id": order.id,
        "name": f"#{order.number}",
        "customer_id": None if order.customer is None else order.customer.id,
        "email": order.email,
        "created_at": order.created_at,
        "updated_at": max([order.created_at, *at.values()]),
        "closed_at": at.get("closed"),
        "cancelled_at": at.get("cancelled"),
        "financial_status": _financial_status(order, now),
        "test": order.test,
        "total_discounts": sum((line.discount for line in order.lines), Decimal("0.00")),
        "subtotal_price": _goods(order),
        "total_tax": sum((_tax(line) for line in order.lines), Decimal("0.00")),
        "total_price": _total(order),
        "refunded": _refunded(order, now),
    }


def _financial_status(order: Order, now: datetime) -> str:
    kinds = {event.kind for event in order.events if event.at <= now}
    if "paid" not in kinds:
        return "voided" if "cancelled" in kinds else "pending"
    bought = sum(line.quantity for line in order.lines)
    back = sum(quantity for event in _paybacks(order, now) for _, quantity in event.lines)
    return "paid" if back == 0 else "refunded" if back == bought else "partially_refunded"


def _paybacks(order: Order, now: datetime) -> list[Event]:
    return [event for event in order.events if event.kind in {"refunded", "edited"} and event.at <= now]


def _goods(order: Order) -> Decimal:
    return sum((line.price * line.quantity - line.discount for line in order.lines), Decimal("0.00"))


def _tax(line: Line) -> Decimal:
    return _round((line.price * line.quantity - line.discount) * TAX_RATE)


def _shipping(order: Order) -> Decimal:
    return Decimal("0.00") if _goods(order) >= 60 else SHIPPING


def _total(order: Order) -> Decimal:
    return _goods(order) + sum((_tax(line) for line in order.lines), Decimal("0.00")) + _shipping(order)


def _refunded(order: Order, now: datetime) -> Decimal:
    amount, left = Decimal("0.00"), sum(line.quantity for line in order.lines)
    for event in _paybacks(order, now):
        for line, quantity in event.lines:
            left -= quantity
            net = line.price * line.quantity - line.discount
            amount += _round(net * quantity / line.quantity) + _round(_tax(line) * quantity / line.quantity)
    return amount if left else amount + _shipping(order)


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
