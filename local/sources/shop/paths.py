"""Where the shop answers, and which of its lists the faults can act on."""

from __future__ import annotations

from local.sources.kit.faults import ListPaths

SHOP = "shop"
SECRET = "shop"  # noqa: S105 - the reference of a secret, not its value
_BASE = "/admin/api/{version}"
ORDERS = f"{_BASE}/orders.json"
PRODUCTS = f"{_BASE}/products.json"
CUSTOMERS = f"{_BASE}/customers.json"
INVENTORY_ITEMS = f"{_BASE}/inventory_items.json"
EVENTS = f"{_BASE}/events.json"
_ALL = (ORDERS, PRODUCTS, CUSTOMERS, INVENTORY_ITEMS, EVENTS)
LISTS = ListPaths(records=_ALL, paged=_ALL, growing=(ORDERS,))
