"""What the shop sells: products and variants with the prices, costs and edits they will ever have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from local.sources.kit.history import History
from local.sources.shop.money import cents

FIRST_PRODUCTS = 36
NEW_EVERY_DAYS = 6
_KINDS = (
    ("Mug", "Kitchen", 14, ("White", "Blue", "Grey")),
    ("Teapot", "Kitchen", 39, ("Small", "Large")),
    ("Notebook", "Paper", 9, ("Lined", "Plain", "Squared", "Dotted")),
    ("Poster", "Paper", 22, ("A3", "A2")),
    ("Scarf", "Textiles", 34, ("Red", "Green", "Ochre")),
    ("Blanket", "Textiles", 79, ("Single", "Double")),
    ("Lamp", "Light", 64, ("Brass", "Black")),
    ("Candle", "Light", 18, ("Cedar", "Fig", "Unscented")),
    ("Chair", "Furniture", 149, ("Oak", "Ash")),
    ("Tray", "Kitchen", 27, ("Round", "Square")),
)
_STYLES = ("Harbour", "Meadow", "Studio", "North", "Orchard", "Granite", "Linen", "Tide", "Ember", "Willow")
_VENDORS = ("Fieldwork", "Low Tide", "Brothers & Sons", "Atelier Ü")
_LIFE = timedelta(days=420)
"""How far ahead a product's changes are drawn; later it stays as it is."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be bought. `costs` are what the shop pays for it, None while nobody has entered that."""

    id: int
    inventory_item_id: int
    position: int
    title: str
    sku: str | None
    grams: int
    prices: History[Decimal]
    costs: History[Decimal | None]


@dataclass(frozen=True, slots=True)
class Product:
    """A product; from `deleted_at` on it is gone from the shop. `edits` are changes of its text or tags."""

    id: int
    title: str
    handle: str
    vendor: str
    kind: str
    created_at: datetime
    variants: tuple[Variant, ...]
    edits: tuple[datetime, ...]
    archived_at: datetime | None
    deleted_at: datetime | None

    def exists(self, now: datetime) -> bool:
        """Whether the shop shows the product at `now`."""
        return self.created_at <= now and (self.deleted_at is None or now < self.deleted_at)

    def updated_at(self, now: datetime) -> datetime:
        """When anything of the product itself changed last; what a variant costs the shop is not part of it."""
        changes = [self.created_at, *(at for at in self.edits if at <= now)]
        changes += [variant.prices.changed_at(now) for variant in self.variants]
        if self.archived_at is not None and self.archived_at <= now:
            changes.append(self.archived_at)
        return max(changes)

    def on_sale(self, now: datetime) -> bool:
        """Whether it can be bought at `now`."""
        return self.exists(now) and (self.archived_at is None or now < self.archived_at)


def draw_products(seed: int, start: datetime) -> Iterator[Product]:
    """Every product the shop will ever have, oldest first, without end."""
    number = 0
    while True:
        weeks_later = max(0, number - FIRST_PRODUCTS + 1)
        yield _product(Random(f"{seed}/product/{number}"), start, number, timedelta(days=NEW_EVERY_DAYS) * weeks_later)
        number += 1


def _product(rng: Random, start: datetime, number: int, after: timedelta) -> Product:
    what, kind, price, options = _KINDS[number % len(_KINDS)]
    style = _STYLES[(number // len(_KINDS)) % len(_STYLES)]
    again = number // (len(_KINDS) * len(_STYLES))
    title = f"{style} {what}" + (f" {again + 1}" if again else "")
    created_at = start + after
    if after:
        created_at += timedelta(seconds=rng.randrange(28_800, 64_800))
    archived_at = deleted_at = None
    fate = rng.random()
    if number % 9 == 4 or fate < 0.05:
        deleted_at = created_at + timedelta(days=rng.randint(15, 160), seconds=rng.randrange(86_400))
    elif fate < 0.15:
        archived_at = created_at + timedelta(days=rng.randint(60, 300), seconds=rng.randrange(86_400))
    kept = options[: rng.randint(1, len(options))]
    id_ = 7_500_000_000_000 + number * 32_771
    return Product(
        id=id_,
        title=title,
        handle=title.lower().replace(" ", "-"),
        vendor=rng.choice(_VENDORS),
        kind=kind,
        created_at=created_at,
        variants=tuple(
            _variant(rng, created_at, id_, position, option, price) for position, option in enumerate(kept, start=1)
        ),
        edits=tuple(sorted(created_at + _LIFE * rng.random() for _ in range(rng.choice((0, 0, 1, 2))))),
        archived_at=archived_at,
        deleted_at=deleted_at,
    )


def _variant(rng: Random, created_at: datetime, product_id: int, position: int, title: str, price: int) -> Variant:
    first_price = cents(price * rng.uniform(0.8, 1.3))
    share = rng.uniform(0.35, 0.6)
    costs: History[Decimal | None]
    if rng.random() < 0.06:  # entered only weeks after the variant began to sell
        costs = History.of(created_at, None, *_changes(rng, created_at, first_price, share, (1,)))
    else:
        first_cost = cents(first_price * Decimal(str(round(share, 4))))
        costs = History.of(created_at, first_cost, *_changes(rng, created_at, first_price, share, (0, 1, 1, 2, 3)))
    prices = _changes(rng, created_at, first_price, 1.0, (0, 0, 1, 2))
    return Variant(
        id=41_000_000_000_000 + (product_id % 1_000_000_000) * 8 + position,
        inventory_item_id=43_000_000_000_000 + (product_id % 1_000_000_000) * 8 + position,
        position=position,
        title=title,
        sku=None if rng.random() < 0.04 else f"SKU-{product_id % 1_000_000_000 // 32_771:04d}-{position}",
        grams=rng.randrange(50, 4000, 10),
        prices=History.of(created_at, first_price, *prices),
        costs=costs,
    )


def _changes(
    rng: Random, created_at: datetime, price: Decimal, share: float, counts: tuple[int, ...]
) -> list[tuple[datetime, Decimal]]:
    """A few later amounts around `share` of `price`, drifting up; the instants are distinct by construction."""
    instants = sorted(created_at + timedelta(days=10) + _LIFE * rng.random() for _ in range(rng.choice(counts)))
    return [
        (at.replace(microsecond=0) + timedelta(seconds=n), cents(float(price) * share * rng.uniform(0.95, 1.15)))
        for n, at in enumerate(instants)
    ]
