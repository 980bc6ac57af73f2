"""The extraction that is measured: the real use case and the real HTTP client, one window, one process.

Landing and state are buckets of the emulator, reached by the real client: a part's upload is a few milliseconds of the
extraction's CPU, but its copies of the part count as memory.
"""

import argparse
import io
from datetime import UTC, datetime

from shared import logs
from shared.adapters.clock import SystemClock
from shared.adapters.gcs import GcsBucket, storage_client
from shared.adapters.http import PooledHttp
from shared.adapters.memory import MemorySecrets
from shared.adapters.memory_pubsub import MemoryPublisher
from shared.extract.rate import RateLimit
from shared.extract.run import ExtractPorts, extract_window
from shared.ports import HttpRequest, HttpResponse
from shared.registry import registry
from shared.sources.families import FAMILIES
from shared.state.documents import Documents
from shared.windows.schedule import window_at
from shared.wiring import new_token
from tests.bench.double import KEY, SOURCE
from tests.bench.usage import peak_rss_mib, tell, used


class Plain:
    """Asks for answers without compression."""

    def __init__(self, client: PooledHttp) -> None:
        self._client = client

    def send(self, request: HttpRequest, *, timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """See Http."""
        headers = {**request.headers, "accept-encoding": "identity"}
        plain = HttpRequest(request.method, request.url, request.query, headers, request.body)
        return self._client.send(plain, timeout_seconds=timeout_seconds, max_bytes=max_bytes)


def main() -> None:
    """Extract everything that the double at `--url` has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--encoding", choices=("identity", "gzip"), required=True)
    parser.add_argument("--bucket", required=True, help="an empty bucket of the storage emulator")
    chosen = parser.parse_args()
    clock, known = SystemClock(), registry()
    source = known.source(SOURCE)
    pipeline = known.pipeline_of(source)
    bucket = GcsBucket(storage_client("bench"), chosen.bucket)
    client = PooledHttp()
    ports = ExtractPorts(
        registry=known,
        families=FAMILIES,
        landing=bucket,
        quarantine=bucket,
        spool=bucket,
        documents=Documents(bucket, new_token),
        http=client if chosen.encoding == "gzip" else Plain(client),
        secrets=MemorySecrets({source.secret: KEY}),
        publisher=MemoryPublisher(),
        clock=clock,
        new_token=new_token,
        base_urls={source.family: chosen.url},
        # the vendor's quota would be all that is measured
        rates={(source.secret, source.requests_per_minute): RateLimit(10**9, clock)},
    )
    window = window_at(pipeline.name, pipeline.cron, datetime.now(UTC))
    with logs.captured(io.StringIO()), used() as spent:
        summary = extract_window(ports, source, window, revision=0, part=0, run_id="bench")
    tell(
        records=summary.rows,
        rejected=summary.rejected,
        parts=summary.parts,
        landed_bytes=sum(stored.size for stored in bucket.list("landing/")),
        cpu_seconds=spent.cpu_seconds,
        wall_seconds=spent.wall_seconds,
        peak_rss_mib=peak_rss_mib(),
    )


if __name__ == "__main__":
    main()
