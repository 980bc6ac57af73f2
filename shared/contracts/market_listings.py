"""`MARKET_LISTINGS`: snapshots of a market, one a day and listing."""

from shared.contracts.contract import BOOLEAN, DATE, INSTANT, INTEGER, JSON, NUMBER, TEXT, Column, Contract

MARKET_LISTINGS = Contract(
    name="market_listings",
    table="MARKET_LISTINGS",
    grain="One row per provider, listing and UTC day on which it was fetched: the day's latest snapshot that had it.",
    keys=("provider", "listing_id", "fetched_on"),
    version="fetched_at",
    anchor="fetched_at",
    cluster_by="fetched_on",
    columns=(
        Column("provider", TEXT, "Who lists it, as the registry names them.", True),
        Column("listing_id", INTEGER, "The listing's id; symbols are not unique.", True),
        Column("fetched_on", DATE, "The UTC day of the snapshot.", True),
        Column(
            "fetched_at",
            INSTANT,
            "The instant of the snapshot, by the provider's clock; one for all of its rows.",
            True,
        ),
        Column("symbol", TEXT, "The short name; several listings may share one.", True),
        Column("name", TEXT, "The name.", True),
        Column("slug", TEXT, "The name in addresses."),
        Column("rank", INTEGER, "The place by market capitalisation, 1 for the largest."),
        Column("market_pairs", INTEGER, "Pairs that it is traded in."),
        Column("circulating_supply", NUMBER, "Units in circulation."),
        Column("total_supply", NUMBER, "Units that exist."),
        Column("max_supply", NUMBER, "Units that there can ever be; NULL for unlimited or unknown."),
        Column("is_supply_infinite", BOOLEAN, "Whether there is no limit to the units."),
        Column("currency", TEXT, "The currency of the amounts, ISO 4217.", True),
        Column("price", NUMBER, "Price of one unit: a float, since it may be a tiny part of a cent."),
        Column("volume_24h", NUMBER, "What was traded in the 24 hours before."),
        Column("market_cap", NUMBER, "Price times circulating supply."),
        Column("market_cap_dominance", NUMBER, "Percent of the whole market's capitalisation."),
        Column("fully_diluted_market_cap", NUMBER, "Price times the units that there can be."),
        Column(
            "percent_change_1h", NUMBER, "Change of the price over 1 hour; NULL if it was not listed that long ago."
        ),
        Column("percent_change_24h", NUMBER, "Change over 24 hours; NULL likewise."),
        Column("percent_change_7d", NUMBER, "Change over 7 days; NULL likewise."),
        Column("percent_change_30d", NUMBER, "Change over 30 days; NULL likewise."),
        Column("listed_at", INSTANT, "When the provider began to list it."),
        Column("last_updated_at", INSTANT, "When the provider last computed the figures."),
        Column("tags", JSON, "The provider's tags, an array of text.", True),
        Column("payload", JSON, "The record as received.", True),
    ),
)
