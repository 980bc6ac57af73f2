"""`ECOMMERCE_ORDER_ITEMS`: the lines of the shop's orders, exploded from them."""

from shared.contracts.contract import BOOLEAN, INSTANT, INTEGER, JSON, MONEY, TEXT, Column, Contract

ECOMMERCE_ORDER_ITEMS = Contract(
    name="ecommerce_order_items",
    table="ECOMMERCE_ORDER_ITEMS",
    grain="One row per line of an order, the newest version seen.",
    keys=("line_item_id",),
    version="order_updated_at",
    anchor="order_created_at",
    cluster_by="order_created_at",
    # once a product is deleted, the shop forgets which one the old lines were about
    kept=("product_id", "variant_id"),
    columns=(
        Column("line_item_id", INTEGER, "The line's id.", True),
        Column("order_id", INTEGER, "The order that it belongs to.", True),
        Column("product_id", INTEGER, "What was sold; kept once known, NULL if deleted before it was first read."),
        Column("variant_id", INTEGER, "Which variant was sold; kept like product_id."),
        Column("product_exists", BOOLEAN, "Whether the shop still had the product when the order was last read.", True),
        Column("sku", TEXT, "The stock keeping unit, as ordered."),
        Column("title", TEXT, "The product's title, as ordered."),
        Column("variant_title", TEXT, "The variant's title, as ordered."),
        Column("vendor", TEXT, "Who makes it, as ordered."),
        Column("quantity", INTEGER, "Pieces ordered.", True),
        Column("current_quantity", INTEGER, "Pieces left after edits and refunds."),
        Column("refunded_quantity", INTEGER, "Pieces paid back, also those that were not sent back.", True),
        Column("currency", TEXT, "The currency of the amounts, ISO 4217.", True),
        Column("unit_price", MONEY, "Price of one piece, before discounts.", True),
        Column("total_discount", MONEY, "Discounts of the whole line, those of the order shared out included.", True),
        Column("refunded_subtotal", MONEY, "What was paid back for the line, without tax.", True),
        Column("is_test", BOOLEAN, "The line of a test order: not to be counted.", True),
        Column("order_created_at", INSTANT, "When the order was placed: prices and costs of that instant hold.", True),
        Column("order_cancelled_at", INSTANT, "When the order was cancelled; NULL when it was not."),
        Column("order_updated_at", INSTANT, "When the order last changed.", True),
        Column("payload", JSON, "The line as received, without its order.", True),
    ),
)
