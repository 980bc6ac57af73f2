"""The shop as a whole: its products, customers and orders, drawn from a seed day by day and known as of any instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from local.sources.shop.catalogue import Product, draw_products
from local.sources.shop.customers import Customer, draw_customer
from local.sources.shop.orders import Basket, Order, draw_order

_DAY = timedelta(days=1)
_WEEKDAY = (0.9, 0.9, 0.95, 1.0, 1.2, 1.3, 1.1)
_HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 8, 9, 10, 9, 8, 8, 9, 10, 11, 12, 11, 8, 4, 2)
_GUESTS, _RETURNING = 0.12, 0.45


class ShopWorld:
    """Everything the shop ever knew. Days are drawn when first asked for and kept; `start` is a UTC midnight."""

    def __init__(self, seed: int, start: datetime, *, orders_a_day: float = 6.0) -> None:
        if start.astimezone(UTC) != start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0):
            raise ValueError(f"the shop opens at a UTC midnight, not at {start}")
        self.start = start.astimezone(UTC)
        self._seed = seed
        self._orders_a_day = orders_a_day
        self._coming = draw_products(seed, self.start)
        self._next_product = next(self._coming)
        self._products: list[Product] = []
        self._customers: list[Customer] = []
        self._orders: list[Order] = []
        self._inserted: list[Order] = []
        self._orders_of: dict[int, list[Order]] = defaultdict(list)
        self._drawn_until = self.start

    @property
    def version(self) -> int:
        """Moves whenever something happens that nobody planned."""
        return len(self._inserted)

    def products(self, now: datetime) -> list[Product]:
        """Every product created by `now`, deleted ones too, oldest first."""
        self._draw_until(now)
        return [product for product in self._products if product.created_at <= now]

    def customers(self, now: datetime) -> list[Customer]:
        """Every customer who has come by `now`, oldest first."""
        self._draw_until(now)
        return [customer for customer in self._customers if customer.created_at <= now]

    def orders(self, now: datetime) -> list[Order]:
        """Every order placed by `now`, whatever became of it, by id."""
        self._draw_until(now)
        known = [*self._orders, *self._inserted] if self._inserted else self._orders
        return [order for order in known if order.created_at <= now]

    def insert(self, at: datetime) -> Order:
        """A guest's order that nobody planned, placed at `at` and still unpaid; its id is above all others."""
        self._draw_until(at)
        number = 900_000 + len(self._inserted)
        on_sale = [product for product in self._products if product.on_sale(at)]
        basket = Basket(at, None, f"guest-{number}@shop-mail.example")
        order = replace(draw_order(self._seed, number, basket, on_sale), events=())
        self._inserted.append(order)
        return order

    def orders_of(self, customer: Customer, now: datetime) -> Sequence[Order]:
        """A customer's orders by `now`, oldest first."""
        self._draw_until(now)
        return [order for order in self._orders_of[customer.id] if order.created_at <= now]

    def customer_updated_at(self, customer: Customer, now: datetime) -> datetime:
        """When a customer's details, or what they have ordered and spent, changed last."""
        changes = [customer.created_at, customer.emails.changed_at(now), customer.addresses.changed_at(now)]
        for order in self.orders_of(customer, now):
            changes.append(order.created_at)
            changes += [event.at for event in order.events_until(now) if event.kind not in {"tagged", "closed"}]
        return max(changes)

    def _draw_until(self, now: datetime) -> None:
        while self._drawn_until <= now:
            self._draw_day(self._drawn_until)
            self._drawn_until += _DAY

    def _draw_day(self, day: datetime) -> None:
        while self._next_product.created_at < day + _DAY:
            self._products.append(self._next_product)
            self._next_product = next(self._coming)
        rng = Random(f"{self._seed}/day/{day.date().isoformat()}")
        growth = 1 + (day - self.start).days / 365 / 4
        mean = self._orders_a_day * _WEEKDAY[day.weekday()] * growth
        count = max(1, round(rng.gauss(mean, mean**0.5)))
        hours = rng.choices(range(24), _HOUR_WEIGHTS, k=count)
        # two orders never fall on one second, so that an order's id and its age agree
        seconds = sorted({hour * 3600 + rng.randrange(3600) for hour in hours})
        for second in seconds:
            self._draw_order(rng, day + timedelta(seconds=second))

    def _draw_order(self, rng: Random, at: datetime) -> None:
        number = len(self._orders)
        customer: Customer | None = None
        who = rng.random()
        if who < _GUESTS:
            email: str | None = f"guest-{number}@shop-mail.example"
        else:
            if who < _GUESTS + _RETURNING and self._customers:
                customer = rng.choice(self._customers)
            else:
                customer = draw_customer(self._seed, len(self._customers), at - timedelta(seconds=1))
                self._customers.append(customer)
            email = customer.emails.at(at)
        on_sale = [product for product in self._products if product.on_sale(at)]
        order = draw_order(self._seed, number, Basket(at, customer, email), on_sale)
        self._orders.append(order)
        if customer is not None:
            self._orders_of[customer.id].append(order)
