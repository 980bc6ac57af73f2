"""Loading: whether the same delta costs more in a table that is ten times as large."""

import statistics
import time
from pathlib import Path

from tests.bench.growth import grown_warehouses
from tests.bench.report import Figure
from tests.bench.sizes import Sizes

MOST_GROWTH = 1.5


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Load the same deltas into both tables in turn, through the real adapter; medians."""
    with grown_warehouses(sizes, folder) as pair:
        started = [warehouse.rows for warehouse in pair]
        wall: list[list[float]] = [[], []]
        cpu: list[list[float]] = [[], []]
        for _ in range(sizes.load_repeats + 1):
            for i, warehouse in enumerate(pair):
                part = warehouse.next_delta(sizes.delta_rows)
                before, begun = warehouse.server_cpu_seconds(), time.perf_counter()
                warehouse.load(part)
                wall[i].append(time.perf_counter() - begun)
                cpu[i].append(warehouse.server_cpu_seconds() - before)
    # the first load of a process opens its connection and looks at the table's columns
    return growth_figures(f"load {sizes.delta_rows:,} rows", started, [w[1:] for w in wall], [c[1:] for c in cpu])


def growth_figures(what: str, rows: list[int], wall: list[list[float]], cpu: list[list[float]]) -> list[Figure]:
    """The two medians and their ratio, by wall time and by the warehouse's CPU."""
    label = f"{what} into {rows[0]:,} and {rows[1]:,} rows"
    figures = []
    for kind, measured in (("wall", wall), ("warehouse CPU", cpu)):
        small, large = (statistics.median(values) for values in measured)
        ratio = large / small if small else float("nan")
        spread = " and ".join(f"{min(v) * 1000:,.0f} to {max(v) * 1000:,.0f}" for v in measured)
        value = f"{small * 1000:,.0f} ms, {large * 1000:,.0f} ms: {ratio:.2f} x ({spread})"
        figures.append(Figure(f"{label}: {kind}", value, f"<= {MOST_GROWTH} x", ratio <= MOST_GROWTH))
    return figures
