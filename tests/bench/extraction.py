"""Extraction: records for a CPU second, and whether memory grows with their number."""

import itertools
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from local.sources.incident_io.synthetic import synthetic_pages
from local.supervisor import free_ports
from tests.bench.children import measured, module, serving
from tests.bench.report import Figure
from tests.bench.sizes import Sizes

RECORDS_PER_CPU_SECOND = 20_000
MOST_MIB = 256
MOST_GROWTH = 1.1
_YARDSTICK_RECORDS = 5_000


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Extract the small and the large number of records with plain and with gzip answers, in turn; medians.

    What a CPU second is worth changes with what else the machine does, so each run has its yardstick beside it.
    """
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    pages = list(synthetic_pages(_YARDSTICK_RECORDS, seed=7))
    for records in (sizes.extract_small, sizes.extract_large):
        with _sources(records, folder / str(records)) as extract:
            for _ in range(sizes.extract_repeats):
                for encoding in ("identity", "gzip"):
                    yardstick = _loads_seconds(pages)
                    told = extract(encoding)
                    told["against_loads"] = (
                        told["cpu_seconds"] / records / statistics.mean((yardstick, _loads_seconds(pages)))
                    )
                    found.setdefault((encoding, records), []).append(told)
    figures = []
    for encoding in ("identity", "gzip"):
        small, large = found[encoding, sizes.extract_small], found[encoding, sizes.extract_large]
        what = f"extract {sizes.extract_large:,} incidents, {encoding} answers"
        rates = [run["records"] / run["cpu_seconds"] for run in large]
        rate, mib = statistics.median(rates), statistics.median(run["peak_rss_mib"] for run in large)
        growth = mib / statistics.median(run["peak_rss_mib"] for run in small)
        landed = large[-1]["landed_bytes"] / 2**20
        figures += [
            Figure(
                f"{what}: records for a CPU second",
                f"{rate:,.0f} ({min(rates):,.0f} to {max(rates):,.0f})",
                f">= {RECORDS_PER_CPU_SECOND:,}",
                rate >= RECORDS_PER_CPU_SECOND,
            ),
            Figure(
                f"{what}: CPU of a record against `json.loads` of it",
                f"{statistics.median(run['against_loads'] for run in large):.2f} x",
            ),
            Figure(f"{what}: peak memory", f"{mib:.0f} MiB", f"<= {MOST_MIB} MiB", mib <= MOST_MIB),
            Figure(
                f"{what}: peak memory against {sizes.extract_small:,}",
                f"{growth:.2f} x",
                f"<= {MOST_GROWTH} x",
                growth <= MOST_GROWTH,
            ),
            Figure(f"{what}: landed", f"{large[-1]['parts']} parts, {landed:.0f} MiB"),
        ]
    return figures


def _loads_seconds(pages: list[bytes]) -> float:
    """CPU of a record when a page is read by the standard library alone, right now."""
    started = time.process_time()
    for page in pages:
        json.loads(page)
    return (time.process_time() - started) / _YARDSTICK_RECORDS


@contextmanager
def _sources(records: int, folder: Path) -> Iterator[Any]:
    double, storage = free_ports(0, 0)
    url = f"http://127.0.0.1:{storage}"
    processes = [
        module("tests.bench.double", double, "--records", str(records)),
        module("local.gcs", storage, "--data", str(folder / "gcs")),
    ]
    numbers = itertools.count()

    def extract(encoding: str) -> dict[str, Any]:
        bucket = f"bench-{next(numbers)}"
        httpx.post(f"{url}/storage/v1/b", params={"project": "bench"}, json={"name": bucket}).raise_for_status()
        told = measured(
            "extraction_process",
            *("--url", f"http://127.0.0.1:{double}", "--encoding", encoding, "--bucket", bucket),
            environment={"STORAGE_EMULATOR_HOST": url},
        )
        if told["records"] != records:
            raise RuntimeError(f"{told['records']} of {records} incidents were extracted")
        return told

    with serving(processes, folder / "logs"):
        yield extract
