"""The figures as one table: on standard output, and in docs/benchmarks.md between two markers."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `met` is None where nothing is aimed at."""

    what: str
    value: str
    aim: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """yes, no, or nothing."""
        return "" if self.met is None else "yes" if self.met else "no"


def machine() -> str:
    """The machine in a few words."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def as_markdown(figures: Sequence[Figure]) -> str:
    """The table, its columns padded so that it reads well as text too."""
    rows = [("measured", "value", "aim", "met"), *((f.what, f.value, f.aim, f.verdict) for f in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write_table(page: Path, figures: Sequence[Figure]) -> None:
    """Put the table between the page's markers. Raises ValueError when the page lacks them."""
    text = page.read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no markers {BEGIN} … {END}")
    page.write_text(f"{head}{BEGIN}\n\n{machine()}\n\n{as_markdown(figures)}\n\n{END}{tail}")
