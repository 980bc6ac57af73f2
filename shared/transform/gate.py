"""The freshness gate: a stale source warns and is named, all stale blocks the build."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Freshness:
    """Sources by how fresh dbt found them: `late` passed the warning threshold, `stale` the error threshold."""

    fresh: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether nothing may be built: there are sources, and all are stale."""
        return bool(self.stale) and not (self.fresh or self.late)


def freshness(results: Iterable[Mapping[str, Any]]) -> Freshness:
    """From the results of `dbt source freshness` (its `sources.json`); a source that could not be asked is stale."""
    by_status: dict[str, list[str]] = {"pass": [], "warn": [], "error": []}
    for result in results:
        name = str(result["unique_id"]).rpartition(".")[2]
        by_status.get(str(result["status"]), by_status["error"]).append(name)
    return Freshness(*(tuple(sorted(by_status[status])) for status in ("pass", "warn", "error")))
