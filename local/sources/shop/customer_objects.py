"""Customers as the API shows them at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local.sources.shop.customers import Address, Customer
from local.sources.shop.money import total
from local.sources.shop.order_objects import CURRENCY, spent
from local.sources.shop.orders import Order
from local.sources.shop.product_objects import shop_time

JsonObject = dict[str, Any]


def customer_object(customer: Customer, updated_at: datetime, orders: Sequence[Order], now: datetime) -> JsonObject:
    """A customer and, oldest first, the orders of theirs."""
    email = customer.emails.at(now)
    address = _address_object(customer, customer.addresses.at(now))
    last = orders[-1] if orders else None
    return {
        "id": customer.id,
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        "email": email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
        "state": "disabled",
        "note": None,
        "created_at": shop_time(customer.created_at),
        "updated_at": shop_time(updated_at),
        "orders_count": len(orders),
        "total_spent": str(total(spent(order, now) for order in orders)),
        "last_order_id": None if last is None else last.id,
        "last_order_name": None if last is None else f"#{last.number}",
        "currency": CURRENCY,
        "tags": ", ".join(customer.tags),
        "tax_exempt": False,
        "verified_email": email is not None,
        "email_marketing_consent": None
        if email is None
        else {
            "state": "subscribed" if "newsletter" in customer.tags else "not_subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": None,
        },
        "addresses": [address],
        "default_address": address,
    }


def _address_object(customer: Customer, address: Address) -> JsonObject:
    return {
        "id": customer.id + 1,
        "customer_id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "address1": address.street,
        "city": address.city,
        "province": address.province,
        "country_code": address.country,
        "phone": customer.phone,
        "default": True,
    }
