"""Orders with everything that ever happens to them: payment, fulfilment, refunds, cancellation, edits weeks later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from local.sources.shop.catalogue import Product, Variant
from local.sources.shop.customers import Customer
from local.sources.shop.money import ZERO, cents, total

TAX_RATE = Decimal("0.13")
FREE_SHIPPING_FROM = Decimal("60.00")
SHIPPING = Decimal("6.50")
EventKind = Literal["paid", "fulfilled", "closed", "refunded", "cancelled", "tagged", "edited"]
CancelReason = Literal["customer", "fraud", "inventory", "declined", "other"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was bought: the title, price and SKU are those of that moment."""

    id: int
    product: Product
    variant: Variant
    quantity: int
    price: Decimal
    discount: Decimal

    @property
    def net(self) -> Decimal:
        """What the line costs before tax."""
        return self.price * self.quantity - self.discount

    @property
    def tax(self) -> Decimal:
        """The line's tax."""
        return cents(self.net * TAX_RATE)

    def share(self, quantity: int) -> tuple[Decimal, Decimal]:
        """Net amount and tax of some of the line's pieces."""
        return cents(self.net * quantity / self.quantity), cents(self.tax * quantity / self.quantity)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to an order. `lines` are (line, quantity): paid back, by a refund or an edit."""

    at: datetime
    kind: EventKind
    id: int = 0
    lines: tuple[tuple[Line, int], ...] = ()
    restock: bool = False
    reason: CancelReason | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One order with its whole history, events oldest first."""

    id: int
    number: int
    created_at: datetime
    customer: Customer | None
    email: str | None
    lines: tuple[Line, ...]
    discount_code: str | None
    events: tuple[Event, ...]
    test: bool
    source_name: str

    def events_until(self, now: datetime) -> list[Event]:
        """What has happened by `now`."""
        return [event for event in self.events if event.at <= now]

    def updated_at(self, now: datetime) -> datetime:
        """The last change by `now`."""
        return max([self.created_at, *(event.at for event in self.events_until(now))])

    def shipping_paid_back(self, event: Event) -> Decimal:
        """What an event pays back for sending: nothing, unless it leaves nothing of the order."""
        before = [earlier for earlier in self.events if earlier.at <= event.at]
        taken = sum(quantity for earlier in before for _, quantity in earlier.lines)
        return self.shipping if taken == sum(line.quantity for line in self.lines) else ZERO

    def paid_back(self, event: Event) -> Decimal:
        """What an event pays back altogether."""
        return total(sum(line.share(n), ZERO) for line, n in event.lines) + self.shipping_paid_back(event)

    @property
    def subtotal(self) -> Decimal:
        """All lines after discounts, before tax and shipping, as ordered."""
        return total(line.net for line in self.lines)

    @property
    def tax(self) -> Decimal:
        """All lines' tax as ordered."""
        return total(line.tax for line in self.lines)

    @property
    def shipping(self) -> Decimal:
        """What sending it costs the customer."""
        return ZERO if self.subtotal >= FREE_SHIPPING_FROM else SHIPPING

    @property
    def total(self) -> Decimal:
        """What the customer was asked for."""
        return self.subtotal + self.tax + self.shipping


@dataclass(frozen=True, slots=True)
class Basket:
    """Who buys, and when."""

    created_at: datetime
    customer: Customer | None
    email: str | None


def draw_order(seed: int, number: int, basket: Basket, on_sale: Sequence[Product]) -> Order:
    """The `number`-th order (from 0) with its future. `on_sale` must not be empty."""
    rng = Random(f"{seed}/order/{number}")
    id_ = 5_300_000_000_000 + number * 131_101
    code = "WELCOME10" if rng.random() < 0.12 else None
    chosen = rng.sample(on_sale, min(len(on_sale), rng.choice((1, 1, 1, 2, 2, 3, 4))))
    lines = []
    for place, product in enumerate(chosen):
        variant = rng.choice(product.variants)
        price, quantity = variant.prices.at(basket.created_at), rng.choice((1, 1, 1, 1, 2, 3))
        discount = cents(price * quantity / 10) if code else ZERO
        lines.append(Line(id_ * 2 + place, product, variant, quantity, price, discount))
    return Order(
        id=id_,
        number=number + 1001,
        created_at=basket.created_at,
        customer=basket.customer,
        email=basket.email,
        lines=tuple(lines),
        discount_code=code,
        events=tuple(_Future(rng, basket.created_at, tuple(lines), id_).events()),
        test=number % 211 == 7,
        source_name=rng.choices(("web", "pos", "shopify_draft_order"), (90, 7, 3))[0],
    )


class _Future:
    """Draws what happens to one order."""

    def __init__(self, rng: Random, created_at: datetime, lines: tuple[Line, ...], order_id: int) -> None:
        self._rng, self._created_at, self._lines, self._order_id = rng, created_at, lines, order_id
        self._drawn: list[Event] = []

    def events(self) -> list[Event]:
        rng, at = self._rng, self._created_at
        if rng.random() < 0.93:
            paid = self._add("paid", at + timedelta(seconds=rng.randint(1, 40)))
        else:
            paid = self._add("paid", at + timedelta(hours=rng.uniform(2, 40)))
        if rng.random() < 0.035:
            self._cancelled(paid)
        else:
            sent = self._add("fulfilled", paid + timedelta(hours=rng.uniform(5, 90)))
            self._add("closed", sent + timedelta(seconds=2))
            fate = rng.random()
            if fate < 0.09:
                self._refunded(sent + timedelta(days=rng.uniform(2, 35)))
            elif fate < 0.12:
                # staff take a piece out weeks later, for which the shop pays back
                self._add("edited", at + timedelta(days=rng.uniform(14, 60)), lines=((rng.choice(self._lines), 1),))
        if rng.random() < 0.03:
            self._add("tagged", at + timedelta(days=rng.uniform(15, 60)))
        return sorted(self._drawn, key=lambda event: event.at)

    def _add(
        self,
        kind: EventKind,
        at: datetime,
        *,
        lines: tuple[tuple[Line, int], ...] = (),
        restock: bool = False,
        reason: CancelReason | None = None,
    ) -> datetime:
        at = at.replace(microsecond=0)
        event_id = self._order_id // 5 + len(self._drawn)
        self._drawn.append(Event(at, kind, event_id, lines, restock, reason))
        return at

    def _cancelled(self, paid: datetime) -> None:
        """Before or after it was paid; a paid one is paid back with the same stroke."""
        rng = self._rng
        reasons: tuple[CancelReason, ...] = ("customer", "fraud", "inventory", "declined", "other")
        reason = rng.choice(reasons)
        if reason == "declined":
            self._drawn.clear()
            at = self._created_at + timedelta(minutes=rng.uniform(1, 30))
        else:
            at = paid + timedelta(hours=rng.uniform(0.1, 12))
            self._add("refunded", at, lines=tuple((line, line.quantity) for line in self._lines), restock=True)
        self._add("cancelled", at + timedelta(seconds=1), reason=reason)

    def _refunded(self, at: datetime) -> None:
        """Everything, or some pieces now and some later."""
        rng = self._rng
        if rng.random() < 0.4:
            self._add("refunded", at, lines=tuple((line, line.quantity) for line in self._lines), restock=True)
            return
        line = rng.choice(self._lines)
        some = rng.randint(1, line.quantity)
        self._add("refunded", at, lines=((line, some),), restock=rng.random() < 0.7)
        if some < line.quantity and rng.random() < 0.5:
            later = at + timedelta(days=rng.uniform(1, 12))
            self._add("refunded", later, lines=((line, line.quantity - some),), restock=True)
