"""`ECOMMERCE_PRODUCTS`: what the shop sells, variant by variant, with what it costs the shop."""

from shared.contracts.contract import INSTANT, INTEGER, JSON, MONEY, TEXT, Column, Contract

ECOMMERCE_PRODUCTS = Contract(
    name="ecommerce_products",
    table="ECOMMERCE_PRODUCTS",
    grain="One row per variant of a product, as it stands now; prices and costs of before are not told.",
    keys=("variant_id",),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    # a product is read with all of its variants, and a deleted one without any: what it lacks is gone
    scope="product_id",
    columns=(
        Column("variant_id", INTEGER, "The variant's id: what is ordered.", True),
        Column("product_id", INTEGER, "The product that it is a variant of.", True),
        Column("inventory_item_id", INTEGER, "The inventory item, which knows the cost.", True),
        Column("title", TEXT, "The product's title.", True),
        Column("variant_title", TEXT, "The variant's title."),
        Column("product_type", TEXT, "The shop's own kind of product."),
        Column("vendor", TEXT, "Who makes it."),
        Column("status", TEXT, "active, archived or draft."),
        Column("sku", TEXT, "The stock keeping unit; NULL where none was given."),
        Column("price", MONEY, "What a customer pays for one piece, in the shop's currency.", True),
        Column("cost_price", MONEY, "What the shop pays for one piece; NULL until somebody enters it."),
        Column("created_at", INSTANT, "When the product was created.", True),
        Column(
            "cost_updated_at", INSTANT, "When the inventory item last changed: a new cost holds from then on.", True
        ),
        Column(
            "updated_at", INSTANT, "When product, variant or inventory item last changed, the latest of them.", True
        ),
        Column("payload", JSON, "Product without its variants, variant and inventory item as received.", True),
    ),
)
