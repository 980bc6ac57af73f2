"""RAW rows of the shop for the dbt tests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts import CONTRACTS
from shared.instants import to_text
from tests.dbt.raw import load

_OPENED = datetime(2025, 1, 1, tzinfo=UTC)


def order(order_id: int, created_at: datetime, *, updated_at: datetime | None = None, **values: Any) -> dict[str, Any]:
    """A paid order of customer 7."""
    return {
        "order_id": order_id,
        "order_name": f"#{order_id}",
        "customer_id": 7,
        "email": "Ada@Example.com",
        "phone": "+44 20 7946 0958",
        "currency": "EUR",
        "financial_status": "paid",
        "is_test": False,
        "total_price": "10.00",
        "refunded_amount": "0",
        "created_at": created_at,
        "updated_at": updated_at or created_at,
        **values,
    }


def line(
    line_item_id: int, created_at: datetime, price: str, *, updated_at: datetime | None = None, **values: Any
) -> dict[str, Any]:
    """Three pieces of variant 1, in the order whose id is the line's first digits."""
    return {
        "line_item_id": line_item_id,
        "order_id": line_item_id // 10,
        "product_id": 100,
        "variant_id": 1,
        "product_exists": True,
        "quantity": 3,
        "refunded_quantity": 0,
        "currency": "EUR",
        "unit_price": price,
        "total_discount": "0",
        "refunded_subtotal": "0",
        "is_test": False,
        "order_created_at": created_at,
        "order_updated_at": updated_at or created_at,
        **values,
    }


def variant(
    variant_id: int, cost: str | None, since: datetime, *, updated_at: datetime | None = None, **values: Any
) -> dict[str, Any]:
    """A variant that costs the shop this much since `since`."""
    return {
        "variant_id": variant_id,
        "product_id": 100,
        "inventory_item_id": variant_id,
        "title": "Mug",
        "status": "active",
        "price": "9.99",
        "cost_price": cost,
        "created_at": _OPENED,
        "cost_updated_at": since,
        "updated_at": updated_at or since,
        **values,
    }


def customer(customer_id: int, email: str) -> dict[str, Any]:
    """A customer called Ada Lovelace of London."""
    return {
        "customer_id": customer_id,
        "email": email,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "phone": "+44 20 7946 0958",
        "city": "London",
        "created_at": _OPENED,
        "updated_at": _OPENED,
    }


def load_shop(cursor: Any, entity: str, rows: Sequence[Mapping[str, Any]], ingested_at: datetime) -> None:
    """Load rows of `orders`, `order_items`, `products` or `customers` as one load at that instant."""
    landed = [
        {
            "payload": {"email": "Ada@Example.com"},
            "dq_valid": True,
            "dq_flags": [],
            "_is_deleted": False,
            "_source": f"ecommerce_{entity}",
            "_window_id": f"{ingested_at:%Y%m%dT%H%MZ}",
            "_source_file": "landing/part-00000.parquet",
            "_run_id": f"run {to_text(ingested_at)}",
            "_observed_at": ingested_at - timedelta(minutes=5),
            **row,
        }
        for row in rows
    ]
    load(cursor, landed, ingested_at=ingested_at, contract=CONTRACTS[f"ecommerce_{entity}"])
