"""Choices that need no draw: always the same for the same parts, wherever and whenever they are asked for."""

from __future__ import annotations

import hashlib


def hexadecimal(*parts: object) -> str:
    """64 hexadecimal digits of the parts."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def number(below: int, *parts: object) -> int:
    """A number in [0, below)."""
    return int(hexadecimal(*parts)[:16], 16) % below


def uuid(*parts: object) -> str:
    """The parts in the shape of a UUID."""
    digits = hexadecimal(*parts)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
