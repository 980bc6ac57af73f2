"""`ECOMMERCE_CUSTOMERS`: who buys in the shop."""

from shared.contracts.contract import BOOLEAN, INSTANT, INTEGER, JSON, MONEY, TEXT, Column, Contract

ECOMMERCE_CUSTOMERS = Contract(
    name="ecommerce_customers",
    table="ECOMMERCE_CUSTOMERS",
    grain="One row per customer, the newest version seen; guests are no customers.",
    keys=("customer_id",),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    columns=(
        Column("customer_id", INTEGER, "The customer's id.", True),
        Column("email", TEXT, "Where the customer is written to.", pii=True),
        Column("first_name", TEXT, "Given name.", pii=True),
        Column("last_name", TEXT, "Family name.", pii=True),
        Column("phone", TEXT, "Phone number.", pii=True),
        Column("state", TEXT, "State of the customer's account: enabled, disabled, invited or declined."),
        Column("city", TEXT, "City of the default address.", pii=True),
        Column("province", TEXT, "Province or state of the default address."),
        Column("country_code", TEXT, "Country of the default address, ISO 3166."),
        Column("orders_count", INTEGER, "Orders so far, as the shop counts them."),
        Column("total_spent", MONEY, "Paid and not paid back so far, as the shop counts it."),
        Column("currency", TEXT, "The currency of total_spent, ISO 4217."),
        Column("accepts_marketing", BOOLEAN, "Whether the customer agreed to be written to; NULL if never asked."),
        Column("is_verified_email", BOOLEAN, "Whether the customer has proved the address."),
        Column("tags", TEXT, "The shop's own tags, joined by commas."),
        Column("created_at", INSTANT, "When the customer first came.", True),
        Column("updated_at", INSTANT, "When the customer's details, or what they ordered, last changed.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
