"""Estimating tokens where a tool reports none: a constant times something that it does report.

The constants and their version are the registry's. An estimate never stands in for a reported figure: both have columns
of their own.
"""

from typing import NamedTuple

from shared.registry.ai_tools import Estimator
from shared.sources.ai_tools.usage import Figures


class Estimate(NamedTuple):
    """Tokens by the estimator; `method` is `none` where nothing was estimated."""

    tokens: int | None
    method: str
    version: str


def estimate(figures: Figures, estimator: Estimator, *, tokens_told: bool) -> Estimate:
    """The estimate for a row's figures: nothing where the estimator's base is unknown, or where the tool reports tokens
    of that person and day (`tokens_told`), in this row or in another one.
    """
    if tokens_told or estimator.method == "none":
        return Estimate(None, "none", estimator.version)
    base = {
        "per_request": figures.requests,
        "per_accepted_line": figures.accepted_lines,
        "per_session": figures.sessions,
    }[estimator.method]
    if base is None:
        return Estimate(None, "none", estimator.version)
    return Estimate(base * estimator.tokens, estimator.method, estimator.version)
