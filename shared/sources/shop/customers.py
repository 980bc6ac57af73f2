"""Customers."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from shared.contracts.ecommerce_customers import ECOMMERCE_CUSTOMERS
from shared.sources.record import Instant, decoded, known_fields
from shared.sources.shop.changed import ChangedRecords
from shared.sources.table import Row, Table, amounts_negative


class _Address(Struct, frozen=True):
    city: str | None = None
    province: str | None = None
    country_code: str | None = None


class _Consent(Struct, frozen=True):
    state: str


class _Customer(Struct, frozen=True):
    id: int
    created_at: Instant
    updated_at: Instant
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    state: str | None = None
    orders_count: int | None = None
    total_spent: Decimal | None = None
    currency: str | None = None
    tags: str | None = None
    verified_email: bool | None = None
    email_marketing_consent: _Consent | None = None
    default_address: _Address | None = None


_FIELDS = known_fields(
    _Customer, "admin_graphql_api_id", "note", "last_order_id", "last_order_name", "tax_exempt", "addresses"
)


class Customers(ChangedRecords):
    """`GET customers.json`."""

    contract = ECOMMERCE_CUSTOMERS
    name = "customers"

    def add(self, table: Table, record: bytes) -> None:
        """One row."""
        table.add(record, _rows, _FIELDS)


def _rows(record: bytes, payload: str) -> Iterable[Row]:
    customer = decoded(_Customer, record)
    address = customer.default_address or _Address()
    consent = customer.email_marketing_consent
    values = {
        "customer_id": customer.id,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
        "state": customer.state,
        "city": address.city,
        "province": address.province,
        "country_code": address.country_code,
        "orders_count": customer.orders_count,
        "total_spent": customer.total_spent,
        "currency": customer.currency,
        "accepts_marketing": consent.state == "subscribed" if consent else None,
        "is_verified_email": customer.verified_email,
        "tags": customer.tags,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
    }
    yield Row(values, payload, amounts_negative(values, "orders_count", "total_spent"))
