"""`python -m local.gcs --data DIR --port P`: serve on 127.0.0.1 until a signal."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from local.gcs.faults import Connections
from local.gcs.routes import application


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.gcs", description="Cloud Storage emulator")
    parser.add_argument("--data", type=Path, required=True, help="data directory, made when missing")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument(
        "--pubsub",
        default=os.environ.get("PUBSUB_EMULATOR_HOST"),
        help="HOST:PORT of the Pub/Sub emulator that gets notifications (default: $PUBSUB_EMULATOR_HOST)",
    )
    arguments = parser.parse_args()
    connections = Connections()
    application_ = application(
        arguments.data.resolve(), f"http://127.0.0.1:{arguments.port}", arguments.pubsub, connections
    )
    uvicorn.run(
        application_,
        host="127.0.0.1",
        port=arguments.port,
        http=connections.protocol(),
        ws="none",
        log_level="warning",
        proxy_headers=False,
        # A client that reuses a connection in the moment of its closing sees a lost answer that nobody asked for.
        timeout_keep_alive=600,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
