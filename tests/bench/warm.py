"""A scheduled run as it usually is: a warm extract function, some thirty changed incidents."""

from pathlib import Path

import httpx

from local.addresses import BUCKETS
from local.supervisor import free_ports
from tests.bench.children import measured, module, serving
from tests.bench.double import KEY
from tests.bench.report import Figure
from tests.bench.sizes import Sizes

MOST_CPU_MS = 30


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """CPU of one invocation: the source, Cloud Storage and Pub/Sub are other processes, waiting for them is none."""
    double, storage, pubsub = free_ports(0, 0, 0)
    url = f"http://127.0.0.1:{storage}"
    environment = {
        "STORAGE_EMULATOR_HOST": url,
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{pubsub}",
        "GOOGLE_CLOUD_PROJECT": "bench",
        "OPP_PROJECT": "bench",
        "OPP_REGION": "local",
        **{f"OPP_{purpose.upper()}_BUCKET": purpose for purpose in BUCKETS},
        "OPP_SECRETS": "environment",
        "OPP_SECRET_INCIDENT_IO_COMPANYA": KEY,
        "OPP_BASE_URL_INCIDENT_IO": f"http://127.0.0.1:{double}",
    }
    processes = [
        module("local.pubsub", pubsub),
        module("local.gcs", storage, "--data", str(folder / "gcs")),
        module("tests.bench.double", double, "--records", str(sizes.warm_records)),
    ]
    with serving(processes, folder / "logs"):
        for name in ("landing", "state", "quarantine", "artifacts"):
            httpx.post(f"{url}/storage/v1/b", params={"project": "bench"}, json={"name": name}).raise_for_status()
        told = measured("warm_process", "--windows", str(sizes.warm_windows), environment=environment)
    if told["rows"] != sizes.warm_records:
        raise RuntimeError(f"{told['rows']} incidents a window were extracted, expected {sizes.warm_records}")
    what = f"warm extract function, {sizes.warm_records} changed incidents"
    return [
        Figure(
            f"{what}: CPU of an invocation",
            f"{told['cpu_ms']:.1f} ms",
            f"<= {MOST_CPU_MS} ms",
            told["cpu_ms"] <= MOST_CPU_MS,
        ),
        Figure(f"{what}: Cloud Storage requests", f"{told['storage_requests']:.0f}"),
        Figure(f"{what}: peak memory", f"{told['peak_rss_mib']:.0f} MiB"),
    ]
