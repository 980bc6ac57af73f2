"""Products, inventory items and deletions as the API shows them at an instant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, overload
from zoneinfo import ZoneInfo

from local.sources.shop.catalogue import Product, Variant

JsonObject = dict[str, Any]
SHOP_ZONE = ZoneInfo("America/Toronto")


@overload
def shop_time(instant: datetime) -> str: ...
@overload
def shop_time(instant: datetime | None) -> str | None: ...
def shop_time(instant: datetime | None) -> str | None:
    """An instant with the shop's own offset, to the second; None stays None."""
    return None if instant is None else instant.astimezone(SHOP_ZONE).isoformat(timespec="seconds")


def product_object(product: Product, now: datetime) -> JsonObject:
    """A product with its variants; what a variant costs the shop is with its inventory item."""
    archived = product.archived_at is not None and product.archived_at <= now
    edited = sum(at <= now for at in product.edits)
    return {
        "id": product.id,
        "admin_graphql_api_id": f"gid://shopify/Product/{product.id}",
        "title": product.title,
        "body_html": f"<p>{product.title}, edition {edited + 1}.</p>",
        "vendor": product.vendor,
        "product_type": product.kind,
        "handle": product.handle,
        "status": "archived" if archived else "active",
        "created_at": shop_time(product.created_at),
        "updated_at": shop_time(product.updated_at(now)),
        "published_at": shop_time(product.created_at),
        "published_scope": "global",
        "tags": ", ".join([product.kind.lower(), *(["revised"] if edited else [])]),
        "options": [{"name": "Style", "position": 1, "values": [variant.title for variant in product.variants]}],
        "images": [],
        "variants": [_variant_object(product, variant, now) for variant in product.variants],
    }


def _variant_object(product: Product, variant: Variant, now: datetime) -> JsonObject:
    return {
        "id": variant.id,
        "product_id": product.id,
        "title": variant.title,
        "price": str(variant.prices.at(now)),
        "compare_at_price": None,
        "sku": variant.sku,
        "barcode": None,
        "position": variant.position,
        "inventory_quantity": 100,
        "inventory_item_id": variant.inventory_item_id,
        "grams": variant.grams,
        "weight": variant.grams / 1000,
        "weight_unit": "kg",
        "created_at": shop_time(product.created_at),
        "updated_at": shop_time(variant.prices.changed_at(now)),
    }


def inventory_item_object(variant: Variant, created_at: datetime, now: datetime) -> JsonObject:
    """What a variant costs the shop: a decimal string, null where nobody has entered it."""
    cost = variant.costs.at(now)
    return {
        "id": variant.inventory_item_id,
        "sku": variant.sku,
        "cost": None if cost is None else str(cost),
        "tracked": True,
        "requires_shipping": True,
        "country_code_of_origin": None,
        "created_at": shop_time(created_at),
        "updated_at": shop_time(variant.costs.changed_at(now)),
    }


def destroy_event_id(product: Product) -> int:
    """The id of the event that tells of a product's deletion."""
    return product.id + 600_000_000_000_000


def destroy_event_object(product: Product, deleted_at: datetime) -> JsonObject:
    """The only trace of a deleted product."""
    return {
        "id": destroy_event_id(product),
        "subject_id": product.id,
        "subject_type": "Product",
        "verb": "destroy",
        "created_at": shop_time(deleted_at),
        "arguments": [product.title],
        "body": None,
        "message": f"A product was deleted: {product.title}.",
        "author": "Shop staff",
        "description": f"A product was deleted: {product.title}.",
        "path": None,
    }
