"""dbt's incremental merge: whether the same delta costs more in a mart that is ten times as large."""

import json
from pathlib import Path

from shared.registry import registry
from tests.bench.growth import GrownWarehouse, grown_warehouses
from tests.bench.load import growth_figures
from tests.bench.report import Figure
from tests.bench.sizes import Sizes
from tests.dbt.project import DbtProject, copy_project

MODEL = "fct_ops__incidents"


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Build the mart whole in both warehouses, then incrementally after each delta, in turn; medians."""
    with grown_warehouses(sizes, folder) as pair:
        projects = [copy_project(folder / f"dbt-{w.rows}", registry(), w.port) for w in pair]
        started = [warehouse.rows for warehouse in pair]
        for project in projects:
            project.run("run", "--select", f"+{MODEL}")
        wall: list[list[float]] = [[], []]
        cpu: list[list[float]] = [[], []]
        # the first delta alone is not counted: each later build reads the delta before it too, as the lookback wants
        for repeat in range(sizes.merge_repeats + 1):
            for i, (warehouse, project) in enumerate(zip(pair, projects, strict=True)):
                warehouse.load(warehouse.next_delta(sizes.delta_rows))
                before = warehouse.server_cpu_seconds()
                project.run("run", "--select", MODEL)
                if repeat:
                    cpu[i].append(warehouse.server_cpu_seconds() - before)
                    wall[i].append(_seconds(project))
        for warehouse in pair:
            _check(warehouse)
    return growth_figures(f"dbt merge of {sizes.delta_rows:,} rows", started, wall, cpu)


def _seconds(project: DbtProject) -> float:
    """How long the model took, without dbt's own start."""
    (result,) = json.loads((project.folder / "target" / "run_results.json").read_text())["results"]
    return float(result["execution_time"])


def _check(warehouse: GrownWarehouse) -> None:
    """A build that is fast because it leaves rows out is no build."""
    there = warehouse.value(f"SELECT COUNT(*) FROM ANALYTICS.MARTS.{MODEL.upper()}")
    newest = warehouse.value(f"SELECT COUNT(DISTINCT _INGESTED_AT) FROM ANALYTICS.MARTS.{MODEL.upper()}")
    if there != warehouse.rows or newest < 2:
        raise RuntimeError(
            f"the mart has {there} rows of {newest} loads, RAW has {warehouse.rows} of {warehouse.loads}"
        )
