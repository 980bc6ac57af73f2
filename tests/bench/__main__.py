"""`python -m tests.bench [what ...] [--quick]`: measure, print one table, write it into docs/benchmarks.md."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import extraction, imports, load, merge, warm, webhook
from tests.bench.children import ROOT
from tests.bench.report import Figure, as_markdown, machine, write_table
from tests.bench.sizes import FULL, QUICK, Sizes

PAGE = ROOT / "docs" / "benchmarks.md"

MEASUREMENTS: Mapping[str, Callable[[Sizes, Path], list[Figure]]] = {
    "extract": extraction.measure,
    "warm": warm.measure,
    "webhook": webhook.measure,
    "imports": imports.measure,
    "load": load.measure,
    "merge": merge.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; the page is written only by a full run of everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*MEASUREMENTS, "all"], default="all", help="default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, not how fast")
    chosen = parser.parse_args(arguments)
    names = list(MEASUREMENTS) if "all" in chosen.what else chosen.what
    sizes = QUICK if chosen.quick else FULL
    figures: list[Figure] = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            figures += MEASUREMENTS[name](sizes, Path(folder))
    if chosen.quick:
        figures = [replace(figure, aim="", met=None) for figure in figures]
    print(f"{machine()}\n\n{as_markdown(figures)}")
    if not chosen.quick and len(names) == len(MEASUREMENTS):
        write_table(PAGE, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
