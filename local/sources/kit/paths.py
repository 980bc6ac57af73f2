"""Paths of a double's endpoints, some with a part that is given by the caller: `/workspaces/{workspace_id}/usage`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

_PARAMETER = re.compile(r"\\{[a-z_]+\\}")


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("[^/]+", re.escape(pattern)))


def fits(pattern: str, path: str) -> bool:
    """Whether a path is the pattern's: a `{part}` stands for one segment, a `*` at the end for everything below."""
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return pattern == path or _expression(pattern).fullmatch(path) is not None


def counted_as(path: str, patterns: Iterable[str]) -> str:
    """The pattern that a path is counted under, so that a count doesn't grow with the ids asked for."""
    return next((pattern for pattern in patterns if fits(pattern, path)), path)
