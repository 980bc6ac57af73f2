"""The vendor's order as far as the contracts need it; unknown fields stay in the payload. Money is a decimal string."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Raw, Struct

from shared.sources.record import Instant, known_fields


class Amount(Struct, frozen=True):
    """An amount with its currency."""

    amount: Decimal


class MoneySet(Struct, frozen=True):
    """An amount in the shop's currency."""

    shop_money: Amount


class Buyer(Struct, frozen=True):
    """The customer, as the order names them."""

    id: int


class RefundLine(Struct, frozen=True):
    """Pieces of a line that were paid back. The amount is a JSON number, unlike all others."""

    line_item_id: int
    quantity: int
    subtotal: Decimal = Decimal(0)


class Transaction(Struct, frozen=True):
    """Money that moved."""

    kind: str
    status: str
    amount: Decimal = Decimal(0)


class Refund(Struct, frozen=True):
    """What was paid back at once."""

    refund_line_items: list[RefundLine] = []
    transactions: list[Transaction] = []


class OrderHead(Struct, frozen=True):
    """What a line needs to know of its order."""

    id: int
    currency: str
    created_at: Instant
    updated_at: Instant
    line_items: list[Raw]
    cancelled_at: Instant | None = None
    test: bool = False
    refunds: list[Refund] = []


class Order(Struct, frozen=True):
    """An order."""

    id: int
    name: str
    currency: str
    created_at: Instant
    updated_at: Instant
    total_price: Decimal
    customer: Buyer | None = None
    email: str | None = None
    phone: str | None = None
    processed_at: Instant | None = None
    closed_at: Instant | None = None
    cancelled_at: Instant | None = None
    cancel_reason: str | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    test: bool = False
    source_name: str | None = None
    tags: str | None = None
    subtotal_price: Decimal | None = None
    total_discounts: Decimal | None = None
    total_tax: Decimal | None = None
    current_total_price: Decimal | None = None
    total_shipping_price_set: MoneySet | None = None
    refunds: list[Refund] = []


class Discount(Struct, frozen=True):
    """A line's share of a discount."""

    amount: Decimal


class Line(Struct, frozen=True):
    """One line of an order."""

    id: int
    title: str
    quantity: int
    price: Decimal
    product_exists: bool
    product_id: int | None = None
    variant_id: int | None = None
    sku: str | None = None
    variant_title: str | None = None
    vendor: str | None = None
    current_quantity: int | None = None
    total_discount: Decimal = Decimal(0)
    discount_allocations: list[Discount] = []

    @property
    def discount(self) -> Decimal:
        """All that was taken off the line; the total knows nothing of the order's discounts, the shares know all."""
        if not self.discount_allocations:
            return self.total_discount
        return max(sum((share.amount for share in self.discount_allocations), Decimal(0)), self.total_discount)


def paid_back(refunds: Iterable[Refund]) -> Decimal:
    """The money that went back to the customer."""
    moved = (transaction for refund in refunds for transaction in refund.transactions)
    return sum((t.amount for t in moved if t.kind == "refund" and t.status == "success"), Decimal(0))


HEAD_FIELDS = ",".join(OrderHead.__struct_fields__)

ORDER_FIELDS = known_fields(
    Order,
    *("admin_graphql_api_id", "number", "order_number", "presentment_currency", "confirmed", "note", "total_weight"),
    *("total_price_set", "total_line_items_price", "total_outstanding", "total_tip_received"),
    *("current_subtotal_price", "current_total_tax", "current_total_discounts", "user_id", "location_id"),
    *("line_items", "discount_codes", "discount_applications", "shipping_lines", "tax_lines", "fulfillments"),
)

LINE_FIELDS = known_fields(
    Line,
    *("name", "fulfillable_quantity", "fulfillment_status", "fulfillment_service", "price_set", "grams", "taxable"),
    *("gift_card", "requires_shipping", "properties", "tax_lines", "duties"),
)
