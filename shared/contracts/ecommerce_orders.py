"""`ECOMMERCE_ORDERS`: the orders of the shop."""

from shared.contracts.contract import BOOLEAN, INSTANT, INTEGER, JSON, MONEY, TEXT, Column, Contract

ECOMMERCE_ORDERS = Contract(
    name="ecommerce_orders",
    table="ECOMMERCE_ORDERS",
    grain="One row per order, cancelled and test orders too, the newest version seen.",
    keys=("order_id",),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    columns=(
        Column("order_id", INTEGER, "The order's id.", True),
        Column("order_name", TEXT, "What people call the order, as in #1001.", True),
        Column("customer_id", INTEGER, "The customer; NULL for a guest."),
        Column("email", TEXT, "Where the customer or guest is written to.", pii=True),
        Column("phone", TEXT, "The phone number given with the order.", pii=True),
        Column("currency", TEXT, "The currency of every amount of the order, ISO 4217.", True),
        Column(
            "financial_status",
            TEXT,
            "pending, authorized, paid, partially_refunded, refunded, voided …; NULL if unknown.",
        ),
        Column("fulfillment_status", TEXT, "fulfilled, partial or restocked; NULL while nothing was sent."),
        Column("cancel_reason", TEXT, "Why it was cancelled; NULL when it was not."),
        Column("is_test", BOOLEAN, "An order to try the shop: not to be counted.", True),
        Column("source_name", TEXT, "Where it was placed: web, pos …"),
        Column("tags", TEXT, "The shop's own tags, joined by commas."),
        Column("subtotal_price", MONEY, "Goods after discounts, as ordered."),
        Column("total_discounts", MONEY, "All discounts, as ordered."),
        Column("total_shipping", MONEY, "Shipping, as ordered."),
        Column("total_tax", MONEY, "Taxes, as ordered."),
        Column("total_price", MONEY, "What was to be paid, as ordered; refunds do not change it.", True),
        Column("current_total_price", MONEY, "What is left after edits and refunds, to within a cent of rounding."),
        Column("refunded_amount", MONEY, "What was paid back, tax and shipping included; 0 for nothing.", True),
        Column("created_at", INSTANT, "When the order was placed.", True),
        Column(
            "processed_at", INSTANT, "When it was placed by the shop's books; imported orders lie before created_at."
        ),
        Column("updated_at", INSTANT, "When the order last changed: refunds and edits come weeks later.", True),
        Column("closed_at", INSTANT, "When all was done; NULL while it is open."),
        Column("cancelled_at", INSTANT, "When it was cancelled; NULL when it was not."),
        Column("payload", JSON, "The record as received.", True),
    ),
)
