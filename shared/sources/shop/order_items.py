"""The lines of the orders, which have no list of their own: the orders' list is read again, for these fields only."""

from collections.abc import Iterable
from decimal import Decimal

from shared.contracts.ecommerce_order_items import ECOMMERCE_ORDER_ITEMS
from shared.sources.record import Refused, checked_text, decoded
from shared.sources.shop.changed import ChangedRecords
from shared.sources.shop.order_record import HEAD_FIELDS, LINE_FIELDS, Line, OrderHead
from shared.sources.shop.orders import ANY_STATUS
from shared.sources.table import Row, Table, amounts_negative

DISCOUNT_ABOVE_PRICE = "discount_above_price"


class OrderItems(ChangedRecords):
    """`line_items` of `GET orders.json`."""

    contract = ECOMMERCE_ORDER_ITEMS
    name = "orders"
    filters = (ANY_STATUS,)
    fields = HEAD_FIELDS

    def add(self, table: Table, record: bytes) -> None:
        """A row a line; a line that breaks the contract is rejected without its order's other lines."""
        try:
            checked_text(record)
            order = decoded(OrderHead, record)
        except Refused as exc:
            table.reject(exc, record)
            return

        def rows(record: bytes, payload: str) -> Iterable[Row]:
            yield _row(order, decoded(Line, record), payload)

        table.add_parts((bytes(raw) for raw in order.line_items), rows, LINE_FIELDS)


def _row(order: OrderHead, line: Line, payload: str) -> Row:
    refunds = [part for refund in order.refunds for part in refund.refund_line_items if part.line_item_id == line.id]
    values = {
        "line_item_id": line.id,
        "order_id": order.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "product_exists": line.product_exists,
        "sku": line.sku,
        "title": line.title,
        "variant_title": line.variant_title,
        "vendor": line.vendor,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "refunded_quantity": sum(part.quantity for part in refunds),
        "currency": order.currency,
        "unit_price": line.price,
        "total_discount": line.discount,
        "refunded_subtotal": sum((part.subtotal for part in refunds), Decimal(0)),
        "is_test": order.test,
        "order_created_at": order.created_at,
        "order_cancelled_at": order.cancelled_at,
        "order_updated_at": order.updated_at,
    }
    flags = amounts_negative(values, "quantity", "unit_price", "total_discount")
    if line.discount > line.price * line.quantity:
        flags.append(DISCOUNT_ABOVE_PRICE)
    return Row(values, payload, flags)
