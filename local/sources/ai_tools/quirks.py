"""Oddities of the tools that can be switched off, so that a test can look at one thing at a time."""

from __future__ import annotations

from typing import Literal, get_args

Quirk = Literal[
    "late_days",
    "empty_days",
    "restatements",
    "renamed_fields",
    "duplicate_events",
    "odd_spellings",
]
QUIRKS: frozenset[str] = frozenset(get_args(Quirk))
"""`late_days`: some days come later than the tool's lag says. `empty_days`: some have no use at all. `restatements`:
figures of some days change once. `renamed_fields`: a field has another name from a day on. `duplicate_events`: two
calls are alike in everything that is reported. `odd_spellings`: one engineer goes by several names."""
