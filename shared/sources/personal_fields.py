"""Under which JSON keys the vendors tell what the contracts' personal columns hold.

A row's own columns say which of its payload's values are personal; a record that is rejected has no columns. So the
keys that a family reads them from are listed here, and a test holds the list against the pages that the families read.
A name may ask for the key above it: `user.id` is the `id` of a `user`. `*` stands for the keys of an object themselves.
"""

from collections.abc import Mapping

from shared.contracts.contract import Contract
from shared.errors import ConfigurationError
from shared.registry.model import Source

ANY = "*"
"""Whatever contract of a family: a vendor that calls a person's address alike in all its lists and events."""

PERSONAL_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("incident_io", ANY): ("email",),
    ("incident_io_events", ANY): ("email",),
    ("amp", "ai_tool_daily_metrics"): ("user.email", "user.id"),
    ("chatgpt", "ai_tool_daily_metrics"): ("email", "user_id"),
    ("claude_code", "ai_tool_daily_metrics"): ("email_address", "api_key_name"),
    ("copilot", "ai_tool_daily_metrics"): ("user_login",),
    ("cursor", "ai_tool_daily_metrics"): ("email", "userEmail", "serviceAccountName"),
    ("firebender", "ai_tool_daily_metrics"): ("email",),
    ("g2", "ai_tool_daily_metrics"): (*("user_email", "user_id", "key_alias", "api_key", "api_key_breakdown.*"),),
    ("goose", "ai_tool_daily_metrics"): ("user_name",),
    ("github", "github_users"): ("login", "name", "email"),
    ("github", "github_pull_requests"): ("user.login",),
    ("shop", "ecommerce_customers"): ("email", "first_name", "last_name", "phone", "city"),
    ("shop", "ecommerce_orders"): ("email", "phone"),
    ("shop", "ecommerce_order_items"): ("email", "phone"),  # no such columns, but an order may be rejected whole
}
"""By family and contract."""


def personal_fields(source: Source, contract: Contract) -> tuple[str, ...]:
    """The keys of the personal columns of the source's records; none for a contract without such columns.

    Raises ConfigurationError for a family whose keys are not listed: what is not known cannot be hidden.
    """
    known = PERSONAL_FIELDS.get((source.family, contract.name)) or PERSONAL_FIELDS.get((source.family, ANY))
    if known is None and any(column.pii for column in contract.columns):
        raise ConfigurationError(
            [
                f"source {source.name}: pseudonymise needs to know under which keys family {source.family} tells the "
                f"personal columns of {contract.name}; list them in PERSONAL_FIELDS"
            ]
        )
    return known or ()
