"""What every tool's records are turned into: somebody's use of a model on a day, in one set of units.

A figure that a tool does not tell is None, never 0. Tools may have several records a day for one person and model (by
terminal, by event, by page): their figures are added up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Literal

ActorKind = Literal["email", "login", "api_key", "service", "unknown"]

ALL_MODELS = "all"
"""The model of figures that a tool gives for all models together."""


@dataclass(slots=True)
class Figures:
    """What was used. Token classes do not overlap: `input` excludes what was read from or written to a cache."""

    requests: int | None = None
    sessions: int | None = None
    accepted_lines: int | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    """Only where a tool reports a sum but not its classes."""
    cost_usd: Decimal | None = None
    credits: Decimal | None = None
    """Units of a tool's own that are no money."""

    def implausible(self) -> str | None:
        """The first figure, if any, that no tool could mean and no column could hold: not finite, or beyond 10^15."""
        for name in _FIGURES:
            value = getattr(self, name)
            if value is not None and not (Decimal(value).is_finite() and abs(value) <= _MOST):
                return name
        return None

    def add(self, other: "Figures") -> None:
        """Add another record's figures; unknown plus known is known."""
        for name in _FIGURES:
            ours, theirs = getattr(self, name), getattr(other, name)
            if theirs is not None:
                setattr(self, name, theirs if ours is None else ours + theirs)

    @property
    def tokens_reported(self) -> int | None:
        """All tokens: the classes' sum where there are any, else the reported total."""
        classes = [self.input_tokens, self.cache_read_tokens, self.cache_write_tokens, self.output_tokens]
        known = [tokens for tokens in classes if tokens is not None]
        return sum(known) if known else self.total_tokens

    @property
    def is_active(self) -> bool:
        """Whether any figure is above zero."""
        return any(getattr(self, name) for name in _FIGURES)


_MOST = 10**15
# More than a company's tokens of a day by far, and so little that the sum of thousands still fits 64 bits.

_FIGURES = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True, slots=True)
class Usage:
    """One record's part: who, when, with which model, and how much."""

    day: date
    actor: str
    actor_kind: ActorKind
    model: str
    figures: Figures


@dataclass(slots=True)
class DayUsage:
    """A row of the contract in the making: everything of one day, actor and model."""

    actor_kind: ActorKind
    figures: Figures
    records: list[bytes]


UsageKey = tuple[date, str, str]
"""Day, actor and model."""


def summed(uses: Iterable[tuple[Usage, bytes]]) -> dict[UsageKey, DayUsage]:
    """Add up uses by day, actor and model; each with the record that it came from, kept once a row."""
    rows: dict[UsageKey, DayUsage] = {}
    for usage, record in uses:
        key = (usage.day, usage.actor, usage.model)
        row = rows.get(key)
        if row is None:
            row = rows[key] = DayUsage(usage.actor_kind, Figures(), [])
        row.figures.add(usage.figures)
        if not row.records or row.records[-1] is not record:
            row.records.append(record)
    return rows
