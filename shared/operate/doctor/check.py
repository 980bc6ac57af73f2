"""A check: what was looked at, what was seen, whether that is right, and what mends it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from shared.errors import PipelineError


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Could not be looked at."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `remedy` is a command or a step; empty where nothing is to be done."""

    name: str
    seen: str
    verdict: Verdict
    remedy: str = ""


def ok(name: str, seen: str) -> Check:
    """As it should be."""
    return Check(name, seen, Verdict.OK)


def wrong(name: str, seen: str, remedy: str) -> Check:
    """Must be mended."""
    return Check(name, seen, Verdict.WRONG, remedy)


def warning(name: str, seen: str, remedy: str) -> Check:
    """Works, but not for ever."""
    return Check(name, seen, Verdict.WARNING, remedy)


def unknown(name: str, seen: str, remedy: str) -> Check:
    """Could not be looked at."""
    return Check(name, seen, Verdict.UNKNOWN, remedy)


Looks = Callable[[], Iterable[Check]]


def examine(looks: Sequence[tuple[str, Looks]]) -> Iterator[Check]:
    """Every look's checks; one that fails is told as unknown, and the others go on."""
    for name, look in looks:
        try:
            yield from look()
        except PipelineError as exc:
            yield unknown(name, str(exc), "mend what this says, then run the doctor again")


def healthy(checks: Iterable[Check]) -> bool:
    """Whether nothing is wrong, and everything could be looked at."""
    return all(check.verdict in (Verdict.OK, Verdict.WARNING) for check in checks)


def as_json(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """As plain data."""
    return [asdict(check) for check in checks]


def as_text(checks: Sequence[Check]) -> str:
    """For a person: what is not right comes with its remedy, the rest in a line each."""
    lines = []
    for check in checks:
        lines.append(f"{check.verdict:<8}  {check.name}: {check.seen}")
        if check.remedy:
            lines.append(f"{'':<8}  → {check.remedy}")
    counts = {verdict: sum(check.verdict is verdict for check in checks) for verdict in Verdict}
    return "\n".join([*lines, "", ", ".join(f"{count} {verdict}" for verdict, count in counts.items())])
