"""The shop over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from local.sources.kit.family import Surroundings
from local.sources.kit.token_bucket import Buckets, Quota
from local.sources.kit.vendor import Answer, Asked, Endpoint, Refusal, Vendor
from local.sources.shop.customer_objects import customer_object
from local.sources.shop.listing import BadParameter, Listing, Row
from local.sources.shop.order_objects import financial_status, order_object, state_of
from local.sources.shop.paths import CUSTOMERS, EVENTS, INVENTORY_ITEMS, ORDERS, PRODUCTS, SHOP
from local.sources.shop.product_objects import (
    destroy_event_id,
    destroy_event_object,
    inventory_item_object,
    product_object,
)
from local.sources.shop.world import ShopWorld

QUOTA = Quota(capacity=40, per_second=2.0)
_VERSION = re.compile(r"/admin/api/(\d{4}-(01|04|07|10)|unstable)/")
_FINANCIAL = ("any", "authorized", "pending", "paid", "partially_paid", "partially_refunded", "refunded", "voided")
ORDER_LIST = Listing("orders", {"status": ("open", "closed", "cancelled", "any"), "financial_status": _FINANCIAL})
PRODUCT_LIST = Listing("products", {"status": ("any", "active", "archived", "draft")})
CUSTOMER_LIST = Listing("customers", {})
ITEM_LIST = Listing("inventory_items", {}, instants=(), needs_ids=True)
EVENT_LIST = Listing(
    "events",
    {"filter": ("any", "Product", "Order", "Collection"), "verb": ("any", "destroy", "create", "update")},
    instants=("created_at_min", "created_at_max"),
)
_MESSAGES = {
    401: "[API] Invalid API key or access token (unrecognized login or wrong password)",
    404: "Not Found",
    429: "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.",
    500: "Internal Server Error",
}


class Shop(Vendor):
    """The Admin API of one shop; one token opens everything."""

    family = SHOP

    def __init__(self, surroundings: Surroundings, world: ShopWorld) -> None:
        super().__init__(surroundings)
        self._world = world
        self._buckets = Buckets(surroundings.wall_clock)
        self._references = {key: reference for reference, key in surroundings.keys.items()}
        self._kept: dict[str, tuple[object, list[Row]]] = {}

    @property
    def endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """The lists that the platform reads."""
        lists: dict[str, tuple[Listing, Callable[[], Iterator[Row]]]] = {
            ORDERS: (ORDER_LIST, self._orders),
            PRODUCTS: (PRODUCT_LIST, self._products),
            CUSTOMERS: (CUSTOMER_LIST, self._customers),
            INVENTORY_ITEMS: (ITEM_LIST, self._inventory_items),
            EVENTS: (EVENT_LIST, self._deletions),
        }
        return {("GET", path): partial(self._list, listing, rows) for path, (listing, rows) in lists.items()}

    def account_of(self, asked: Asked) -> str:
        """By the header X-Shopify-Access-Token."""
        reference = self._references.get(asked.headers.get("x-shopify-access-token", ""))
        if reference is None:
            raise self.refusal(401, "unknown token")
        return reference

    def refusal(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """`{errors: "…"}`, in the vendor's words where it always uses the same."""
        return Refusal(status, {"errors": _MESSAGES.get(status, message)}, headers)

    def admit(self, asked: Asked) -> Mapping[str, str]:
        """A bucket of 40 that leaks 2 a second; the header tells how full it is."""
        bucket = self._buckets.of(asked.account, QUOTA)
        admitted = bucket.take()
        used = {"X-Shopify-Shop-Api-Call-Limit": f"{bucket.capacity - int(bucket.tokens)}/{bucket.capacity}"}
        if not admitted:
            raise self.refusal(429, "", {**used, "Retry-After": "2.0"})
        return used

    def _list(self, listing: Listing, rows: Callable[[], Iterator[Row]], asked: Asked) -> Answer:
        if not _VERSION.match(asked.path):
            raise self.refusal(404, "no such version")
        try:
            answer = listing.answer(asked, self._standing(listing.name, rows))
        except BadParameter as error:
            raise Refusal(400, {"errors": {error.name: error.message}}) from error
        for rule in asked.faults:
            if rule.action == "insert_rows":
                for _ in range(rule.rows):
                    self._world.insert(rule.created_at or self.surroundings.clock.now)
        return answer

    def _standing(self, name: str, rows: Callable[[], Iterator[Row]]) -> list[Row]:
        """The rows as of the clock, kept while it stands: a list of years is asked for page by page."""
        moment = (self.surroundings.clock.now, self._world.version)
        kept = self._kept.get(name)
        if kept is None or kept[0] != moment:
            kept = self._kept[name] = (moment, list(rows()))
        return kept[1]

    def _orders(self) -> Iterator[Row]:
        now = self.surroundings.clock.now
        for order in self._world.orders(now):
            state = state_of(order, now)
            tags = {"status": state.status, "financial_status": financial_status(order, state)}
            yield Row(order.id, order.created_at, order.updated_at(now), partial(order_object, order, now), tags)

    def _products(self) -> Iterator[Row]:
        now = self.surroundings.clock.now
        for product in self._world.products(now):
            if product.exists(now):
                archived = product.archived_at is not None and product.archived_at <= now
                tags = {"status": "archived" if archived else "active"}
                updated_at = product.updated_at(now)
                yield Row(product.id, product.created_at, updated_at, partial(product_object, product, now), tags)

    def _customers(self) -> Iterator[Row]:
        now, world = self.surroundings.clock.now, self._world
        for customer in world.customers(now):
            orders = world.orders_of(customer, now)
            updated_at = world.customer_updated_at(customer, now)
            render = partial(customer_object, customer, updated_at, orders, now)
            yield Row(customer.id, customer.created_at, updated_at, render, {})

    def _inventory_items(self) -> Iterator[Row]:
        now = self.surroundings.clock.now
        for product in self._world.products(now):
            if product.exists(now):
                for variant in product.variants:
                    render = partial(inventory_item_object, variant, product.created_at, now)
                    changed_at = variant.costs.changed_at(now)
                    yield Row(variant.inventory_item_id, product.created_at, changed_at, render, {})

    def _deletions(self) -> Iterator[Row]:
        now = self.surroundings.clock.now
        for product in self._world.products(now):
            deleted_at = product.deleted_at
            if deleted_at is not None and deleted_at <= now:
                render = partial(destroy_event_object, product, deleted_at)
                tags = {"filter": "Product", "verb": "destroy"}
                yield Row(destroy_event_id(product), deleted_at, deleted_at, render, tags)
