"""The shop's customers: invented people at reserved addresses, each with the changes of their details."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from local.sources.kit.history import History

_FIRST = ("Ada", "Björn", "Chloé", "Dilnoza", "Emeka", "Fatima", "Goran", "Hana", "Ines", "Jun", "Kalle", "Łucja")
_LAST = ("Abara", "Berg", "Costa", "Dvořák", "Eriksen", "Fontaine", "García-Núñez", "Haddad", "Ito", "O'Neill")
_PLACES = (("Ottawa", "CA", "Ontario"), ("Portland", "US", "Maine"), ("Albany", "US", "New York"), ("Lyon", "FR", None))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a customer lives."""

    street: str
    city: str
    country: str
    province: str | None


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer. Details change with `addresses` and `emails`; both move the customer's `updated_at`."""

    id: int
    number: int
    first_name: str
    last_name: str
    created_at: datetime
    emails: History[str | None]
    phone: str | None
    addresses: History[Address]
    tags: tuple[str, ...]


def draw_customer(seed: int, number: int, created_at: datetime) -> Customer:
    """The customer who came as the `number`-th, at `created_at`."""
    rng = Random(f"{seed}/customer/{number}")
    email: str | None = f"customer-{number}@shop-mail.example"
    by_phone = rng.random() < 0.03
    emails: History[str | None] = History.of(created_at, None if by_phone else email)
    if rng.random() < 0.05:
        later = created_at + timedelta(days=rng.randint(5, 200), seconds=rng.randrange(86_400))
        emails = History.of(created_at, None if by_phone else email, (later, f"customer-{number}@new-mail.example"))
    addresses = History.of(created_at, _address(rng))
    if rng.random() < 0.10:
        moved = created_at + timedelta(days=rng.randint(10, 250), seconds=rng.randrange(86_400))
        addresses = History.of(created_at, _address(rng), (moved, _address(rng)))
    return Customer(
        id=6_100_000_000_000 + number * 65_537,
        number=number,
        first_name=rng.choice(_FIRST),
        last_name=rng.choice(_LAST),
        created_at=created_at,
        emails=emails,
        # numbers of the range that is kept free for stories
        phone=f"+1613555{100 + number % 100:04d}" if by_phone or rng.random() < 0.3 else None,
        addresses=addresses,
        tags=tuple(tag for tag, share in (("newsletter", 0.3), ("wholesale", 0.05)) if rng.random() < share),
    )


def _address(rng: Random) -> Address:
    city, country, province = rng.choice(_PLACES)
    return Address(f"{rng.randint(1, 199)} Example Street", city, country, province)
