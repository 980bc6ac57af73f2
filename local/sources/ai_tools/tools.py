"""The eight tools: since when they are used, by how many, with which models at what (invented) price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

Tool = Literal["g2", "goose", "claude_code", "cursor", "firebender", "amp", "chatgpt", "copilot"]
TOOLS: tuple[Tool, ...] = get_args(Tool)


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens of each class. Invented round figures, near enough to look at."""

    uncached_input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal


def _price(uncached_input: str, cache_read: str, cache_write: str, output: str) -> Price:
    return Price(Decimal(uncached_input), Decimal(cache_read), Decimal(cache_write), Decimal(output))


PRICES: Mapping[str, Price] = {
    "claude-haiku-4-5": _price("1", "0.1", "1.25", "5"),
    "claude-sonnet-4-5": _price("3", "0.3", "3.75", "15"),
    "claude-opus-4-5": _price("5", "0.5", "6.25", "25"),
    "gpt-5": _price("1.25", "0.125", "0", "10"),
    "gpt-5-codex": _price("1.25", "0.125", "0", "10"),
    "gemini-2.5-pro": _price("1.25", "0.31", "0", "10"),
    "auto": _price("1.25", "0.25", "1.25", "6"),
    "firebender-auto": _price("2", "0.2", "2.5", "10"),
}


@dataclass(frozen=True, slots=True)
class ToolProfile:
    """How a tool is used: `share` of the engineers take it up, each with `mean_calls` on a working day when settled.

    `surfaces` are what the vendor tells calls apart by: a terminal, a client, an editor.
    """

    first_day: date
    share: float
    mean_calls: float
    models: tuple[str, ...]
    model_weights: tuple[int, ...]
    surfaces: tuple[str, ...] = ("",)
    services: tuple[str, ...] = ()
    """Programs that use it with a key of their own, every day."""


PROFILES: Mapping[Tool, ToolProfile] = {
    "g2": ToolProfile(
        date(2025, 1, 1),
        0.55,
        9,
        ("claude-sonnet-4-5", "gpt-5", "gemini-2.5-pro"),
        (6, 3, 2),
        services=("nightly-triage", "support-summaries"),
    ),
    "goose": ToolProfile(date(2025, 3, 1), 0.25, 7, ("claude-sonnet-4-5", "gpt-5"), (5, 2)),
    "claude_code": ToolProfile(
        date(2025, 3, 10),
        0.7,
        12,
        ("claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"),
        (6, 3, 2),
        ("vscode", "iTerm.app", "tmux", "WarpTerminal"),
        ("ci-release-notes",),
    ),
    "cursor": ToolProfile(date(2025, 1, 6), 0.6, 10, ("claude-sonnet-4-5", "gpt-5", "auto"), (4, 3, 3)),
    "firebender": ToolProfile(
        date(2025, 12, 31), 0.4, 8, ("claude-sonnet-4-5", "gpt-5", "claude-haiku-4-5"), (4, 2, 3), ("agent", "inline")
    ),
    "amp": ToolProfile(date(2025, 6, 2), 0.25, 8, ("claude-sonnet-4-5", "claude-opus-4-5", "gpt-5"), (5, 3, 2)),
    "chatgpt": ToolProfile(
        date(2025, 4, 1), 0.5, 6, ("gpt-5-codex", "gpt-5"), (4, 1), ("codex-cli", "codex-ide", "codex-web")
    ),
    "copilot": ToolProfile(date(2025, 10, 10), 0.5, 9, ("gpt-5", "claude-sonnet-4-5"), (4, 2), ("vscode", "cli")),
}

WITHOUT_TOKENS: Mapping[Tool, frozenset[str]] = {
    "chatgpt": frozenset({"codex-web"}),
    "copilot": frozenset({"vscode"}),
}
"""Surfaces whose calls the vendor gives no tokens for."""
