"""Every other source's table in both warehouses: recorded pages arrive as they were read, and merge by their rules."""

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.contracts import CONTRACTS
from shared.contracts.contract import Kind
from shared.extract.pages import PageRequest
from shared.landing import PartName
from shared.ports import LandedPart
from shared.sources.family import RawPage, Rows
from tests.contract.test_warehouse import Raw, load, memory_raw, parquet, stack_raw
from tests.support.source_pages import as_dicts, changed, fixture, rows_of, source, split

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHOP = "/admin/api/2026-07"
_numbers = itertools.count()


@pytest.fixture(params=["memory", pytest.param("emulated", marks=pytest.mark.emulated)])
def raw(request: pytest.FixtureRequest) -> Raw:
    return memory_raw() if request.param == "memory" else stack_raw(request.getfixturevalue("stack"))


def _read(name: str, *pages: tuple[str, bytes], scope: tuple[str, ...] = ()) -> Rows:
    of = source(name)
    return rows_of(of, *(_page(name, path, body) for path, body in pages), scope=scope)


def _page(name: str, path: str, body: bytes) -> RawPage:
    query = (("start", "1"),) if "listings" in path else ()
    scope = ("2026-03-15T00:00:00Z obj_0001",) if path.endswith("measurements") else ()
    return split(source(name), PageRequest(path, query, scope=scope), body)


def _users() -> Rows:
    return _read(
        "github_users",
        ("/orgs/x/teams", b'[{"slug": "core", "name": "Core"}]'),
        ("/orgs/x/teams/core/members", b'[{"login": "eng001-gh"}]'),
        ("/users/eng001-gh", fixture("github", "user")),
        scope=("x",),
    )


def _products(products: bytes = b"") -> Rows:
    products = products or fixture("shop", "products_page")
    head = json.loads(fixture("shop", "inventory_items_page"))["inventory_items"][0]
    items = [
        {**head, "id": variant["inventory_item_id"]}
        for product in json.loads(products)["products"]
        for variant in product["variants"]
    ]
    body = json.dumps({"inventory_items": items}).encode()
    return _read("ecommerce_products", (f"{SHOP}/products.json", products), (f"{SHOP}/inventory_items.json", body))


RECORDED: Mapping[str, Callable[[], Rows]] = {
    "slo_oebot_objectives": lambda: _read(
        "slo_oebot_objectives", ("/api/v1/objectives", fixture("oebot", "objectives_page"))
    ),
    "slo_oebot_measurements": lambda: _read(
        "slo_oebot_measurements",
        ("/api/v1/objectives/obj_0001/measurements", fixture("oebot", "measurements_page")),
    ),
    "slo_vantage_objectives": lambda: _read("slo_vantage_objectives", ("/v2/slos", fixture("vantage", "slos_page"))),
    "slo_vantage_measurements": lambda: _read(
        "slo_vantage_measurements", ("/v2/slo_windows/query", fixture("vantage", "windows_page"))
    ),
    "ecommerce_orders": lambda: _read("ecommerce_orders", (f"{SHOP}/orders.json", fixture("shop", "orders_page"))),
    "ecommerce_order_items": lambda: _read(
        "ecommerce_order_items", (f"{SHOP}/orders.json", fixture("shop", "orders_page"))
    ),
    "ecommerce_customers": lambda: _read(
        "ecommerce_customers", (f"{SHOP}/customers.json", fixture("shop", "customers_page"))
    ),
    "ecommerce_products": _products,
    "github_pull_requests": lambda: _read(
        "github_pull_requests", ("/repos/x/y/pulls", fixture("github", "pulls_page"))
    ),
    "github_users": _users,
    "market_coinmarketcap_listings": lambda: _read(
        "market_coinmarketcap_listings",
        ("/v1/cryptocurrency/listings/latest", fixture("coinmarketcap", "listings_page")),
    ),
}


def _load(raw: Raw, name: str, rows: Rows, *, hours: float = 0) -> None:
    of, observed_at = source(name), NOON + hours * HOUR
    part_name = PartName(name, f"{observed_at:%Y%m%dT%H%MZ}", next(_numbers), 0)
    data = parquet(
        as_dicts(rows),
        file=part_name.object_name,
        observed_at=observed_at,
        contract=CONTRACTS[of.contract],
        source=name,
        window_id=part_name.window_id,
    )
    stored = raw.landing.create(part_name.object_name, data, owner="test").object
    part = LandedPart(
        stored.name,
        stored.generation,
        of.pipeline,
        name,
        part_name.window_id,
        part_name.revision,
        0,
        rows.count,
        "run-1",
        observed_at,
        rows.scopes or (),
    )
    load(raw, part, contract=CONTRACTS[of.contract], loaded_at=observed_at + HOUR)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_page_arrives_as_it_was_read(raw: Raw, name: str) -> None:
    """Every column of every table, JSON as values; read and loaded again it is the same rows."""
    rows = RECORDED[name]()
    contract = CONTRACTS[source(name).contract]
    assert (rows.rejections, rows.count > 0) == ([], True)
    _load(raw, name, rows)
    _load(raw, name, rows, hours=1)
    landed = {tuple(row[key] for key in contract.keys): row for row in as_dicts(rows)}
    held = {tuple(row[key] for key in contract.keys): row for row in raw.table(contract)}
    assert held.keys() == landed.keys()
    for key, row in landed.items():
        for column in contract.columns:
            value = json.loads(row[column.name]) if column.kind is Kind.JSON else row[column.name]
            assert held[key][column.name] == value, (key, column.name)
        assert held[key]["_anchor_at"] == _instant(row[contract.anchor])
        assert held[key]["_observed_at"] == NOON + HOUR
        assert not held[key]["_is_deleted"]


def _instant(value: Any) -> datetime:
    assert isinstance(value, datetime | date)
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def test_a_line_keeps_what_it_was_about(raw: Raw) -> None:
    """Its product is deleted, its order changes: the newer version takes everything but the ids that it lost."""
    page = fixture("shop", "orders_page")
    line = json.loads(page)["orders"][0]["line_items"][0]
    _load(raw, "ecommerce_order_items", _read("ecommerce_order_items", (f"{SHOP}/orders.json", page)))
    for name, value in (
        ("line_items.0.product_id", None),
        ("line_items.0.variant_id", None),
        ("line_items.0.sku", None),
        ("line_items.0.product_exists", False),
        ("updated_at", "2026-11-20T11:00:00Z"),
    ):
        page = changed(page, f"orders.0.{name}", value)
    _load(raw, "ecommerce_order_items", _read("ecommerce_order_items", (f"{SHOP}/orders.json", page)), hours=1)
    (row,) = [r for r in raw.table(CONTRACTS["ecommerce_order_items"]) if r["line_item_id"] == line["id"]]
    assert (row["product_id"], row["variant_id"]) == (line["product_id"], line["variant_id"])
    assert (row["sku"], row["product_exists"]) == (None, False)
    assert row["order_updated_at"] == datetime(2026, 11, 20, 11, tzinfo=UTC)


def test_variants_go_with_their_product_or_from_it(raw: Raw) -> None:
    """A product is a scope: what a newer reading of it lacks is flagged, others are left alone; it may come back."""
    contract = CONTRACTS["ecommerce_products"]
    page = fixture("shop", "products_page")
    _load(raw, "ecommerce_products", _products())
    everything = {(row["product_id"], row["variant_id"]) for row in raw.table(contract)}

    fewer = json.loads(page)
    first = fewer["products"][0]
    taken = first["variants"].pop()
    fewer["products"] = [{**first, "updated_at": "2026-11-20T12:30:00Z"}]
    _load(raw, "ecommerce_products", _products(json.dumps(fewer).encode()), hours=1)
    assert _live(raw) == everything - {(first["id"], taken["id"])}

    other = json.loads(page)["products"][1]["id"]
    gone = changed(fixture("shop", "deletions_page"), "events.0.subject_id", other)
    _load(raw, "ecommerce_products", _read("ecommerce_products", (f"{SHOP}/events.json", gone)), hours=2)
    assert _live(raw) == {key for key in everything - {(first["id"], taken["id"])} if key[0] != other}

    back = {"products": [{**json.loads(page)["products"][0], "updated_at": "2026-11-20T14:30:00Z"}]}
    _load(raw, "ecommerce_products", _products(json.dumps(back).encode()), hours=3)
    assert _live(raw) == {key for key in everything if key[0] != other}
    assert all(type(row["price"]) is Decimal for row in raw.table(contract))


def _live(raw: Raw) -> set[tuple[int, int]]:
    rows = raw.table(CONTRACTS["ecommerce_products"])
    return {(row["product_id"], row["variant_id"]) for row in rows if not row["_is_deleted"]}
