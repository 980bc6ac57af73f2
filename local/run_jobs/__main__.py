"""`python -m local.run_jobs --port P --job NAME=COMMAND --logs DIR`: serve on 127.0.0.1 until a signal."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from local.gcs.faults import Connections
from local.run_jobs.executions import parse_jobs
from local.run_jobs.routes import application


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.run_jobs", description="Fake of the Cloud Run jobs API")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--logs", type=Path, required=True, help="directory for one log file an execution")
    parser.add_argument(
        "--job",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="a job and its command, quoted like for a shell but started without one; repeatable",
    )
    arguments = parser.parse_args()
    try:
        jobs = parse_jobs(arguments.job)
    except ValueError as error:
        parser.error(str(error))
    connections = Connections()
    uvicorn.run(
        application(jobs, arguments.logs, connections),
        host="127.0.0.1",
        port=arguments.port,
        http=connections.protocol(),
        ws="none",
        log_level="warning",
        proxy_headers=False,
        timeout_keep_alive=600,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
