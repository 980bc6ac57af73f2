"""One definition a RAW table: Arrow schema, DDL, COPY, MERGE and the dbt source YAML come from it."""

from shared.contracts.ai_tool_daily_metrics import AI_TOOL_DAILY_METRICS
from shared.contracts.contract import Contract
from shared.contracts.ecommerce_customers import ECOMMERCE_CUSTOMERS
from shared.contracts.ecommerce_order_items import ECOMMERCE_ORDER_ITEMS
from shared.contracts.ecommerce_orders import ECOMMERCE_ORDERS
from shared.contracts.ecommerce_products import ECOMMERCE_PRODUCTS
from shared.contracts.follow_ups import FOLLOW_UPS
from shared.contracts.github_pull_requests import GITHUB_PULL_REQUESTS
from shared.contracts.github_users import GITHUB_USERS
from shared.contracts.incident_events import INCIDENT_EVENTS
from shared.contracts.incident_statuses import INCIDENT_STATUSES
from shared.contracts.incident_updates import INCIDENT_UPDATES
from shared.contracts.incidents import INCIDENTS
from shared.contracts.market_listings import MARKET_LISTINGS
from shared.contracts.severities import SEVERITIES
from shared.contracts.slo_measurements import SLO_MEASUREMENTS
from shared.contracts.slo_objectives import SLO_OBJECTIVES

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        INCIDENTS,
        INCIDENT_EVENTS,
        FOLLOW_UPS,
        INCIDENT_UPDATES,
        INCIDENT_STATUSES,
        SEVERITIES,
        AI_TOOL_DAILY_METRICS,
        SLO_OBJECTIVES,
        SLO_MEASUREMENTS,
        ECOMMERCE_ORDERS,
        ECOMMERCE_ORDER_ITEMS,
        ECOMMERCE_PRODUCTS,
        ECOMMERCE_CUSTOMERS,
        GITHUB_PULL_REQUESTS,
        GITHUB_USERS,
        MARKET_LISTINGS,
    )
}
"""Every contract by its name, as the registry refers to it."""
