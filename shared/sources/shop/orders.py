"""Orders: all of them, whatever their state."""

from collections.abc import Iterable

from shared.contracts.ecommerce_orders import ECOMMERCE_ORDERS
from shared.sources.record import decoded
from shared.sources.shop.changed import ChangedRecords
from shared.sources.shop.order_record import ORDER_FIELDS, Order, paid_back
from shared.sources.table import Row, Table, amounts_negative

ANY_STATUS = ("status", "any")
"""Without it most orders, the closed ones, are left out."""


class Orders(ChangedRecords):
    """`GET orders.json`."""

    contract = ECOMMERCE_ORDERS
    name = "orders"
    filters = (ANY_STATUS,)

    def add(self, table: Table, record: bytes) -> None:
        """One row."""
        table.add(record, _rows, ORDER_FIELDS)


def _rows(record: bytes, payload: str) -> Iterable[Row]:
    order = decoded(Order, record)
    shipping = order.total_shipping_price_set
    values = {
        "order_id": order.id,
        "order_name": order.name,
        "customer_id": order.customer.id if order.customer else None,
        "email": order.email,
        "phone": order.phone,
        "currency": order.currency,
        "financial_status": order.financial_status,
        "fulfillment_status": order.fulfillment_status,
        "cancel_reason": order.cancel_reason,
        "is_test": order.test,
        "source_name": order.source_name,
        "tags": order.tags,
        "subtotal_price": order.subtotal_price,
        "total_discounts": order.total_discounts,
        "total_shipping": shipping.shop_money.amount if shipping else None,
        "total_tax": order.total_tax,
        "total_price": order.total_price,
        "current_total_price": order.current_total_price,
        "refunded_amount": paid_back(order.refunds),
        "created_at": order.created_at,
        "processed_at": order.processed_at,
        "updated_at": order.updated_at,
        "closed_at": order.closed_at,
        "cancelled_at": order.cancelled_at,
    }
    amounts = ("subtotal_price", "total_discounts", "total_tax", "total_price", "refunded_amount")
    yield Row(values, payload, amounts_negative(values, *amounts))
