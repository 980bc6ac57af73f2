"""Orders as the API shows them at an instant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from local.sources.shop.money import ZERO, cents, total
from local.sources.shop.orders import Event, Line, Order
from local.sources.shop.product_objects import shop_time

JsonObject = dict[str, Any]
CURRENCY = "CAD"
FinancialStatus = Literal["pending", "paid", "partially_refunded", "refunded", "voided"]


@dataclass(frozen=True, slots=True)
class OrderState:
    """What of an order follows from its events by an instant."""

    paid_at: datetime | None
    fulfilled_at: datetime | None
    closed_at: datetime | None
    cancelled: Event | None
    paybacks: tuple[Event, ...]
    tagged: bool

    @property
    def status(self) -> Literal["open", "closed", "cancelled"]:
        """What the `status` parameter filters by."""
        if self.cancelled is not None:
            return "cancelled"
        return "open" if self.closed_at is None else "closed"

    @property
    def taken_back(self) -> Counter[int]:
        """Pieces paid back, by the line's id."""
        pieces: Counter[int] = Counter()
        for event in self.paybacks:
            for line, quantity in event.lines:
                pieces[line.id] += quantity
        return pieces


def state_of(order: Order, now: datetime) -> OrderState:
    """The order's state as of `now`."""
    past = order.events_until(now)
    at = {event.kind: event.at for event in past}
    return OrderState(
        paid_at=at.get("paid"),
        fulfilled_at=at.get("fulfilled"),
        closed_at=at.get("closed"),
        cancelled=next((event for event in past if event.kind == "cancelled"), None),
        paybacks=tuple(event for event in past if event.kind in {"refunded", "edited"}),
        tagged="tagged" in at,
    )


def financial_status(order: Order, state: OrderState) -> FinancialStatus:
    """What the money's state is called."""
    if state.paid_at is None:
        return "voided" if state.cancelled is not None else "pending"
    if not state.paybacks:
        return "paid"
    left = sum(line.quantity for line in order.lines) - sum(state.taken_back.values())
    return "partially_refunded" if left else "refunded"


def order_object(order: Order, now: datetime) -> JsonObject:
    """The order with its lines, fulfilments and refunds."""
    state = state_of(order, now)
    taken = state.taken_back
    kept = [(line, line.quantity - taken[line.id]) for line in order.lines]
    current_subtotal = total(line.share(quantity)[0] for line, quantity in kept)
    current_tax = total(line.share(quantity)[1] for line, quantity in kept)
    # sending it isn't paid back unless nothing is left of the order
    current_shipping = order.shipping if any(quantity for _, quantity in kept) else ZERO
    listed = total(line.price * line.quantity for line in order.lines)
    discounts = total(line.discount for line in order.lines)
    customer = order.customer
    money: dict[str, Decimal] = {
        "total_price": order.total,
        "subtotal_price": order.subtotal,
        "total_tax": order.tax,
        "total_discounts": discounts,
        "total_line_items_price": listed,
        "total_outstanding": order.total if financial_status(order, state) == "pending" else ZERO,
        "total_tip_received": ZERO,
        "current_total_price": current_subtotal + current_tax + current_shipping,
        "current_subtotal_price": current_subtotal,
        "current_total_tax": current_tax,
        "current_total_discounts": total(cents(line.discount * n / line.quantity) for line, n in kept),
    }
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "name": f"#{order.number}",
        "number": order.number - 1000,
        "order_number": order.number,
        "email": order.email,
        "phone": customer.phone if customer is not None and order.email is None else None,
        "created_at": shop_time(order.created_at),
        "updated_at": shop_time(order.updated_at(now)),
        "processed_at": shop_time(order.created_at),
        "closed_at": shop_time(state.closed_at),
        "cancelled_at": shop_time(state.cancelled.at) if state.cancelled is not None else None,
        "cancel_reason": state.cancelled.reason if state.cancelled is not None else None,
        "currency": CURRENCY,
        "presentment_currency": CURRENCY,
        **{name: str(amount) for name, amount in money.items()},
        "total_price_set": _money_set(order.total),
        "total_shipping_price_set": _money_set(order.shipping),
        "financial_status": financial_status(order, state),
        "fulfillment_status": _fulfillment_status(state),
        "confirmed": True,
        "test": order.test,
        "source_name": order.source_name,
        "tags": _tags(order, state),
        "note": None,
        "total_weight": sum(line.variant.grams * line.quantity for line in order.lines),
        "user_id": None,
        "location_id": None,
        "customer": None if customer is None else {"id": customer.id, "email": customer.emails.at(now)},
        "line_items": [_line_object(line, taken[line.id], state, now) for line in order.lines],
        "discount_codes": _discounts(order, discounts),
        "discount_applications": [],
        "shipping_lines": [{"id": order.id + 1, "title": "Standard", "price": str(order.shipping)}],
        "tax_lines": [{"title": "HST", "rate": 0.13, "price": str(order.tax)}],
        "fulfillments": _fulfillments(order, state),
        "refunds": [_refund_object(order, event) for event in state.paybacks],
    }


def _money_set(amount: Decimal) -> JsonObject:
    both = {"amount": str(amount), "currency_code": CURRENCY}
    return {"shop_money": both, "presentment_money": both}


def _tags(order: Order, state: OrderState) -> str:
    given = [("checked", state.tagged), ("first order", order.discount_code is not None)]
    return ", ".join(tag for tag, there in given if there)


def _discounts(order: Order, amount: Decimal) -> list[JsonObject]:
    if order.discount_code is None:
        return []
    return [{"code": order.discount_code, "amount": str(amount), "type": "percentage"}]


def _fulfillment_status(state: OrderState) -> str | None:
    if state.cancelled is not None and state.paybacks:
        return "restocked"
    return None if state.fulfilled_at is None else "fulfilled"


def _fulfillments(order: Order, state: OrderState) -> list[JsonObject]:
    if state.fulfilled_at is None:
        return []
    at = shop_time(state.fulfilled_at)
    return [{"id": order.id + 2, "order_id": order.id, "status": "success", "created_at": at, "updated_at": at}]


def _line_object(line: Line, taken: int, state: OrderState, now: datetime) -> JsonObject:
    # a product that was deleted since leaves the line without its id; the order itself isn't written for that
    exists = line.product.exists(now)
    sent = state.fulfilled_at is not None
    left = line.quantity - taken
    return {
        "id": line.id,
        "product_id": line.product.id if exists else None,
        "variant_id": line.variant.id if exists else None,
        "product_exists": exists,
        "title": line.product.title,
        "variant_title": line.variant.title,
        "name": f"{line.product.title} - {line.variant.title}",
        "sku": line.variant.sku,
        "vendor": line.product.vendor,
        "quantity": line.quantity,
        "current_quantity": left,
        "fulfillable_quantity": 0 if sent or state.cancelled is not None else left,
        "fulfillment_status": "fulfilled" if sent else None,
        "fulfillment_service": "manual",
        "price": str(line.price),
        "price_set": _money_set(line.price),
        "total_discount": str(line.discount),
        "grams": line.variant.grams,
        "taxable": True,
        "gift_card": False,
        "requires_shipping": True,
        "properties": [],
        "tax_lines": [{"title": "HST", "rate": 0.13, "price": str(line.tax)}],
        "discount_allocations": [],
        "duties": [],
    }


def _refund_object(order: Order, event: Event) -> JsonObject:
    shares = [(line, quantity, *line.share(quantity)) for line, quantity in event.lines]
    shipping = order.shipping_paid_back(event)
    return {
        "id": event.id,
        "order_id": order.id,
        "created_at": shop_time(event.at),
        "processed_at": shop_time(event.at),
        "note": "Edited" if event.kind == "edited" else None,
        "restock": event.restock,
        "refund_line_items": [
            {
                "id": event.id * 10 + place,
                "line_item_id": line.id,
                "quantity": quantity,
                "restock_type": _restock_type(event),
                # numbers here, unlike every other amount
                "subtotal": float(net),
                "total_tax": float(tax),
            }
            for place, (line, quantity, net, tax) in enumerate(shares)
        ],
        "transactions": [_payback(event, order.paid_back(event))],
        "order_adjustments": [{"kind": "shipping_refund", "amount": str(-shipping)}] if shipping else [],
    }


def _restock_type(event: Event) -> str:
    if event.kind == "edited":
        return "no_restock"
    return "return" if event.restock else "no_restock"


def _payback(event: Event, amount: Decimal) -> JsonObject:
    return {"id": event.id * 10 + 9, "kind": "refund", "status": "success", "amount": str(amount), "currency": CURRENCY}


def spent(order: Order, now: datetime) -> Decimal:
    """What was paid for an order and not paid back."""
    state = state_of(order, now)
    return order.total - total(order.paid_back(event) for event in state.paybacks) if state.paid_at else ZERO
