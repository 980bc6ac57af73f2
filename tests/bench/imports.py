"""What a cold start pays for: the import of each entry point."""

import re
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.bench.children import ROOT, measured
from tests.bench.report import Figure
from tests.bench.sizes import Sizes

ENTRY_POINTS = (*sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("functions/*/main.py")), "dbt/job.py")

_HEAVIEST = 4
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """CPU, memory and modules of each import, with byte code in place; the packages that take most of it."""
    del folder
    figures = []
    for path in ENTRY_POINTS:
        heavy = _heaviest(path)  # first: it writes the byte code
        runs = [measured("imports_process", path) for _ in range(sizes.import_repeats)]
        cpu, rss = (statistics.median(run[name] for run in runs) for name in ("cpu_ms", "peak_rss_mib"))
        figures += [
            Figure(f"import {path}", f"{cpu:.0f} ms CPU, {rss:.0f} MiB, {runs[0]['modules']:,} modules"),
            Figure(f"import {path}: most of it", ", ".join(f"{name} {ms:.0f} ms" for name, ms in heavy)),
        ]
    return figures


def _heaviest(path: str) -> list[tuple[str, float]]:
    """The packages with the most time of their own, in milliseconds, in one run that tracing slows down."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tests.bench.imports_process", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    spent: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        if found := _LINE.match(line):
            parts = found[2].split(".")
            spent[".".join(parts[: 3 if parts[0] == "google" else 1])] += int(found[1])
    return [(name, microseconds / 1000) for name, microseconds in spent.most_common(_HEAVIEST)]
