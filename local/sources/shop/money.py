"""Amounts of money: decimals of two places."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def cents(amount: Decimal | float | int) -> Decimal:
    """Rounded to whole cents, half up as shops do."""
    return Decimal(str(amount)).quantize(CENT, ROUND_HALF_UP)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, 0.00 for none."""
    return sum(amounts, ZERO)
