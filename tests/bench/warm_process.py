"""The extract function as a warm process: its real entry point, called by push requests that the framework receives."""

import argparse
import base64
import contextlib
import io
import json
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import functions_framework
import requests

from shared.registry import registry
from shared.windows.window import Window
from tests.bench.double import SOURCE
from tests.bench.usage import peak_rss_mib, tell, used

ENTRY_POINT = Path(__file__).resolve().parents[2] / "functions" / "extract" / "main.py"
WARM_UP = 3


def main() -> None:
    """Extract a number of windows, one invocation each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, required=True)
    chosen = parser.parse_args()
    create_app: Any = functions_framework.create_app
    client = create_app("extract", str(ENTRY_POINT), "cloudevent").test_client()
    storage_requests = 0
    send = requests.Session.send

    def counted(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        nonlocal storage_requests
        storage_requests += 1
        return send(session, request, **options)

    requests.Session.send = counted  # type: ignore[method-assign, assignment]  # every client counts
    cpu, wall, rows = [], [], 0
    for number in range(WARM_UP + chosen.windows):
        if number == WARM_UP:
            storage_requests = 0
        logged = io.StringIO()
        with contextlib.redirect_stdout(logged), used() as spent:
            answer = client.post("/projects/bench/topics/extract", json=_push(number))
        if answer.status_code != 200:
            raise RuntimeError(f"window {number}: HTTP {answer.status_code}\n{logged.getvalue()}")
        if number >= WARM_UP:
            cpu.append(spent.cpu_seconds)
            wall.append(spent.wall_seconds)
            rows += json.loads(logged.getvalue().splitlines()[-1])["rows_extracted"]
    tell(
        cpu_ms=statistics.median(cpu) * 1000,
        wall_ms=statistics.median(wall) * 1000,
        rows=rows / chosen.windows,
        storage_requests=storage_requests / chosen.windows,
        peak_rss_mib=peak_rss_mib(),
    )


def _push(number: int) -> dict[str, Any]:
    pipeline = registry().pipeline_of(registry().source(SOURCE))
    end = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number)
    attributes = {"v": "1", "source": SOURCE, "window": Window(pipeline.name, end - timedelta(hours=1), end).interval}
    return {
        "subscription": "projects/bench/subscriptions/extract",
        "message": {
            "messageId": str(number),
            "publishTime": "2026-11-20T12:00:00Z",
            "attributes": attributes,
            "data": base64.b64encode(b"{}").decode(),
        },
    }


if __name__ == "__main__":
    main()
